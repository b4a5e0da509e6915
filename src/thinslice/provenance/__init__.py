"""What made a file: records, code digests, environment; standard library only."""
