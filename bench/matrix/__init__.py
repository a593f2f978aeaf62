"""Many runs by one command: methods × variants × datasets × protocols × seeds.

A *cell* is one method variant on one dataset under one protocol with one seed; a *job* is what one
process runs: the cells that share their training and their features.
"""
