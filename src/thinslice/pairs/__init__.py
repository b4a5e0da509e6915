"""Pairs of a thick and a thin reconstruction of one acquisition: found, measured, certified."""
