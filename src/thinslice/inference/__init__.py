"""Run networks over whole scans: tiles, planes, cubes, memory caps."""
