"""Write a store case by case, from memory, slabs or lazy arrays; hash it and rename it into place.

The bytes depend on the volumes and their metadata alone: not on the order of adding, the slabs they
came in, the time or the machine.
"""

import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import zarr
from zarr.storage import LocalStore

from thinslice.fs.atomic import sync
from thinslice.store import hashes, layout, ome, whole_cases
from thinslice.store.commit import placed
from thinslice.store.layout import FORMAT, OURS, PADDING, SECOND, VERSION, VOXELS, StoreError
from thinslice.volume import Grid, Modality, Padding, Volume

if TYPE_CHECKING:
    import dask.array as da

CASE_NAME = re.compile(r"[a-z0-9_-]+")


@contextmanager
def writing(path: Path, key: str | None = None) -> Iterator["Writer"]:
    """A writer; on a clean exit of the block the store is at ``path``, complete and hashed.

    An older store there is replaced, any other folder refused with StoreError.

    key    see ``commit.placed``: cases that an interrupted writer of this key had finished are
           there already (``Writer.cases``), and are not added again
    """
    with placed(path, key) as folder:
        writer = Writer(folder, key)
        yield writer
        writer.finish()


@dataclass(frozen=True)
class CaseWriter:
    """Adds cases to a store that another process is writing; made by ``Writer.elsewhere``."""

    folder: Path
    key: str

    def add(self, case: str, volume: Volume, **about: Any) -> None:
        """As ``Writer.add``; the writer learns of the case by ``include``."""
        root = zarr.open_group(LocalStore(self.folder), mode="r+")
        shutil.rmtree(self.folder / case, ignore_errors=True)  # of a worker that was killed
        scan = _Scan(volume.grid, volume.modality, [volume.voxels], volume.padding, volume.second)
        _write_case(root, self.folder, case, scan, about)
        whole_cases.mark(self.folder, case, self.key, about.get("split"))


class Writer:
    """Adds cases to a store that is being written; made by ``writing``."""

    def __init__(self, folder: Path, key: str | None = None) -> None:
        self._folder = folder
        self._cases: dict[str, Any] = whole_cases.read(folder, key) if key else {}  # name: split
        self._root = zarr.create_group(LocalStore(folder), zarr_format=3)
        self._elsewhere = CaseWriter(folder, key) if key else None

    @property
    def cases(self) -> frozenset[str]:
        """Names of the cases that are there."""
        return frozenset(self._cases)

    @property
    def elsewhere(self) -> CaseWriter:
        """For other processes; only a writer with a key has it."""
        assert self._elsewhere is not None, "without a key nobody would know of their cases"
        return self._elsewhere

    def include(self) -> None:
        """Learn of the cases that were added elsewhere."""
        self._cases |= whole_cases.read(self._folder, self.elsewhere.key)

    def add(self, case: str, volume: Volume, **about: Any) -> None:
        """Add a case: CT as int16 HU (rounded), MR as float32; ``about`` is any JSON."""
        scan = _Scan(volume.grid, volume.modality, [volume.voxels], volume.padding, volume.second)
        self._add(case, scan, about)

    def add_slabs(
        self,
        case: str,
        grid: Grid,
        modality: Modality,
        slabs: "Iterable[np.ndarray] | da.Array",
        *,
        padding: Padding | None = None,
        **about: Any,
    ) -> None:
        """Add a case from slabs [z, Y, X] of any thickness, in order, or a dask array [Z, Y, X].

        Only a shard's worth of slices is in memory (with dask: one per worker). A case that is
        refused, with ValueError, leaves nothing behind.
        """
        self._add(case, _Scan(grid, modality, slabs, padding, None), about)

    def _add(self, case: str, scan: "_Scan", about: Mapping[str, Any]) -> None:
        if case in self._cases:
            raise ValueError(f"case {case!r} was added already")
        _write_case(self._root, self._folder, case, scan, about)
        self._cases[case] = about.get("split")

    def show(self, case: str, grid: Grid) -> None:
        """Make the store itself an OME-Zarr image as well: the image of ``case``."""
        self._root.update_attributes({"ome": ome.image(case, grid, f"{case}/{VOXELS}")})

    def finish(self) -> None:
        """Write the list of cases, sync every file, and write the manifest last.

        A store without cases is valid: scans of which none has an acquired thick series.
        StoreError where a case is not as it was when it was whole, as two workers may leave it.
        """
        marked = whole_cases.files(self._folder, self._elsewhere.key) if self._elsewhere else {}
        cases = {name: {"split": self._cases[name]} for name in sorted(self._cases)}
        attributes = {OURS: {"format": FORMAT, "version": VERSION, "cases": cases}}
        self._root.update_attributes(attributes)
        whole_cases.forget(self._folder)
        for file in hashes.listed(self._folder).values():
            sync(file)
        hashes.write(self._folder)
        _refuse_torn(self._folder, marked)
        for name in (hashes.NAME, "."):
            sync(self._folder / name)


def _refuse_torn(folder: Path, marked: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse cases whose files are not those of their marks."""
    now: dict[str, dict[str, str]] = {case: {} for case in marked}
    for name, entry in hashes.read(folder).items():
        case, _, rest = name.partition("/")
        now.get(case, {})[rest] = entry["sha256"]
    if torn := [case for case in marked if now[case] != marked[case]]:
        raise StoreError(f"{folder}: written twice at once: {', '.join(torn)}; make it again")


class _Scan(NamedTuple):
    """A scan whose voxels may come in slabs."""

    grid: Grid
    modality: Modality
    slabs: "Iterable[np.ndarray] | da.Array"
    padding: Padding | None
    second: Volume | None


def _write_case(
    root: zarr.Group, folder: Path, case: str, scan: _Scan, about: Mapping[str, Any]
) -> None:
    """Write one case below ``folder``, whose group is ``root``; one that is refused leaves
    nothing."""
    if not CASE_NAME.fullmatch(case):
        raise ValueError(f"case {case!r}: a name is made of a-z, 0-9, _ and - alone")
    grid, modality, slabs, padding, second = scan
    try:
        ours = {"version": VERSION, "modality": modality, "grid": grid.to_json()}
        if padding is not None:
            ours[PADDING] = list(padding.values)
        if second is not None:
            ours[SECOND] = {"modality": second.modality, "grid": second.grid.to_json()}
        attributes = {"ome": ome.image(case, grid, VOXELS), OURS: {**ours, "about": dict(about)}}
        group = root.create_group(case, attributes=_plain_json(attributes))
        array = _create(group, VOXELS, grid, layout.DTYPES[modality])
        fill: Any = _fill_lazily if hasattr(slabs, "dask") else _fill
        fill(array, slabs, modality)
        if padding is not None:
            _create(group, PADDING, grid, padding.labels.dtype)[...] = padding.labels
        if second is not None:
            other = _create(group, SECOND, second.grid, layout.DTYPES[second.modality])
            _fill(other, [second.voxels], second.modality)
    except BaseException as error:
        shutil.rmtree(folder / case, ignore_errors=True)
        if isinstance(error, ValueError):
            raise ValueError(f"case {case!r}: {error}") from error
        raise


def _create(group: zarr.Group, name: str, grid: Grid, dtype: np.dtype | str) -> zarr.Array:
    return group.create_array(
        name,
        shape=grid.zyx,
        dtype=dtype,
        chunks=layout.chunk_shape(grid.zyx),
        shards=layout.shard_shape(grid.zyx),
        compressors=layout.codecs(dtype),
        fill_value=0,
        dimension_names=ome.AXES,
    )


def _fill(array: zarr.Array, slabs: Iterable[np.ndarray], modality: Modality) -> None:
    """Write whole shards at a time, since each write into a shard encodes all of it again."""
    n, *plane = array.shape
    start = 0
    for block in _of_depth(slabs, layout.shard_shape(array.shape)[0]):
        stop = start + len(block)
        if list(block.shape[1:]) != plane or stop > n:
            raise ValueError(f"slabs reach {(stop, *block.shape[1:])}, the grid is {array.shape}")
        array[start:stop] = layout.to_disk(block, modality)
        start = stop
    if start != n:
        raise ValueError(f"slabs end after {start} slices, the grid has {n}")


def _fill_lazily(array: zarr.Array, voxels: "da.Array", modality: Modality) -> None:
    import dask.array as da  # 0.3 s, only for those who bring a dask array anyway

    if voxels.shape != array.shape:
        raise ValueError(f"voxels {voxels.shape} do not match the grid {array.shape}")
    depth = layout.shard_shape(array.shape)[0]
    chunks: Any = (depth, -1, -1)
    shards = voxels.rechunk(chunks).map_blocks(
        layout.to_disk, modality, meta=np.empty((0, 0, 0), array.dtype)
    )
    da.store(shards, array, lock=False)  # no two blocks share a shard


def _of_depth(slabs: Iterable[np.ndarray], depth: int) -> Iterator[np.ndarray]:
    """The same slices in slabs of ``depth``, the last one thinner."""
    pending: list[np.ndarray] = []
    for slab in slabs:
        while len(slab):
            missing = depth - sum(map(len, pending))
            pending.append(slab[:missing])
            slab = slab[missing:]
            if sum(map(len, pending)) == depth:
                yield _joined(pending)
                pending = []
    if pending:
        yield _joined(pending)


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _plain_json(data: dict[str, Any]) -> dict[str, Any]:
    """JSON as it will be read back, with sorted keys, so that their order changes no byte."""
    try:
        return json.loads(json.dumps(data, sort_keys=True, allow_nan=False, default=_number))
    except (TypeError, ValueError) as error:
        raise ValueError(f"the metadata is not JSON: {error}") from error


def _number(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} {value!r}")
