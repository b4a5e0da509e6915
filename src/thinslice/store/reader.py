"""Read a store: whole volumes, random crops of a scan on disk, or lazy arrays.

Metadata is verified against the manifest's hashes whenever it is read, the voxel files against its
sizes (a missing one would read as zeros), and every chunk against its CRC. ``verify`` hashes all.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr
from zarr.storage import LocalStore

from thinslice.store import hashes, layout
from thinslice.store.commit import MARK
from thinslice.store.layout import OURS, PADDING, SECOND, VOXELS, StoreError
from thinslice.store.shards import Shards
from thinslice.volume import Grid, Modality, Padding, Volume

if TYPE_CHECKING:
    import dask.array as da


def open_store(path: Path) -> "Store":
    """Open a complete store; StoreError, with what to do, for anything else."""
    path = Path(path)
    if not path.is_dir():
        raise StoreError(f"{path}: no store here; run the step that makes it")
    if MARK in path.name:
        raise StoreError(f"{path}: left behind by an interrupted writer; make the store again")
    if not (path / hashes.NAME).exists() and not (path / "zarr.json").exists():
        raise StoreError(f"{path}: not a thinslice store (no {hashes.NAME}); convert it first")
    files = hashes.read(path)
    return Store(path, files, _ours(path, "zarr.json", files)["cases"])


@dataclass(frozen=True)
class StoredScan:
    """A case on disk; reads float32 blocks, keeps no voxels in memory, can be pickled."""

    case: str
    grid: Grid
    modality: Modality
    array: Shards | zarr.Array = field(repr=False)
    labels: Shards | zarr.Array | None = field(default=None, repr=False)  # of padding, if any
    values: tuple[float, ...] = ()  # of the padding
    second: "StoredScan | None" = None  # another contrast of the same patient

    def read(
        self, z: slice = slice(None), y: slice = slice(None), x: slice = slice(None)
    ) -> np.ndarray:
        """A block of voxels, float32 [z, y, x]; slices as in NumPy."""
        return self._block(self.array, z, y, x, dtype=np.float32)

    def padded(
        self, z: slice = slice(None), y: slice = slice(None), x: slice = slice(None)
    ) -> np.ndarray | None:
        """Boolean [z, y, x], true where nothing was measured; None for a scan without padding."""
        return None if self.labels is None else self._block(self.labels, z, y, x) > 0

    @property
    def padding(self) -> Padding | None:
        """The padding of the whole case, in memory."""
        if self.labels is None:
            return None
        everything = (slice(None),) * 3
        return Padding(self._block(self.labels, *everything), self.values)

    def _block(
        self, array: Shards | zarr.Array, *block: slice, dtype: type | None = None
    ) -> np.ndarray:
        steps = [part.step for part in block]
        if any(step is not None and step < 1 for step in steps):
            raise ValueError(f"case {self.case!r}: a stored scan reads forwards, steps are {steps}")
        if isinstance(array, Shards):
            return array.read(*block, dtype=dtype)
        try:
            return np.asarray(array[block], dtype)
        except ValueError as error:  # the CRC of a chunk
            raise StoreError(f"{array.store_path}: {error}; make the store again") from error


@dataclass(frozen=True)
class Store:
    """A whole store, opened by ``open_store``."""

    path: Path
    files: dict[str, dict[str, Any]] = field(repr=False)  # the manifest
    listing: dict[str, dict[str, Any]] = field(repr=False)  # name: {"split": ...}

    def cases(self, split: str | None = None) -> list[str]:
        """Names of the cases, sorted; of one split where it is given."""
        rows = sorted(self.listing.items())
        return [name for name, row in rows if split is None or row["split"] == split]

    def about(self, case: str) -> dict[str, Any]:
        """The JSON that was stored with a case."""
        return self._attributes(case)["about"]

    def grid(self, case: str) -> Grid:
        """The grid of a case; reads no voxels."""
        return Grid.from_json(self._attributes(case)["grid"])

    def scan(self, case: str) -> StoredScan:
        """A case to read crops from; reuse it, since opening costs more than a small crop."""
        ours = self._attributes(case)
        array = self._blocks(f"{case}/{VOXELS}/")
        values = tuple(ours.get(PADDING, ()))
        labels = self._blocks(f"{case}/{PADDING}/") if values else None
        grid = Grid.from_json(ours["grid"])
        second = self._second(case, ours[SECOND]) if SECOND in ours else None
        return StoredScan(case, grid, ours["modality"], array, labels, values, second)

    def _second(self, case: str, ours: Mapping[str, Any]) -> StoredScan:
        array = self._blocks(f"{case}/{SECOND}/")
        return StoredScan(case, Grid.from_json(ours["grid"]), ours["modality"], array)

    def read(self, case: str) -> Volume:
        """A whole case in memory."""
        scan, second = self.scan(case), None
        if scan.second is not None:
            second = Volume(scan.second.read(), scan.second.grid, scan.second.modality)
        return Volume(scan.read(), scan.grid, scan.modality, scan.padding, second)

    def dask(self, case: str) -> "da.Array":
        """A case as a lazy float32 array [Z, Y, X] in slabs, for work that does not fit."""
        import dask.array as da  # 0.3 s that crops and whole volumes need not pay

        array = self._array(f"{self._listed(case)}/{VOXELS}/")
        slab: Any = (layout.shard_shape(array.shape)[0], *array.shape[1:])
        return da.from_array(array, chunks=slab).astype(np.float32)

    def _blocks(self, prefix: str) -> Shards | zarr.Array:
        """An array to read blocks from: straight from its shards if it is laid out as ours are."""
        array = self._array(prefix)
        names = [name.removeprefix(prefix) for name in self.files if name.startswith(prefix)]
        return Shards.of(array, self.path / prefix, names) or array

    def _array(self, prefix: str) -> zarr.Array:
        for name in (name for name in self.files if name.startswith(prefix)):
            self._refuse_other_size(name)
        hashes.check(self.path, f"{prefix}zarr.json", self.files.get(f"{prefix}zarr.json"))
        return zarr.open_array(LocalStore(self.path / prefix, read_only=True), mode="r")

    def _attributes(self, case: str) -> dict[str, Any]:
        return _ours(self.path, f"{self._listed(case)}/zarr.json", self.files)

    def _listed(self, case: str) -> str:
        """The name itself; KeyError for one that is not among the cases."""
        if case not in self.listing:
            known = ", ".join(self.cases()[:8])
            raise KeyError(f"{self.path}: no case {case!r}; it has {len(self.listing)}: {known}")
        return case

    def _refuse_other_size(self, name: str) -> None:
        file, bytes_ = self.path / name, self.files[name]["bytes"]
        size = file.stat().st_size if file.is_file() else None
        if size != bytes_:
            found = "missing" if size is None else f"{size} bytes"
            raise StoreError(f"{file}: {found}, the manifest says {bytes_}; make the store again")


def _ours(path: Path, name: str, files: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return json.loads(hashes.check(path, name, files.get(name)))["attributes"][OURS]
