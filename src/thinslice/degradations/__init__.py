"""Thin to simulated thick: one file each, ``build(**settings)`` returns a ``seams.Degradation``."""
