"""All inputs that are tried, by the kind of their fault."""

from support import (
    bad_dicom,
    bad_images,
    bad_nifti,
    bad_places,
    bad_zips,
    odd_nifti,
    several_dicom,
    sidecars,
)

TABLES = {
    "DICOM": bad_dicom,
    "DICOM folder": several_dicom,
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
