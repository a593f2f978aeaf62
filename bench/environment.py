"""Whether the installed torch and torchvision fit together."""

from __future__ import annotations

from bench import fingerprints
from bench.errors import UserError

# One pair that fits, the one in constraints.txt (a test compares them).
TORCH, TORCHVISION = "2.15.0", "0.29.2"


def require_torchvision() -> None:
    """Import torchvision; raise `UserError` saying what to reinstall where it does not fit torch.

    Each torchvision is compiled for one torch. Beside another one its import fails, with a message
    about an operator that does not exist, deep inside whichever library imports it first.
    """
    try:
        import torchvision  # noqa: F401
    except (ImportError, OSError, RuntimeError) as error:
        found = fingerprints.versions("torch", "torchvision")
        raise UserError(
            f"torch {found.get('torch', '(absent)')} and torchvision "
            f"{found.get('torchvision', '(absent)')} do not fit together "
            f"({' '.join(str(error).split())[:100]}); reinstall a pair that does: "
            f"pip install --force-reinstall torch=={TORCH} torchvision=={TORCHVISION}"
        ) from error
