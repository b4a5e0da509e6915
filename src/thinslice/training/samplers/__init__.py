"""Training samples drawn from scans: planes, cubes and patches."""
