"""Read blocks of an array of ours straight from its shards: what zarr reads, every chunk checked.

Zarr's own reading takes as long in Python as in decoding, which random crops of training feel. (The
package ``zarrs`` is as fast as this, but reads chunks whose CRC is wrong.) A shard is a file of
chunks with an index at its end: offset and length of every chunk, two uint64 each, and their CRC.
A chunk is blosc and a CRC; one that holds only zeros is not there, nor is a shard of them.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, product
from math import prod
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import zarr
from google_crc32c import value as crc32c
from numcodecs.blosc import Blosc
from zarr.codecs import ShardingCodec

from thinslice.store.layout import Shape, StoreError, codecs

ABSENT = 2**64 - 1
CRC = 4  # bytes
BLOSC = Blosc()


class _Piece(NamedTuple):
    """A chunk that a block touches."""

    shard: Shape
    number: int  # of the chunk in its shard
    target: tuple[slice, ...]  # in the block
    source: tuple[slice, ...]  # in the chunk


@dataclass(frozen=True)
class Shards:
    """An array [Z, Y, X] on disk; keeps the shards' indices, no voxels; can be pickled.

    files   names below ``folder`` that are there by the manifest
    """

    folder: Path
    files: frozenset[str] = field(repr=False)
    shape: Shape
    chunk: Shape
    shard: Shape
    dtype: np.dtype
    indices: dict[Shape, np.ndarray | None] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, array: zarr.Array, folder: Path, files: Iterable[str]) -> "Shards | None":
        """The shards of a zarr array; None where it is not laid out as ours are."""
        used = array.metadata.codecs  # pyright: ignore[reportAttributeAccessIssue]
        if array.ndim != 3 or array.shards is None or len(used) != 1 or array.fill_value != 0:
            return None
        (sharding,) = used
        ours = codecs(array.dtype)
        same = (
            isinstance(sharding, ShardingCodec)
            and sharding.codecs[1:] == tuple(ours)
            and str(sharding.index_location.value) == "end"
            and array.dtype.byteorder in "=<|"
        )
        if not same:
            return None
        shape, chunk, shard = (_three(side) for side in (array.shape, array.chunks, array.shards))
        return cls(folder, frozenset(files), shape, chunk, shard, array.dtype)

    def read(self, *block: slice, dtype: type | None = None) -> np.ndarray:
        """Voxels [z, y, x] of forward slices, as ``dtype``; StoreError for a torn chunk."""
        spans = [part.indices(n) for part, n in zip(block, self.shape, strict=True)]
        sides = [range(start, max(start, stop)) for start, stop, _ in spans]
        out = np.zeros([len(side) for side in sides], dtype or self.dtype)
        decoded = np.empty(self.chunk, self.dtype)
        for shard, pieces in groupby(self._pieces(sides), key=attrgetter("shard")):
            self._fill(out, decoded, shard, pieces)
        steps = tuple(slice(None, None, step) for _, _, step in spans)
        return out[steps]

    def _pieces(self, sides: list[range]) -> Iterator[_Piece]:
        """Every chunk between the ends of the sides, those of one shard after another."""
        if not all(map(len, sides)):
            return
        per_shard = [shard // chunk for shard, chunk in zip(self.shard, self.chunk)]
        numbers = [range(side[0] // n, side[-1] // n + 1) for side, n in zip(sides, self.chunk)]
        for at in sorted(product(*numbers), key=lambda c: _divided(c, per_shard)):
            shard = _divided(at, per_shard)
            inner = [k % n for k, n in zip(at, per_shard)]
            low = [max(k * n, side[0]) for k, n, side in zip(at, self.chunk, sides)]
            high = [min(k * n + n, side[-1] + 1) for k, n, side in zip(at, self.chunk, sides)]
            target = tuple(slice(a - s[0], b - s[0]) for a, b, s in zip(low, high, sides))
            source = tuple(
                slice(a - k * n, b - k * n) for a, b, k, n in zip(low, high, at, self.chunk)
            )
            yield _Piece(shard, int(np.ravel_multi_index(inner, per_shard)), target, source)

    def _fill(
        self, out: np.ndarray, decoded: np.ndarray, shard: Shape, pieces: Iterable[_Piece]
    ) -> None:
        name = "c/" + "/".join(map(str, shard))
        if name not in self.files:
            return  # zeros
        file = self.folder / name
        try:
            descriptor = os.open(file, os.O_RDONLY)
        except FileNotFoundError as error:
            raise StoreError(f"{file}: missing; make the store again") from error
        try:
            index = self._index(file, descriptor, shard)
            for piece in pieces:
                offset, length = map(int, index[piece.number])
                if offset == ABSENT:
                    continue
                packed = _checked(file, os.pread(descriptor, length, offset), length)
                BLOSC.decode(packed, out=decoded)
                out[piece.target] = decoded[piece.source]
        except RuntimeError as error:  # of blosc
            raise StoreError(f"{file}: {error}; make the store again") from error
        finally:
            os.close(descriptor)

    def _index(self, file: Path, descriptor: int, shard: Shape) -> np.ndarray:
        """Offset and length [chunks, 2] of the shard's chunks."""
        index = self.indices.get(shard)
        if index is None:
            n = prod(self.shard) // prod(self.chunk)
            size = 16 * n + CRC
            end = os.fstat(descriptor).st_size
            packed = _checked(file, os.pread(descriptor, size, max(0, end - size)), size)
            index = self.indices[shard] = np.frombuffer(packed, "<u8").reshape(n, 2)
        return index


def _checked(file: Path, data: bytes, length: int) -> memoryview:
    """The data before its CRC; StoreError where it is not as it was written."""
    body = memoryview(data)[:-CRC]
    if len(data) != length or crc32c(bytes(body)) != int.from_bytes(data[-CRC:], "little"):
        raise StoreError(f"{file}: the checksum of a chunk does not match; make the store again")
    return body


def _divided(at: tuple[int, ...], by: list[int]) -> Shape:
    return _three(k // n for k, n in zip(at, by))


def _three(sides: Iterable[int]) -> Shape:
    z, y, x = sides
    return z, y, x
