"""Learning from the scan that is restored: what names the scan, and where checkpoints are kept."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from thinslice.interfaces import Run
from thinslice.volume import Volume


def digest(thick: Volume) -> str:
    """Hash of all voxels and the grid."""
    made = hashlib.sha256(json.dumps(asdict(thick.grid), sort_keys=True).encode())
    made.update(np.ascontiguousarray(thick.voxels).tobytes())
    return made.hexdigest()


@contextmanager
def checkpoints_of(run: Run) -> Iterator[Path]:
    """Folder of checkpoints: that of the run, else a temporary one."""
    if run.work is not None:
        yield run.work
        return
    with TemporaryDirectory(prefix="thinslice-") as folder:
        yield Path(folder)
