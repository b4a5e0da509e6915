"""Pack what a stranger needs to check a table: evidence, records, signed statements, a verifier."""
