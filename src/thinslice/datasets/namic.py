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

The papers count 176 slices of 256 x 256 pixels, 1 mm apart. Files do not state which axis that is
once they are isotropic, so slices are taken along the axis of unique length.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from thinslice.download.fetch import Remote, fetch
from thinslice.errors import listed, refused
from thinslice.interfaces import Case
from thinslice.io.archive import unpack
from thinslice.io.nrrd import SUFFIXES, files, read_nrrd, shape_of

Contrast = Literal["t1w", "t2w"]


@dataclass(frozen=True)
class Namic:
    """The NAMIC data set; see the module docstring."""

    simulated = False

    contrast: Contrast
    train: int
    val: int
    test: int

    def fetch(self, raw: Path, mirror: str | None = None) -> None:
        """Unpack a mirror's ``namic.zip``; without a mirror, check that every case is there."""
        if mirror is not None:
            for archive in fetch([Remote("", "namic.zip")], raw, mirror):
                unpack(archive, raw, _is_scan)
        self.files(raw)

    def files(self, raw: Path) -> Sequence[Path]:
        """Sorted paths of all files read, the data files of detached headers included."""
        return sorted(file for scan in self._scans(raw) for file in files(scan))

    def cases(self, raw: Path) -> Iterator[Case]:
        """Cases by name: training, then validation, then test cases."""
        splits = ["train"] * self.train + ["val"] * self.val + ["test"] * self.test
        for split, scan in zip(splits, self._scans(raw)):
            number = _case_of(scan)
            through = odd_axis(shape_of(scan))
            loaded = read_nrrd(scan, modality="MR", through_plane=through)
            source = {"thin": {"path": f"{scan.parent.name}/{scan.name}", **loaded.source}}
            yield Case(f"case{number}", f"case{number}", split, loaded.volume, None, source)

    def _scans(self, raw: Path) -> list[Path]:
        """One file per case, sorted by case; Refused unless their number is that of the splits."""
        named = [p for s in SUFFIXES for p in raw.rglob(f"*-{self.contrast}{s}")]
        scans = sorted(named, key=lambda p: (_case_of(p), p.as_posix()))
        counts = Counter(_case_of(scan) for scan in scans)
        duplicates = [case for case, n in counts.items() if n > 1]
        if duplicates:
            found = f"{self.contrast} scans twice: {listed(duplicates)}"
            raise refused(raw, found, "each case once", "remove the copies")
        expected = self.train + self.val + self.test
        if len(scans) != expected:
            found = f"{len(scans)} files *-{self.contrast}.nrrd ({listed(list(counts)) or 'none'})"
            split = f"{expected} ({self.train} train, {self.val} val, {self.test} test)"
            advice = "put the cases' folders there, or set train, val and test to what you have"
            raise refused(raw, found, split, advice)
        return scans


def odd_axis(shape: Sequence[int]) -> int | None:
    """The one axis whose length no other axis has; None if there is no such axis or several."""
    unique = [axis for axis, n in enumerate(shape) if list(shape).count(n) == 1]
    return unique[0] if len(unique) == 1 else None


def _is_scan(member: str) -> bool:
    endings = tuple(f"-{c}{s}" for c in get_args(Contrast) for s in SUFFIXES)
    return member.endswith(endings) or member.endswith((".raw", ".raw.gz"))


def _case_of(scan: Path) -> str:
    return scan.name.split("-")[0].lower()


def build(contrast: Contrast = "t1w", train: int = 10, val: int = 0, test: int = 10) -> Namic:
    if contrast not in get_args(Contrast):
        raise ValueError(f"contrast is t1w or t2w, found {contrast!r}")
    if min(train, val) < 0 or test < 1:
        raise ValueError(
            f"train, val and test count cases, test at least one; found {train}, {val}, {test}"
        )
    return Namic(contrast, train, val, test)
