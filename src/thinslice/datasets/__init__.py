"""Sources of scans: one file each, ``build(**settings)`` returns a ``seams.Dataset``."""
