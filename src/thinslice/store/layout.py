"""How a store lies on disk: names, version, number types, chunks and codecs.

    <store>/zarr.json         our format version and the list of cases
    <store>/manifest.json     sha256 and size of every other file
    <store>/<case>/zarr.json  an OME-Zarr image, and under "thinslice" what OME-Zarr cannot hold
    <store>/<case>/0/         the voxels [Z, Y, X]: int16 HU for CT, float32 for MR
    <store>/<case>/padding/   where there is padding, its labels [Z, Y, X]; values: "padding" of
                              our attributes. The voxels hold a fill there (``volume.filled``)
    <store>/<case>/second/    where there is a second contrast, its voxels [Z, Y, X]; grid and
                              modality: "second" of our attributes. Its padding is not kept

A shard (one file) holds chunks; a crop reads only the chunks it touches. Sizes were chosen by
measuring random crops 16 x 256 x 256 and 4 x 256 x 256 from 300 x 512 x 512: chunks of
16 x 128 x 128 were fastest for the first and within noise for the second, among 4, 8 and 16 deep
and 128 and 256 wide. Every chunk carries a CRC, so a flipped bit stops the read that meets it.
"""

from math import ceil, prod

import numpy as np
from zarr.codecs import BloscCodec, Crc32cCodec

from thinslice.errors import Refused, ThinsliceError
from thinslice.volume import Modality, to_int16

FORMAT = "thinslice-store"
VERSION = 1
OURS = "thinslice"  # our name among the attributes of a group
VOXELS = "0"  # the one level of each image, as OME-Zarr numbers them
PADDING = "padding"  # the array of labels, and the attribute with their values
SECOND = "second"  # the array of another contrast, and the attribute with its grid and modality
DTYPES: dict[Modality, str] = {"CT": "int16", "MR": "float32"}

CHUNK = (16, 128, 128)
SHARD = (64, 512, 512)

Shape = tuple[int, int, int]


class StoreError(ThinsliceError, ValueError):
    """A store that is refused: missing, half-written, damaged, foreign or of another version."""


def chunk_shape(zyx: tuple[int, ...]) -> Shape:
    """Even chunks of at most CHUNK, and never larger than the volume."""
    z, y, x = (ceil(n / ceil(n / most)) for n, most in zip(zyx, CHUNK, strict=True))
    return z, y, x


def shard_shape(zyx: tuple[int, ...]) -> Shape:
    """Whole chunks, up to SHARD, and no more of them than the volume has."""
    chunks = chunk_shape(zyx)
    z, y, x = (
        chunk * min(ceil(n / chunk), most // chunk)
        for n, chunk, most in zip(zyx, chunks, SHARD, strict=True)
    )
    return z, y, x


def codecs(dtype: np.dtype | str) -> list:
    """What each chunk goes through; of the measured codecs the smallest on CT."""
    size = np.dtype(dtype).itemsize
    blosc = BloscCodec(typesize=size, cname="zstd", clevel=5, shuffle="bitshuffle")
    return [blosc, Crc32cCodec()]


def to_disk(voxels: np.ndarray, modality: Modality) -> np.ndarray:
    """Values as stored: CT rounded to int16 HU, MR as float32; refuses what does not fit."""
    if modality == "CT":
        return to_int16(voxels)
    bad = prod(voxels.shape) - int(np.isfinite(voxels).sum())
    if bad:
        raise Refused(f"{bad} voxels are not finite numbers")
    return np.asarray(voxels, np.float32)
