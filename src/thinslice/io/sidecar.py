"""Read the JSON sidecar that converters such as dcm2niix write beside an image.

It states what an image file cannot: thickness, kernel, scanner, modality. What is declared comes
before it. A sidecar that contradicts the image belongs to another one: nothing of it is used, and
a warning says so with the numbers.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np

from thinslice.errors import refused
from thinslice.io import derived
from thinslice.io.orientation import SPACING_MM
from thinslice.io.scan import LoadedScan
from thinslice.volume import Grid, Modality

ENDINGS = (".nii.gz", ".nii", ".hdr", ".img", ".nrrd", ".nhdr", ".mha", ".mhd")
FACTS = {
    "maker": "Manufacturer",
    "device": "ManufacturersModelName",
    "kernel": "ConvolutionKernel",
}
THICKNESS, INCREMENT, MODALITY = "SliceThickness", "SpacingBetweenSlices", "Modality"
TILT = "GantryTilt"  # degrees
TYPE = "ImageType"
AXES = "ImageOrientationPatientDICOM"
READ = {*FACTS.values(), THICKNESS, INCREMENT, MODALITY, AXES, TILT, TYPE}
SAME = 0.01  # relative difference of increments that rounding explains
SAME_PLANE = 0.99  # cosine of the angle between the normals of two slices
MOST_BYTES = 1 << 24


class Sidecar(NamedTuple):
    """What a sidecar states, and what is odd about it; empty where there is none."""

    name: str
    states: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    def modality(self, path: Path, declared: Modality | None) -> Modality:
        """The declared modality, else the sidecar's, else CT; Refused for another kind of scan."""
        stated = self.states.get(MODALITY)
        if declared is not None:
            return declared
        if stated is not None and stated not in get_args(Modality):
            advice = "name a CT or MR scan, or declare its modality"
            raise refused(path, f"modality {stated} by {self.name}", "CT or MR", advice)
        return stated or "CT"

    def completed(
        self,
        path: Path,
        scan: LoadedScan,
        *,
        thickness_mm: float | None,
        modality: Modality | None,
    ) -> LoadedScan:
        """The scan with what the sidecar states and nobody declared."""
        if not self.states:
            scan.source["warnings"].extend(self.notes)
            return scan
        if other := self._of_another(scan.volume.grid):
            if modality is None and self.states.get(MODALITY, "CT") != "CT":
                advice = "declare the modality, or move the sidecar away"
                raise refused(path, other, "a sidecar of this image", advice)
            scan.source["warnings"].append(f"{other}; nothing of it is used")
            return scan
        return self._filled(path, scan, thickness_mm, modality)

    def _filled(
        self, path: Path, scan: LoadedScan, thickness_mm: float | None, modality: Modality | None
    ) -> LoadedScan:
        facts: dict[str, Any] = {
            key: _text(self.states[name]) for key, name in FACTS.items() if name in self.states
        }
        grid, stated_mm = scan.volume.grid, _length(self.states.get(THICKNESS))
        if stated_mm is not None and thickness_mm is None:
            grid = _thick(grid, stated_mm)
            facts |= {"thickness_mm": stated_mm, "thickness_from": "sidecar"}
        if stated_type := derived.of_type(self.states.get(TYPE)):
            facts["derived"] = stated_type
        modality_from = MODALITY in self.states and modality is None
        from_it = sorted({*facts, *(["modality"] if modality_from else [])} - {"thickness_from"})
        source = {**scan.source, **facts, "sidecar": self.name, "from_sidecar": from_it}
        notes = [*self._against_declared(thickness_mm, modality), *self._of_tilt()]
        source["warnings"] = [*scan.source["warnings"], *notes]
        volume = replace(scan.volume, grid=grid)
        files = tuple(sorted([*scan.files, path.with_name(self.name)]))
        return scan._replace(volume=volume, source=source, files=files)

    def _against_declared(
        self, thickness_mm: float | None, modality: Modality | None
    ) -> Iterator[str]:
        stated = self.states.get(THICKNESS)
        if stated is not None and _length(stated) is None:
            yield f"{self.name} says {THICKNESS} {stated!r}, which is no length in mm"
        if thickness_mm is not None and _differ(_length(stated), thickness_mm):
            yield f"{self.name} says {THICKNESS} {stated:g}; {thickness_mm:g} mm was declared"
        other = self.states.get(MODALITY)
        if None not in (modality, other) and other != modality:
            yield f"{self.name} says modality {other}; {modality} was declared"

    def _of_tilt(self) -> Iterator[str]:
        tilt_deg = self.states.get(TILT)
        if _is_number(tilt_deg) and tilt_deg:
            yield (
                f"{self.name} says {TILT} {tilt_deg:g}: if the image was not corrected for it, it "
                "is sheared; restore the DICOM with --as-acquired"
            )

    def _of_another(self, grid: Grid) -> str | None:
        """Why the sidecar cannot be that of an image on this grid."""
        stated_mm = _length(self.states.get(INCREMENT))
        if _differ(stated_mm, grid.increment_mm):
            return (
                f"{self.name} says slices every {stated_mm:g} mm, the image has them every "
                f"{grid.increment_mm:g} mm"
            )
        axes = self.states.get(AXES)
        if not (isinstance(axes, list) and len(axes) == 6 and all(map(_is_number, axes))):
            return None
        normal = np.cross(axes[:3], axes[3:])
        if abs(normal @ np.array(grid.direction[0])) < SAME_PLANE:
            return f"{self.name} says slices of another orientation than the image has"
        return None


def beside(path: Path) -> Path | None:
    """The sidecar of an image: its name with .json instead; None where there is none."""
    name = path.name
    ending = next((end for end in ENDINGS if name.lower().endswith(end)), "")
    file = path.with_name(f"{name[: len(name) - len(ending)]}.json")
    return file if ending and file.is_file() else None


def is_of(name: str, names: set[str]) -> bool:
    """Whether a file's name is that of a sidecar of one of ``names``."""
    return name.endswith(".json") and any(name[:-5] + ending in names for ending in ENDINGS)


def read(path: Path) -> Sidecar:
    """The sidecar of the image at ``path``; of a file that is none, nothing but a note."""
    file = beside(path)
    if file is None:
        return Sidecar("", {})
    try:
        if file.stat().st_size > MOST_BYTES:
            raise ValueError(f"{file.stat().st_size} bytes")
        states = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        note = f"{file.name} cannot be read as a sidecar ({error}); nothing of it is used"
        return Sidecar(file.name, {}, (note,))
    if not isinstance(states, dict) or not READ & states.keys():
        return Sidecar(file.name, {})
    return Sidecar(file.name, {key: states[key] for key in READ & states.keys()})


def _thick(grid: Grid, thickness_mm: float) -> Grid:
    return grid.with_slices(
        n=grid.n,
        increment_mm=grid.increment_mm,
        thickness_mm=thickness_mm,
        start_mm=grid.start_mm,
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _length(value: object) -> float | None:
    """A length in mm that a scan can have; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if SPACING_MM[0] <= value <= SPACING_MM[1] else None


def _differ(stated_mm: float | None, other_mm: float) -> bool:
    return stated_mm is not None and abs(stated_mm - other_mm) > SAME * other_mm


def _text(value: object) -> str:
    return "\\".join(map(str, value)) if isinstance(value, list) else str(value)
