"""Label maps of a data set's thin scans, in one file: NumPy's .npz, an array for each case."""

import json
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from thinslice.errors import Refused, in_one_line
from thinslice.fs.atomic import replacing

HEAD = "structures"  # no case is called so


def write(path: Path, structures: Sequence[str], maps: Iterable[tuple[str, np.ndarray]]) -> None:
    """Write label maps, one after the other; the same maps are the same bytes.

    structures   names of the labels 1, 2, ...; 0 is none
    maps         case and labels uint8 [Z, Y, X]
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    head = np.frombuffer(json.dumps(list(structures)).encode(), np.uint8)
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as file:
        for name, array in ((HEAD, head), *_checked(maps, len(structures))):
            info = zipfile.ZipInfo(f"{name}.npy")  # of 1980
            info.compress_type = zipfile.ZIP_DEFLATED
            with file.open(info, "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)


def _checked(
    maps: Iterable[tuple[str, np.ndarray]], structures: int
) -> Iterable[tuple[str, np.ndarray]]:
    for case, labels in maps:
        if labels.dtype != np.uint8 or labels.ndim != 3 or int(labels.max(initial=0)) > structures:
            raise Refused(
                f"case {case}: found labels {labels.dtype} {labels.shape} up to {labels.max()}; "
                f"expected uint8 [Z, Y, X] up to {structures}"
            )
        yield case, labels


class LabelMaps:
    """The label maps in a file; Refused where it is none, or is damaged."""

    def __init__(self, path: Path):
        self.path = path
        self.structures: tuple[str, ...] = tuple(json.loads(self._array(HEAD).tobytes()))

    def of(self, case: str) -> np.ndarray:
        """Labels of a case, uint8 [Z, Y, X]."""
        return self._array(case)

    def _array(self, name: str) -> np.ndarray:
        try:
            with in_one_line(self.path), np.load(self.path, allow_pickle=False) as file:
                return file[name]
        except (KeyError, ValueError, zipfile.BadZipFile, EOFError) as error:
            raise Refused(f"{self.path}: found no whole labels of {name!r} ({error})") from error
