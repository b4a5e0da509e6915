"""Fixed, named ways of scoring: one file each, ``build(**settings)`` returns a ``seams.ScoringProtocol``."""
