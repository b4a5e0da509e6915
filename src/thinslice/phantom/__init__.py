"""A virtual CT scanner: analytic anatomy, one noise field, any number of reconstructions of it.

``solids`` have closed-form chords along z; ``layers`` paints them over one another; ``anatomy``
draws a chest from a seed; ``noise`` is what the detector adds; ``reconstruction`` makes slices.
"""
