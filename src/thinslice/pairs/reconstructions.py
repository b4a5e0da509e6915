"""Reconstructions in a tree of DICOM: each series, or each acquisition in it, on its grid."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from thinslice.errors import Refused, refused
from thinslice.io.acquisition import parts_of, read_of
from thinslice.io.dicom.headers import Slice
from thinslice.io.dicom.pixels import fill
from thinslice.io.dicom.read import of_slices
from thinslice.io.dicom.slice_order import stack_of
from thinslice.io.folder import Series, Tree, look
from thinslice.io.orientation import Place, place
from thinslice.volume import Grid, Volume

CHUNK, FRAMES = 32, 256  # slices decoded at a time; of a multi-frame file, which is decoded whole


class Reconstruction(NamedTuple):
    """One series, or one acquisition of it.

    slices     in order along the normal; as they come where they make no stack
    place      where they are; None where they make no regular stack
    refusal    why not
    """

    folder: Path  # that holds every image of the series
    name: str  # selects the series in its folder, as ``thinslice inspect`` prints it
    acquisition: str | None  # selects the acquisition in the series
    slices: tuple[Slice, ...]
    place: Place | None
    refusal: str | None

    @property
    def first(self) -> Slice:
        """Any slice: what is the same in all of them."""
        return self.slices[0]

    @property
    def label(self) -> str:
        """Number and description of the series, and the acquisition."""
        words = self.first.label.strip()
        return words if self.acquisition is None else f"{words}, acquisition {self.acquisition}"

    @property
    def grid(self) -> Grid:
        """The grid of a regular stack."""
        assert self.place is not None, "an irregular one is rejected before"
        return self.place.grid

    @property
    def thickness_mm(self) -> float | None:
        """As the headers say, else the increment; None where neither is known."""
        if self.first.thickness_mm is not None:
            return self.first.thickness_mm
        return self.place and round(self.place.grid.increment_mm, 6)

    def volume(self, start: int, stop: int) -> Volume:
        """Slices ``start`` to ``stop`` of the grid, two or more, as they are read for restoring."""
        n = len(self.slices)
        assert self.place is not None
        chosen = (
            self.slices[n - stop : n - start] if self.place.flipped[0] else self.slices[start:stop]
        )
        return of_slices(self.folder, chosen).volume

    def images(self) -> Iterator[np.ndarray]:
        """Every slice [Y, X] in the grid's order, HU as stored, padding and all."""
        assert self.place is not None
        ordered = self.slices[::-1] if self.place.flipped[0] else self.slices
        plain = self.place._replace(flipped=(False, *self.place.flipped[1:]))
        size = CHUNK if self.first.frame is None else FRAMES
        for start in range(0, len(ordered), size):
            chunk = ordered[start : start + size]
            voxels = np.empty((len(chunk), *self.place.grid.shape), np.float32)
            fill(plain.file_view(voxels), chunk)
            yield from voxels


def reconstructions(tree: Tree) -> list[Reconstruction]:
    """Every one in the tree, in its order; localizers, reports and captures left out."""
    found = []
    for scan, name in zip(tree.scans, tree.names()):
        if isinstance(scan, Path):
            continue
        broken = [file.name for file, _ in tree.broken_beside(scan)]
        for each in _parts(scan, name):
            if broken:
                words = f"a broken image of it or beside it: {broken[0]}, {len(broken)} in all"
                each = each._replace(place=None, refusal=each.refusal or words)
            found.append(each)
    return found


def reconstruction_at(path: Path) -> Reconstruction:
    """The only one at a path; Refused where there is none, or several."""
    every = reconstructions(look(path))
    if len(every) != 1:
        labels = [each.label for each in every]
        raise refused(path, f"{len(every)} series ({labels})", "one", "name its own folder")
    return every[0]


def _parts(series: Series, name: str) -> Iterator[Reconstruction]:
    parts = parts_of(series)
    for part in parts:
        yield _placed(series.folder, name, part.name, part.slices)
    if not parts:
        yield _placed(series.folder, name, None, read_of(series)[0])


def _placed(
    folder: Path, name: str, acquisition: str | None, slices: Sequence[Slice]
) -> Reconstruction:
    plain = Reconstruction(folder, name, acquisition, tuple(slices), None, None)
    try:
        stack = stack_of(folder, slices)
        shape = (len(slices), *slices[0].shape)
        thick_mm = slices[0].thickness_mm
        where = place(folder, stack.affine, shape, thickness_mm=thick_mm, through_plane=0)
    except Refused as error:
        words = str(error).removeprefix(f"{folder}: ").removeprefix("found ")
        return plain._replace(refusal=words)
    return plain._replace(slices=stack.slices, place=where)
