"""Images with JSON sidecars, as dcm2niix writes them: what each must come to."""

import json
from collections.abc import Callable

import numpy as np

from support.image_maker import as_made, nrrd
from support.nifti_maker import saved, scan_ras
from support.reading_law import Case

WHOLE = {
    "Modality": "CT",
    "Manufacturer": "Siemens",
    "ManufacturersModelName": "Sensation 64",
    "ConvolutionKernel": "B31f",
    "SliceThickness": 5,
    "SpacingBetweenSlices": 2.5,
    "ImageOrientationPatientDICOM": [1, 0, 0, 0, 1, 0],
    "ConversionSoftware": "dcm2niix",
}


def beside(content, name="x.nii.gz", sidecar="x.json", **also) -> Callable:
    """An image with slices of 2.5 mm, and this content in the file beside it."""
    states = {**WHOLE, **also}
    text = json.dumps(states) if content is None else content

    def make(folder, _):
        if name.lower().endswith("nrrd"):
            path = nrrd(folder / name)
        else:
            path = saved(folder / "x.nii.gz", *scan_ras()).rename(folder / name)
        data = text if isinstance(text, bytes) else text.encode()
        (folder / sidecar).write_bytes(data)
        return path

    return make


def without(*keys) -> str:
    return json.dumps({key: value for key, value in WHOLE.items() if key not in keys})


def says(word: str | None = None, **facts) -> Callable:
    """Read right, with these facts in the source, and ``word`` in a warning; None: no warning."""

    def right(path, found):
        as_made(path, found)
        for key, value in facts.items():
            assert found.source[key] == value, (key, found.source)
        thickness_mm = found.source["thickness_mm"] or found.volume.grid.increment_mm
        assert np.isclose(found.volume.grid.thickness_mm, thickness_mm)
        warned = " ".join(w for w in found.source["warnings"] if "json" in w)
        assert (word in warned) if word else not warned, warned

    return right


USED = {"thickness_mm": 5.0, "thickness_from": "sidecar", "kernel": "B31f", "maker": "Siemens"}
USED |= {"device": "Sensation 64", "sidecar": "x.json"}
UNUSED = {"thickness_from": "increment", "kernel": None, "maker": None}
ALL = ["device", "kernel", "maker", "modality", "thickness_mm"]
CASES = {
    "a sidecar": Case(beside(None), right=says(**USED, from_sidecar=ALL)),
    "with gantry tilt": Case(beside(None, GantryTilt=15), right=says("GantryTilt 15: if")),
    "of .NII.GZ": Case(beside(None, "x.NII.GZ"), right=says(**USED)),
    "of a NRRD": Case(beside(None, "x.nrrd"), right=says(**USED)),
    "thickness declared": Case(
        beside(None),
        right=says("SliceThickness 5; 3 mm", thickness_from="declared", kernel="B31f"),
        say={"thickness_mm": 3.0},
    ),
    "the same declared": Case(
        beside(None), right=says(thickness_from="declared"), say={"thickness_mm": 5.0}
    ),
    "no thickness": Case(
        beside(without("SliceThickness")), right=says(thickness_from="increment", kernel="B31f")
    ),
    "no kernel": Case(
        beside(without("ConvolutionKernel")), right=says(thickness_from="sidecar", kernel=None)
    ),
    "thickness alone": Case(
        beside('{"SliceThickness": 4.0}'),
        right=says(thickness_mm=4.0, from_sidecar=["thickness_mm"], modality="CT"),
    ),
    "with a byte order mark": Case(
        beside(b"\xef\xbb\xbf" + json.dumps(WHOLE).encode()), right=says(**USED)
    ),
    "other slices": Case(
        beside(None, SpacingBetweenSlices=5), right=says("slices every 5 mm", **UNUSED)
    ),
    "rounded slices": Case(beside(None, SpacingBetweenSlices=2.501), right=says(**USED)),
    "another plane": Case(
        beside(None, ImageOrientationPatientDICOM=[1, 0, 0, 0, 0, -1]),
        right=says("another orientation", **UNUSED),
    ),
    "a plane that is none": Case(
        beside(None, ImageOrientationPatientDICOM=["a"] * 6), right=says(**USED)
    ),
    **{
        f"thickness {bad!r}": Case(
            beside(None, SliceThickness=bad),
            right=says("no length in mm", thickness_from="increment", kernel="B31f"),
        )
        for bad in (0, -5, 5000, "five", True, [5])
    },
    "thickness null": Case(
        beside(None, SliceThickness=None), right=says(thickness_from="increment", kernel="B31f")
    ),
    "MR": Case(beside(None, Modality="MR"), right=says(modality="MR", thickness_mm=5.0)),
    "MR, CT declared": Case(
        beside(None, Modality="MR"), right=says("CT was declared"), say={"modality": "CT"}
    ),
    "PET": Case(beside(None, Modality="PT"), "modality PT by x.json"),
    "PET, CT declared": Case(
        beside(None, Modality="PT"), right=says("CT was declared"), say={"modality": "CT"}
    ),
    "MR of another image": Case(
        beside(None, Modality="MR", SpacingBetweenSlices=5), "declare the modality"
    ),
    "a kernel of two": Case(
        beside(None, ConvolutionKernel=["Br40d", "3"]), right=says(kernel="Br40d\\3")
    ),
    "not JSON": Case(beside("{'Modality': CT"), right=says("cannot be read", **UNUSED)),
    "a list": Case(beside("[1, 2]"), right=says(**UNUSED)),
    "another JSON": Case(beside('{"name": "x", "labels": {}}'), right=says(**UNUSED)),
    "empty": Case(beside(""), right=says("cannot be read", **UNUSED)),
    "Latin-1": Case(
        beside('{"Manufacturer": "M\xfcller"}'.encode("latin-1")),
        right=says("cannot be read", **UNUSED),
    ),
    "deep": Case(beside("[" * 100_000), right=says("cannot be read", **UNUSED)),
    "of another name": Case(beside(None, sidecar="y.json"), right=says(**UNUSED)),
}
