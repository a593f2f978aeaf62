"""Training: stages that a method states, one plain loop that runs them, checkpoints.

- `recipe`: how long, how fast and on what batches; a part of every recipe
- `stages`: a stage as a method states it
- `samplers`: which images stand in which group, and in which order
- `augmentation`: how images are varied
- `batches`: groups of rows become pixels, read ahead
- `learning`: what learns, in which mode the network runs, by which optimiser
- `loop`: one stage from its first step to its last
- `checkpoints`: what is kept, so that a killed training goes on bit for bit
- `log`: what is left to look at
- `plan`: where stages go, and which are trained already
"""
