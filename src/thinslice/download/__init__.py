"""Download published scans: resumable, verified by checksum."""
