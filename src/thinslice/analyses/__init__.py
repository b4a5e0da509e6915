"""Questions asked of the scores: one file each, ``build(**settings)`` returns a ``seams.Analysis``."""
