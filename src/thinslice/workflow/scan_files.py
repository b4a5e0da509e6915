"""List the files that reading a scan may open: one answer for the reader and for planning.

A scan is a file, or a folder with all that lies below it. Links to files are followed, as is a link
that is named itself; links to folders inside of a folder are not. Hidden files, companions such as
DICOMDIR or *.txt, and stores are passed over by their names; to an image file belong the JSON
beside it and the file that holds its voxels. Standard library only: planning uses it too.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

STORE = ".zarr"
IMAGES = (".nii.gz", ".nii", ".hdr", ".img", ".nrrd", ".nhdr", ".mha", ".mhd")
HALVES = {".hdr": ".img", ".img": ".hdr", ".HDR": ".IMG", ".IMG": ".HDR"}
VOXELS_OF = re.compile(
    rb"^(?:ElementDataFile[ \t]*=|data ?file[ \t]*:=?)[ \t]*([^\r\n]+)",
    re.MULTILINE | re.IGNORECASE,
)
HEADERS = (".mhd", ".nhdr")  # texts that name the file of their voxels
HEADER_BYTES = 1 << 16
SIDECAR = ".json"
COMPANIONS = (".txt", ".json", ".xml", ".csv", ".md", ".pdf", ".html", ".png", ".jpg")
COMPANION_NAMES = {"DICOMDIR", "LICENSE", "VERSION", "README", "LOCKFILE"}
COMPANION_NAMES |= {"THUMBS.DB", "DESKTOP.INI", "AUTORUN.INF", "__MACOSX"}


def scan_files(path: Path) -> list[Path]:
    """Every file that reading the scan at ``path`` may open, sorted; none is opened here.

    Links that lead nowhere are left out. OSError for a folder that cannot be listed.
    """
    files = [f for f in files_below(path) if f.is_file()] if path.is_dir() else [path]
    return sorted({*files, *(beside for file in files for beside in _beside(file))})


def files_below(path: Path) -> list[Path]:
    """Every file below a folder that may be part of a scan, sorted."""
    return sorted(top / name for top, _, names in walk(path) for name in names)


def walk(path: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Folder, names of its folders and of its plain files; no link to a folder is followed."""
    if path.name.endswith(STORE):
        return
    for top, folders, names in os.walk(path, onerror=_raise):
        visible = sorted(name for name in folders if not is_companion(name))
        folders[:] = [name for name in visible if not name.endswith(STORE)]
        plain = [name for name in names if not is_companion(name)]
        yield Path(top), visible, [name for name in plain if _is_file(Path(top, name))]


class PassedOver(NamedTuple):
    """What ``walk`` does not go into or give, from the folder: links to folders, companions."""

    links: tuple[str, ...]
    files: tuple[str, ...]  # hidden ones are not among them


def passed_over(path: Path) -> PassedOver:
    """What is below a folder, and not opened, sorted; of a file nothing. OSError as of ``walk``."""
    links: list[Path] = []
    files: list[Path] = []
    if not path.is_dir():
        return PassedOver((), ())
    for top, folders, _ in walk(path):
        links += [top / name for name in folders if (top / name).is_symlink()]
        with os.scandir(top) as entries:
            names = [each.name for each in entries if not each.is_dir()]
        files += [top / name for name in names if is_companion(name) and name[0] != "."]
    return PassedOver(_from(path, links), _from(path, files))


def _from(path: Path, found: list[Path]) -> tuple[str, ...]:
    return tuple(sorted(each.relative_to(path).as_posix() for each in found))


def is_companion(name: str) -> bool:
    """Whether a file or folder is no scan by its name: hidden, or a usual companion of scans."""
    return (
        name.startswith(".") or name.lower().endswith(COMPANIONS) or name.upper() in COMPANION_NAMES
    )


def _beside(file: Path) -> Iterator[Path]:
    """The files that belong to an image file: its sidecar, its other half, its voxels."""
    ending = next((end for end in IMAGES if file.name.lower().endswith(end)), None)
    if ending is None:
        return
    names = [file.name[: -len(ending)] + SIDECAR]
    if file.suffix in HALVES:
        names.append(file.with_suffix(HALVES[file.suffix]).name)
    if ending in HEADERS:
        names += _named_in(file)
    yield from (path for name in names if (path := file.parent / name).is_file())


def _named_in(header: Path) -> list[str]:
    """The file that holds the voxels of a text header, named from its folder."""
    try:
        with header.open("rb") as file:
            named = VOXELS_OF.search(file.read(HEADER_BYTES))
    except OSError:
        return []
    name = named[1].decode(errors="replace").strip() if named else ""
    return [name] if name else []


def _is_file(path: Path) -> bool:
    """Whether it is a file, or a broken link, which is reported as an unreadable file."""
    return path.is_file() or path.is_symlink()


def _raise(error: OSError) -> None:
    raise error
