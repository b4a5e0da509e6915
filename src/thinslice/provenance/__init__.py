"""Record what made a file: jobs, code digests, environment; standard library only."""
