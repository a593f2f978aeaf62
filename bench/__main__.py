"""`python -m bench`: the command for programs that start modules, as `torchrun -m bench` does."""

from bench.cli import main

main()
