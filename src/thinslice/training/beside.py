"""A file written beside its place, brought to the disk, renamed: whole, older, or not there."""
