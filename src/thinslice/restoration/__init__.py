"""Restore a person's own scan: choose a method, run it, write the result with its report."""
