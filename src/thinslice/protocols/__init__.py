"""Fixed, named ways of scoring: one file each, ``build(**settings)`` returns the protocol."""
