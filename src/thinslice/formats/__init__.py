"""Foreign files to volumes: DICOM series and NIfTI."""
