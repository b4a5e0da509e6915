"""Single measures of image quality, as pure functions of arrays."""
