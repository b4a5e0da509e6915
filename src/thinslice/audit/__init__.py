"""Trace a number to the scans, code and settings behind it, and compute it again."""
