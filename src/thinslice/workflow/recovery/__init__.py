"""Recovery: what a run does first in a folder whose last run was killed. Standard library only."""
