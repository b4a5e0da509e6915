"""Make a cell again from raw data, and compare."""
