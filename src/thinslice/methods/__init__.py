"""The entrants: one file each, ``build(**settings)`` returns a ``seams.Method``."""
