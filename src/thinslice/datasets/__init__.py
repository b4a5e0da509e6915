"""Sources of scans: one file each, ``build(**settings)`` returns a ``interfaces.Dataset``."""
