"""What every kind of training crop needs: positions in mm, blocks read as small as can be.

A pair is a thick and a thin scan of one patient in one frame, in memory or on disk. Slices are
matched by where they are, never by index: any phase and any ratio of increments will do.
"""

import hashlib
import json
from collections.abc import Sequence

import numpy as np

from thinslice.errors import Refused
from thinslice.interfaces import Pair, Scan
from thinslice.operators.interpolation import Kind, resample_z_array
from thinslice.volume import Volume, Window, window_of

SAME_MM = 1e-3  # slices closer than this are the same slice
ASIDE_MM = 0.05  # pixels closer than this are the same pixel
MARGIN = 8  # slices beyond a block by which a cubic spline forgets where it was cut


def shift_mm(pair: Pair) -> float:
    """Add to a position in the thick scan's millimetres to have it in the thin scan's.

    ValueError unless the two scans' pixels lie over one another.
    """
    thick, thin = pair.thick.grid, pair.thin.grid
    for what, tolerance in (("shape", 0), ("pixel_mm", SAME_MM / 2), ("direction", SAME_MM)):
        a, b = getattr(thick, what), getattr(thin, what)
        if not np.allclose(a, b, rtol=0, atol=tolerance):
            raise Refused(f"{pair.case}: {what} is {a} in thick but {b} in thin slices")
    offset = np.array(thin.direction) @ (np.array(thick.origin_mm) - np.array(thin.origin_mm))
    if np.abs(offset[1:]).max() > ASIDE_MM:
        raise Refused(f"{pair.case}: thick slices lie {offset[1:]} mm (y, x) aside of thin ones")
    return float(offset[0])


def whole(scan: Scan) -> Volume:
    """The whole scan in memory, its second contrast too."""
    second = whole(scan.second) if scan.second else None
    return Volume(scan.read(), scan.grid, scan.modality, scan.padding, second)


def data_key(*groups: Sequence[Pair]) -> str:
    """Hash of names, grids and middle slices of all scans: other data, other key."""
    found = hashlib.sha256()
    for group in groups:
        found.update(b"group")
        for pair in group:
            for scan in (pair.thick, pair.thin):
                k = scan.grid.n // 2
                text = json.dumps([pair.case, scan.modality, scan.grid.to_json()], sort_keys=True)
                found.update(text.encode())
                found.update(np.ascontiguousarray(scan.read(slice(k, k + 1))).tobytes())
                if scan.second:
                    k = scan.second.grid.n // 2
                    found.update(json.dumps(scan.second.grid.to_json(), sort_keys=True).encode())
                    found.update(np.ascontiguousarray(scan.second.read(slice(k, k + 1))).tobytes())
    return found.hexdigest()


def window(pair: Pair, ct: tuple[float, float]) -> Window:
    """The window of a pair, from its thick scan alone."""
    return window_of_scan(pair.thick, ct)


def window_of_scan(scan: Scan, ct: tuple[float, float]) -> Window:
    """The window of a scan, which is read only where it depends on its values."""
    return Window(*ct) if scan.modality == "CT" else window_of(whole(scan), ct)


def read_at(scan: Scan, at_mm: np.ndarray, y: slice, x: slice, kind: Kind = "cubic") -> np.ndarray:
    """Block [len(at_mm), y, x] at these positions; slices that exist are read as they are."""
    at = (at_mm - scan.grid.start_mm) / scan.grid.increment_mm
    nearest = np.rint(at).astype(int)
    off_mm = np.abs(at - nearest) * scan.grid.increment_mm
    there = off_mm.max() <= SAME_MM and nearest.min() >= 0 and nearest.max() < scan.grid.n
    margin = 0 if there else MARGIN
    last = scan.grid.n - 1
    low = int(np.clip(np.floor(at.min()) - margin, 0, last))
    high = int(np.clip(np.ceil(at.max()) + margin, 0, last)) + 1
    if there:
        low, high = int(nearest.min()), int(nearest.max()) + 1
    slab_ZYX = scan.read(slice(low, high), y, x)
    if there:
        return slab_ZYX[nearest - low]
    return resample_z_array(slab_ZYX, scan.grid.centres_mm()[low:high], at_mm, kind)


def place(n: int, side: int, rng: np.random.Generator) -> slice:
    """A random run of ``side`` out of ``n`` voxels; all of them where there are fewer."""
    start = int(rng.integers(max(n - side, 0) + 1))
    return slice(start, min(start + side, n))


def filled(block: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The block mirrored out at its ends to ``shape``, where the scan was smaller than a crop."""
    missing = [want - have for want, have in zip(shape, block.shape)]
    if not any(missing):
        return block
    return np.pad(block, [(0, m) for m in missing], mode="symmetric")
