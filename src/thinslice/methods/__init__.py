"""The entrants: one file each, ``build(**settings)`` returns a ``interfaces.Method``."""
