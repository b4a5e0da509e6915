"""Thin to simulated thick: one file each, ``build()`` returns an ``interfaces.Degradation``."""
