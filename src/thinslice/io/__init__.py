"""People's scans, in and out: DICOM, NIfTI, NRRD, zip, OME-Zarr."""
