"""Questions asked of the scores: one file each, ``build(**settings)`` makes the answer."""
