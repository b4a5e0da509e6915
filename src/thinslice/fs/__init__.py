"""Files that are whole or not there; standard library only."""
