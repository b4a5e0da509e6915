"""Read and write a single scan as OME-Zarr: a store of one case, whose root is its image too.

A store's images are its groups; a viewer given the store itself would find none. Here the root is
an image too and points at the case's array, so ``OUT.zarr`` opens as it is, and is still a store.
"""

from pathlib import Path
from typing import Any

from thinslice.store.layout import StoreError
from thinslice.store.reader import StoredScan, open_store
from thinslice.store.writer import writing
from thinslice.volume import Volume

CASE = "scan"


def write_scan(path: Path, volume: Volume, **about: Any) -> None:
    """The scan as the one case of a store; an older store at ``path`` is replaced.

    about    any JSON, kept beside the scan

    StoreError where ``path`` is something else, ValueError for values that do not
    fit.
    """
    with writing(path) as writer:
        writer.add(CASE, volume, **about)
        writer.show(CASE, volume.grid)


def open_scan(path: Path) -> StoredScan:
    """The only case of a store, on disk; StoreError where there are more or none."""
    store = open_store(path)
    cases = store.cases()
    if len(cases) != 1:
        names = ", ".join(cases[:5]) or "none"
        raise StoreError(f"{path}: {len(cases)} scans ({names}), expected one; it is a data set")
    return store.scan(cases[0])
