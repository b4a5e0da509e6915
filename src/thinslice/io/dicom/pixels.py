"""Decode the pixels of DICOM slices by GDCM, whatever their compression, and rescale to HU.

GDCM applies each image's own rescale slope and intercept. It has no checksum to check: a file cut
short is refused, a byte flipped inside a compressed image may not be noticed.
"""

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import SimpleITK

from thinslice.errors import refused
from thinslice.io.dicom.headers import Slice


def fill(target: np.ndarray, slices: Sequence[Slice]) -> None:
    """Rescaled values of every slice into ``target`` [slice, row, column]; Refused if broken."""
    _one_rescale_per_file(slices)
    frames = functools.lru_cache(maxsize=1)(_decoded)  # an enhanced object is decoded once
    for k, header in enumerate(slices):
        images = frames(header.path)
        index = header.frame or 0
        if index >= len(images) or images.shape[1:] != header.shape:
            found = f"decoded pixels of shape {images.shape}"
            expected = f"image {index} of {header.shape[0]} rows x {header.shape[1]} columns"
            raise refused(header.path, found, expected, "export it again")
        target[k] = images[index]
    bad = target.size - int(np.isfinite(target).sum())
    if bad:
        raise refused(
            slices[0].path.parent, f"{bad} voxels that are not finite", "HU", "export it again"
        )


def _one_rescale_per_file(slices: Sequence[Slice]) -> None:
    """Refuse a file whose frames differ in rescale: GDCM would apply one to all."""
    by_file: dict[Path, set[tuple[float, float] | None]] = {}
    for header in slices:
        by_file.setdefault(header.path, set()).add(header.rescale)
    for path, rescales in by_file.items():
        if len(rescales) > 1:
            found = f"{len(rescales)} different rescales in one multi-frame file"
            raise refused(path, found, "one", "convert it to single-frame files")


@contextmanager
def _nameable(path: Path) -> Iterator[str]:
    """The path, or another name of the same file where it is not UTF-8, which GDCM insists on."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        with path.open("rb") as file:
            yield f"/dev/fd/{file.fileno()}"
    else:
        yield str(path)


def _decoded(path: Path) -> np.ndarray:
    """[frame, row, column], a copy that outlives the reader."""
    try:
        with _nameable(path) as name:
            image = SimpleITK.ReadImage(name, imageIO="GDCMImageIO")
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1].strip()
        found = f"pixels that cannot be decoded ({path.stat().st_size} bytes; {reason})"
        raise refused(path, found, "a whole image", "copy or export it again") from error
    images = SimpleITK.GetArrayFromImage(image)
    return images if images.ndim == 3 else images[None]
