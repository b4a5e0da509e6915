"""NAMIC Brain Multimodality: T1w and T2w brain MR of patients with schizophrenia and controls.

Source     http://hdl.handle.net/1926/1687, later insight-journal.org/midas/collection/view/190;
           neither address answers any more. The former host wrote in 2023 that the files were
           kept and would be published again (InsightSoftwareConsortium/InsightJournal, issue 169);
           until then a colleague may share them: the cases' folders as they are, or zipped as
           namic.zip on a mirror
Licence    unknown here: as stated at the source
Files      case<id>/<id>-t1w.nrrd and case<id>/<id>-t2w.nrrd, as that issue lists them (for 17
           cases, 01011 to 01044), anywhere below the raw folder; other files of a case (diffusion,
           masks) are ignored
Splits     Georgescu (IEEE Access 2020) and Pham before: 20 images, 10 to train and 10 to test, the
           same for both contrasts. Which ones is not published: the first ten by name train here
Checksums  none published; recorded when first read, in the record of the raw files

With ``second`` every scan carries the other contrast too, which must lie in the same voxels.

The papers count 176 slices of 256 x 256 pixels, 1 mm apart. Files do not state which axis that is
once they are isotropic, so slices are taken along the axis of unique length.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from thinslice.download.fetch import Remote, fetch
from thinslice.errors import listed, refused
from thinslice.interfaces import Case
from thinslice.io.archive import unpack
from thinslice.io.nrrd import SUFFIXES, files, read_nrrd, shape_of
from thinslice.io.scan import LoadedScan
from thinslice.volume import Volume

Contrast = Literal["t1w", "t2w"]


@dataclass(frozen=True)
class Namic:
    """The NAMIC data set; see the module docstring."""

    simulated = False

    contrast: Contrast
    train: int
    val: int
    test: int
    second: Contrast | None = None  # that every scan carries beside its own

    def fetch(self, raw: Path, mirror: str | None = None) -> None:
        """Unpack a mirror's ``namic.zip``; without a mirror, check that every case is there."""
        if mirror is not None:
            for archive in fetch([Remote("", "namic.zip")], raw, mirror):
                unpack(archive, raw, _is_scan)
        self.files(raw)

    def files(self, raw: Path) -> Sequence[Path]:
        """Sorted paths of all files read, the data files of detached headers included."""
        scans = [*self._scans(raw), *(self._seconds(raw).values() if self.second else ())]
        return sorted(file for scan in scans for file in files(scan))

    def cases(self, raw: Path) -> Iterator[Case]:
        """Cases by name: training, then validation, then test cases."""
        splits = ["train"] * self.train + ["val"] * self.val + ["test"] * self.test
        seconds = self._seconds(raw) if self.second else {}
        for split, scan in zip(splits, self._scans(raw)):
            number = _case_of(scan)
            loaded, thin = _read(scan), None
            source = {"thin": _source(scan, loaded)}
            if self.second:
                path = seconds[number]
                other = _read(path)
                thin = _with_second(scan, loaded.volume, path, other.volume)
                source["second"] = _source(path, other)
            yield Case(f"case{number}", f"case{number}", split, thin or loaded.volume, None, source)

    def _scans(self, raw: Path) -> list[Path]:
        """One file per case, sorted by case; Refused unless their number is that of the splits."""
        scans = _of_contrast(raw, self.contrast)
        counts = [_case_of(scan) for scan in scans]
        expected = self.train + self.val + self.test
        if len(scans) != expected:
            found = f"{len(scans)} files *-{self.contrast}.nrrd ({listed(counts) or 'none'})"
            split = f"{expected} ({self.train} train, {self.val} val, {self.test} test)"
            advice = "put the cases' folders there, or set train, val and test to what you have"
            raise refused(raw, found, split, advice)
        return scans

    def _seconds(self, raw: Path) -> dict[str, Path]:
        """The file of every case's second contrast; Refused where a case has none."""
        assert self.second is not None
        paths = {_case_of(path): path for path in _of_contrast(raw, self.second)}
        lacking = [_case_of(scan) for scan in self._scans(raw) if _case_of(scan) not in paths]
        if lacking:
            found = f"no *-{self.second}.nrrd of {listed(lacking)}"
            raise refused(raw, found, "one of each case", "put it there, or leave `second` out")
        return paths


def _of_contrast(raw: Path, contrast: Contrast) -> list[Path]:
    """Files of one contrast, sorted by case; Refused where a case has two."""
    named = [p for s in SUFFIXES for p in raw.rglob(f"*-{contrast}{s}")]
    scans = sorted(named, key=lambda p: (_case_of(p), p.as_posix()))
    duplicates = [case for case, n in Counter(_case_of(scan) for scan in scans).items() if n > 1]
    if duplicates:
        found = f"{contrast} scans twice: {listed(duplicates)}"
        raise refused(raw, found, "each case once", "remove the copies")
    return scans


def _read(scan: Path) -> LoadedScan:
    return read_nrrd(scan, modality="MR", through_plane=odd_axis(shape_of(scan)))


def _source(scan: Path, loaded: LoadedScan) -> dict[str, Any]:
    return {"path": f"{scan.parent.name}/{scan.name}", **loaded.source}


def _with_second(scan: Path, own: Volume, other: Path, second: Volume) -> Volume:
    """The scan with its second contrast; Refused unless both have the same voxels."""
    if not own.grid.same_place(second.grid):
        found = f"voxels elsewhere than those of {scan.name}"
        raise refused(other, found, "two contrasts in the same voxels", "register it, or leave it")
    return replace(own, second=second)


def odd_axis(shape: Sequence[int]) -> int | None:
    """The one axis whose length no other axis has; None if there is no such axis or several."""
    unique = [axis for axis, n in enumerate(shape) if list(shape).count(n) == 1]
    return unique[0] if len(unique) == 1 else None


def _is_scan(member: str) -> bool:
    endings = tuple(f"-{c}{s}" for c in get_args(Contrast) for s in SUFFIXES)
    return member.endswith(endings) or member.endswith((".raw", ".raw.gz"))


def _case_of(scan: Path) -> str:
    return scan.name.split("-")[0].lower()


def build(
    contrast: Contrast = "t1w",
    train: int = 10,
    val: int = 0,
    test: int = 10,
    second: Contrast | None = None,
) -> Namic:
    if contrast not in get_args(Contrast):
        raise ValueError(f"contrast is t1w or t2w, found {contrast!r}")
    if second not in (None, *get_args(Contrast)) or second == contrast:
        raise ValueError(f"second is the contrast that {contrast} is not, found {second!r}")
    if min(train, val) < 0 or test < 1:
        raise ValueError(
            f"train, val and test count cases, test at least one; found {train}, {val}, {test}"
        )
    return Namic(contrast, train, val, test, second)
