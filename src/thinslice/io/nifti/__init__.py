"""NIfTI images, read and written."""
