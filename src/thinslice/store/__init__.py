"""Volumes on disk: one zarr store per data set or result, one OME-Zarr image per case.

Only this room knows zarr. ``writing`` makes a store that is whole or not there at all;
``open_store`` reads whole volumes, random crops or lazy arrays from it; ``write_scan`` and
``open_scan`` do so for one scan alone; ``digest`` names a store's content in one hash and
``verify`` finds any byte that changed since.
"""

from thinslice.store.commit import refuse_foreign
from thinslice.store.hashes import digest, verify
from thinslice.store.layout import StoreError
from thinslice.store.reader import Store, StoredScan, open_store
from thinslice.store.single import open_scan, write_scan
from thinslice.store.writer import CaseWriter, Writer, writing

__all__ = [
    "CaseWriter",
    "Store",
    "StoreError",
    "StoredScan",
    "Writer",
    "digest",
    "open_scan",
    "open_store",
    "refuse_foreign",
    "verify",
    "write_scan",
    "writing",
]
