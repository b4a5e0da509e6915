"""Linear maps between grids: slice profiles, projections, interpolation; pure functions."""
