"""Own data: NIfTI files and DICOM folders listed in a manifest.

Paired cases have an acquired thick scan: a second reconstruction of the same acquisition, on the
same pixels. Its slices are placed in the thin scan's frame, so that the phase between the two is
known. Cases without a thick scan serve simulated degradations only.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from thinslice.datasets._readers import by_case
from thinslice.errors import Refused, all_refused, in_case, refused
from thinslice.interfaces import Case
from thinslice.io.read import read_scan
from thinslice.io.scan import LoadedScan
from thinslice.operators import grids
from thinslice.volume import Grid, Volume
from thinslice.workflow.manifest import Row, read_manifest
from thinslice.workflow.scan_files import scan_files

SAME_PIXELS = 0.01  # of a pixel: thick and thin in-plane, anywhere in the scan
SAME_PITCH = 1e-4  # of a pixel's size


class OwnData:
    """The data set of a manifest; see the module docstring."""

    simulated = False

    def __init__(
        self,
        manifest: Path,
        unit_window: tuple[float, float] | None,
        *,
        accept_derived: bool = False,
    ):
        self.manifest = manifest
        self.unit_window = unit_window
        self.accept_derived = accept_derived

    def fetch(self, raw: Path, mirror: str | None = None) -> None:
        """Check the manifest and that every scan in it exists; nothing is downloaded."""
        self.files(raw)

    def files(self, raw: Path) -> Sequence[Path]:
        """The manifest and every file of every scan, sorted."""
        scans = [
            scan for row in read_manifest(self.manifest) for scan in (row.thin, row.thick) if scan
        ]
        return sorted({self.manifest, *(file for scan in scans for file in scan_files(scan))})

    def cases(self, raw: Path) -> Iterator[Case]:
        """One case per row, in the manifest's order; Refused, all together, where scans cannot be
        read or are copies: after the first of them the others are still read, and no more cases
        come."""
        wrong: list[Refused] = []
        first: dict[str, Row] = {}
        for row in read_manifest(self.manifest):
            try:
                with in_case(row.case):
                    case = self._case(row)
                    assert case.thin is not None, "every row names one"
                    _refuse_copy(row, case.thin.digest(), first)
            except Refused as error:
                wrong.append(error)
                continue
            if not wrong:
                yield case
        if wrong:
            raise all_refused(wrong)

    def readers(self, raw: Path) -> Mapping[str, Callable[[], Case]]:
        """By case, a function that reads it."""
        return by_case((row.case, partial(self._case, row)) for row in read_manifest(self.manifest))

    def compare(self, digests: Mapping[str, str]) -> None:
        """Refuse thin scans that another patient has too: the splits would share them."""
        wrong: list[Refused] = []
        first: dict[str, Row] = {}
        for row in read_manifest(self.manifest):
            try:
                with in_case(row.case):
                    _refuse_copy(row, digests[row.case], first)
            except Refused as error:
                wrong.append(error)
        if wrong:
            raise all_refused(wrong)

    def _case(self, row: Row) -> Case:
        thin = self._read(
            row, row.thin, row.thin_thickness_mm, row.thin_series, row.thin_acquisition
        )
        self._refuse_as_reference(row.thin, thin.source)
        source: dict[str, Any] = {"thin": self._source(row.thin, thin)}
        if row.thick is None:
            return Case(row.case, row.patient, row.split, thin.volume, None, source)
        thick = self._read(
            row, row.thick, row.thick_thickness_mm, row.thick_series, row.thick_acquisition
        )
        source["thick"] = self._source(row.thick, thick)
        placed = in_frame_of(thin.volume, thick.volume, row.thick)
        source["warnings"] = unlike(thin.source, thick.source)
        return Case(row.case, row.patient, row.split, thin.volume, placed, source)

    def _refuse_as_reference(self, path: Path, source: Mapping[str, Any]) -> None:
        if source["lossy"]:
            raise refused(
                path,
                "lossy compression",
                "a thin scan without loss: it is the reference",
                "export the scan without lossy compression",
            )
        if source["derived"] and not self.accept_derived:
            raise refused(
                path,
                f"a scan computed from another one ({source['derived']})",
                "a thin scan as acquired: it is the reference",
                "name the acquired series, or set accept_derived: true if it is one",
            )

    def _read(
        self,
        row: Row,
        path: Path,
        thickness_mm: float | None,
        series: str | None,
        acquisition: str | None,
    ) -> LoadedScan:
        return read_scan(
            path,
            series=series,
            acquisition=acquisition,
            thickness_mm=thickness_mm,
            unit_window=self.unit_window,
            modality=row.modality,
        )

    def _source(self, path: Path, scan: LoadedScan) -> dict[str, Any]:
        root = self.manifest.parent
        name = path.relative_to(root) if path.is_relative_to(root) else path
        return {"path": name.as_posix(), "n_files": len(scan.files), **scan.source}


def _refuse_copy(row: Row, digest: str, first: dict[str, Row]) -> None:
    """Refuse a thin scan that another patient has too.

    first   rows by the digest of their thin voxels; this one is added
    """
    other = first.setdefault(digest, row)
    if other.patient != row.patient:
        found = f"the same voxels as in case {other.case} of patient {other.patient}"
        raise refused(row.thin, found, "a scan of its own", "take one of the rows out")


def unlike(thin: Mapping[str, Any], thick: Mapping[str, Any]) -> list[str]:
    """Warnings about a pair that differs in more than its slices, by what its files state."""
    ours, theirs = (_words(source.get("kernel")) for source in (thin, thick))
    if not ours or not theirs or ours == theirs:
        return []
    return [
        f"the thin scan has kernel {ours}, the thick one {theirs}: scores on the acquired thick "
        "slices, and what is learned from them, are of both, thickness and kernel"
    ]


def _words(kernel: Any) -> str:
    """A kernel as its files state it: one word or several, or none."""
    return kernel if isinstance(kernel, str) else "/".join(map(str, kernel or ()))


def in_frame_of(thin: Volume, thick: Volume, path: Path) -> Volume:
    """Express the grid of a thick scan in the thin scan's frame; its slices stay where they are.

    The grid then shares origin and direction with the thin one; ``start_mm`` is the position of its
    first slice on the thin scan's z axis. Raises Refused, with numbers, if the two differ in
    modality, pixels or in-plane position, if no thick slice lies within the thin scan, or if the
    thick slices are the thinner ones.
    """
    a, b = thin.grid, thick.grid
    if thin.modality != thick.modality:
        advice = "pair scans of one modality"
        raise refused(path, thick.modality, f"{thin.modality} as the thin scan", advice)
    pitch = np.abs(np.array(b.pixel_mm) / np.array(a.pixel_mm) - 1).max()
    if a.shape != b.shape or pitch > SAME_PITCH:
        raise refused(path, _pixels(b), f"{_pixels(a)} as the thin scan", "crop both equally")
    if b.thickness_mm < a.thickness_mm:
        found = f"{b.thickness_mm:g} mm slices beside thin ones of {a.thickness_mm:g} mm"
        raise refused(path, found, "thicker ones", "check that the two are not swapped")
    grid = grids.in_frame_of(a, b)
    _same_pixels(path, a, b, grid)
    centres_mm = grid.centres_mm()
    inside = (centres_mm >= a.centres_mm()[0]) & (centres_mm <= a.centres_mm()[-1])
    if not inside.any():
        found = f"slices from {centres_mm[0]:g} to {centres_mm[-1]:g} mm"
        expected = f"some within the thin scan's {a.centres_mm()[0]:g} to {a.centres_mm()[-1]:g} mm"
        raise refused(path, found, expected, "pair scans of one acquisition")
    return replace(thick, grid=grid)


def _same_pixels(path: Path, thin: Grid, thick: Grid, placed: Grid) -> None:
    """Refuse a thick scan whose corners are elsewhere than its grid in the thin frame has them."""
    pixel_mm = min(thin.pixel_mm)
    if placed.same_place(thick, SAME_PIXELS * pixel_mm):
        return
    ends = np.array([[k, j, i, 1.0] for k in (0, 1) for j in (0, 1) for i in (0, 1)])
    ends[:, :3] *= np.array(thick.zyx) - 1
    off_px = np.linalg.norm((ends @ (thick.affine() - placed.affine()).T)[:, :3], axis=1) / pixel_mm
    found = f"pixels {off_px[0]:.3g} off at the first corner and {off_px.max():.3g} at the worst"
    expected = f"the thin scan's pixels and orientation, within {SAME_PIXELS:g} pixel"
    raise refused(
        path, found, expected, "pair reconstructions of one acquisition and field of view"
    )


def _pixels(grid: Grid) -> str:
    (rows, columns), (y, x) = grid.shape, grid.pixel_mm
    return f"{rows} x {columns} pixels of {y:g} x {x:g} mm"


def build(
    root: str,
    manifest: str = "manifest.csv",
    unit_window: list[float] | None = None,  # HU that 0 and 1 stand for, for [0, 1] NIfTI floats
    accept_derived: bool = False,  # thin scans that their files call computed from others
) -> OwnData:
    if unit_window is not None and len(unit_window) != 2:
        raise ValueError(f"unit_window: expected [low, high] in HU, found {unit_window}")
    window = None if unit_window is None else (float(unit_window[0]), float(unit_window[1]))
    path = Path(root).expanduser() / manifest
    return OwnData(path, window, accept_derived=accept_derived)
