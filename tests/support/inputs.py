"""All inputs that are tried, by the kind of their fault."""

from support import (
    bad_dicom,
    bad_images,
    bad_nifti,
    bad_places,
    bad_zips,
    odd_dicom,
    odd_nifti,
    several_dicom,
    sidecars,
    stored_bits,
    stored_codestreams,
    stored_frames,
)

TABLES = {
    "DICOM": bad_dicom,
    "DICOM bits": stored_bits,
    "DICOM codestreams": stored_codestreams,
    "DICOM frames": stored_frames,
    "DICOM acquisitions": several_dicom,
    "DICOM odd files": odd_dicom,
    "NIfTI": bad_nifti,
    "NIfTI header": odd_nifti,
    "image": bad_images,
    "sidecar": sidecars,
    "zip": bad_zips,
    "place": bad_places,
}
CASES = {
    f"{kind}: {name}": case
    for kind, module in TABLES.items()
    for name, case in module.CASES.items()
}
