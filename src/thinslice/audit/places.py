"""Find the folder a workflow ran in, to which the paths in its records are relative.

A results folder may be moved or copied whole, have another name, be a link to another disk, or be
named from anywhere: two paths are the same place if they lead to the same file.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from thinslice.errors import Refused
from thinslice.provenance.records import (
    SUFFIX,
    BrokenLinkError,
    read_record,
    record_path,
)

RESULTS = "results"


class Place(NamedTuple):
    """A folder that a workflow ran in, and a path relative to it.

    renamed   where its results lie now, if their folder has another name than it had
    """

    folder: Path
    path: Path
    renamed: Path | None = None


def place_of(file: Path) -> Place:
    """Where a record, or a result with its record beside it, was made.

    BrokenLinkError if the record in its place is of another result; Refused where it does not lie
    where its job put it, so that nothing it names can be found from there.
    """
    record = file if file.name.endswith(SUFFIX) else record_path(file)
    recorded = sorted(_recorded(file, read_record(record)))
    ways = [(folder, path) for folder in _folders(file) for path in recorded]
    for folder, path in ways:
        if _same(folder / path, file):
            return Place(folder, Path(path))
    for folder, path in ways:
        if path.startswith(f"{RESULTS}/") and _same(folder / _below_results(path), file):
            return Place(folder.parent, Path(path), folder)
    made = ", ".join(recorded)
    if RESULTS in Path(os.path.abspath(file)).parts:
        raise BrokenLinkError(f"{file} is not what its record made: {made}")
    raise Refused(
        f"{file} does not lie where its job put it ({made}); run this in the folder that holds "
        f"{RESULTS}, or move it back"
    )


@contextlib.contextmanager
def entered(file: Path) -> Iterator[Path]:
    """Make the folder that a record's paths count from the current one; the file's path in it.

    Where the results have another name now, that is a folder in which they have the old one.
    """
    place = place_of(file)
    with contextlib.ExitStack() as stack:
        folder = place.folder
        if place.renamed:
            folder = Path(stack.enter_context(TemporaryDirectory()))
            (folder / RESULTS).symlink_to(place.renamed.absolute())
        stack.enter_context(contextlib.chdir(folder))
        yield place.path


def names(content: Mapping[str, Any], file: Path) -> bool:
    """Whether a record names a file among its outputs, wherever its results folder is."""
    paths = [output["path"] for output in content["outputs"].values()]
    paths += [_below_results(path) for path in paths]
    return any(_same(folder / path, file) for folder in _folders(file) for path in paths)


def results_of(file: Path) -> Path | None:
    """The nearest folder called ``results`` above a file; None if there is none."""
    folders = [*Path(os.path.abspath(file)).parents, *file.resolve().parents]
    return next((folder for folder in folders if folder.name == RESULTS), None)


def _below_results(path: str) -> str:
    """A recorded path without its first folder, ``results``; any other path as it is."""
    return path.removeprefix(f"{RESULTS}/")


def _recorded(file: Path, content: Mapping[str, Any]) -> Iterator[str]:
    """The paths that a file may have by its record: an output's, or beside an output."""
    outputs = [Path(output["path"]) for output in content["outputs"].values()]
    if not file.name.endswith(SUFFIX):
        yield from map(str, outputs)
        return
    yield from {str(path.parent / file.name) for path in outputs}
    if not outputs:  # fetch makes no file besides its record
        parts = Path(os.path.abspath(file)).parts
        if RESULTS in parts:
            last = len(parts) - 1 - parts[::-1].index(RESULTS)
            yield str(Path(*parts[last:]))


def _folders(file: Path) -> Iterable[Path]:
    """Folders that the paths of a record may count from, the likeliest first."""
    named = Path(os.path.abspath(file))
    return dict.fromkeys([*named.parents, *file.resolve().parents, Path.cwd()])


def _same(a: Path, b: Path) -> bool:
    try:
        return a.samefile(b)
    except OSError:
        return os.path.abspath(a) == os.path.abspath(b)  # a result that is missing
