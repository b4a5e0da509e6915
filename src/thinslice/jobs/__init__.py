"""Run one rule of the workflow, a module each."""
