"""Bare networks: tensors in, tensors out."""
