"""Thin to simulated thick: one file each, ``build()`` returns a ``interfaces.Degradation``."""
