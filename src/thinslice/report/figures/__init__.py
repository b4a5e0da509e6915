"""Figures drawn from tables: one module a kind of figure."""
