"""Scans of one method, by case: a store of the workflow, a folder of scans, or a single scan."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from thinslice.errors import AmbiguousError, Refused, in_case, refused
from thinslice.interfaces import Scan
from thinslice.io import files

ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha", ".mhd", ".zip", ".zarr")
SLAB = 16  # slices compared at a time
ONLY = "scan"  # the case of a source that is a single scan


class Source(NamedTuple):
    """What one method made.

    cases   name -> a function that opens the scan; nothing is read before
    """

    name: str
    path: Path
    cases: Mapping[str, Callable[[], Scan]]


def parse(text: str) -> tuple[str, Path]:
    """NAME=PATH as written on a command line; Refused for anything else."""
    name, equals, path = text.partition("=")
    if not (equals and name.strip() and path):
        raise Refused(
            f"{text!r} is not NAME=PATH: write a method's name and its scans, such as "
            "linear=restored/linear"
        )
    return name.strip(), Path(path)


def open_source(name: str, path: Path) -> Source:
    """The scans at ``path``, which are the restored scans of ``name``.

    A folder with a manifest is a store; one with scans or folders in it has a case for each, by
    its name; any other folder is a DICOM series, any other file an image.
    """
    if not path.exists():
        raise refused(path, "nothing there", f"the scans of {name}", "check the path")
    if (path / "manifest.json").is_file():
        return Source(name, path, _stored(path))
    if path.is_dir() and (entries := _scans_in(path)):
        return Source(name, path, {key: _reader(entry) for key, entry in entries.items()})
    return Source(name, path, {ONLY: _reader(path)})


def common_cases(sources: Sequence[Source]) -> list[str]:
    """Cases that every source has, sorted; Refused where there is none."""
    shared = sorted(set.intersection(*(set(source.cases) for source in sources)))
    if not shared:
        first, other = next(
            (a, b) for a in sources for b in sources if a is not b and set(a.cases) != set(b.cases)
        )
        raise refused(
            other.path,
            f"cases {_few(other.cases)}",
            f"one of those of {first.name}: {_few(first.cases)}",
            "give scans of one case the same name in every folder",
        )
    return shared


def scans_of(case: str, sources: Sequence[Source]) -> dict[str, Scan]:
    """The scan of a case by every source; Refused where they are not of one place and kind."""
    with in_case(case):
        scans = {source.name: source.cases[case]() for source in sources}
        (first, scan), *others = scans.items()
        for name, other in others:
            if other.modality != scan.modality:
                raise Refused(f"{name} is {other.modality}, {first} is {scan.modality}")
            if not other.grid.same_place(scan.grid, tolerance_mm=0.01):
                raise Refused(
                    f"the voxels of {name} {other.grid.zyx} lie elsewhere than those of {first} "
                    f"{scan.grid.zyx}; readers can compare restored scans of one grid only"
                )
    return scans


def same_voxels(a: Scan, b: Scan) -> bool:
    """Whether two scans of one grid hold the same values everywhere, read slab by slab."""
    slabs = (slice(k, k + SLAB) for k in range(0, a.grid.zyx[0], SLAB))
    return all(np.array_equal(a.read(slab), b.read(slab), equal_nan=True) for slab in slabs)


def _stored(path: Path) -> dict[str, Callable[[], Scan]]:
    from thinslice.store import open_store  # imports zarr: only where it is needed

    store = open_store(path)
    return {case: lambda case=case: store.scan(case) for case in store.cases()}


def _reader(path: Path) -> Callable[[], Scan]:
    return lambda: _only_scan(path)


def _only_scan(path: Path) -> Scan:
    """The scan at ``path``; Refused where there are several, since none can be chosen here."""
    try:
        return files.read(path).volume
    except AmbiguousError as error:
        found = str(error).removeprefix(f"{path}: found ").partition("; expected ")[0]
        advice = "give the folder of one of them, with its files alone"
        raise refused(path, found, "one scan", advice) from error


def _scans_in(folder: Path) -> dict[str, Path]:
    """Folders and images in a folder, by name without its ending."""
    entries: dict[str, Path] = {}
    with os.scandir(folder) as listing:
        names = sorted(entry.name for entry in listing if not entry.name.startswith("."))
    for name in names:
        ending = next((end for end in ENDINGS if name.lower().endswith(end)), "")
        if not ending and not (folder / name).is_dir():
            continue
        case = name[: len(name) - len(ending)]
        if case in entries:
            raise refused(
                folder / name, "a second scan of that name", f"one {case!r}", "remove one of them"
            )
        entries[case] = folder / name
    return entries


def _few(cases: Mapping[str, object]) -> str:
    return ", ".join(list(cases)[:3]) + (" ..." if len(cases) > 3 else "")
