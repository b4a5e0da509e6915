"""A restored scan into its place, with what is said of it and a picture of it beside.

OUT is renamed into its place last: where it stands, everything stands. While it is being made there
is nothing but a hidden folder; a kill between the renames leaves a statement without a scan, never
a scan with the statement on another, and the next call makes the renames that are left.
"""

import json
import os
from pathlib import Path

from thinslice.errors import refused
from thinslice.fs.transaction import beside, go_on, real_place
from thinslice.io import files
from thinslice.io.dicom.derived_header import Derivation
from thinslice.io.scan import LoadedScan
from thinslice.report.pictures import preview
from thinslice.restoration import statement
from thinslice.restoration.restore import Result

STATEMENT, PREVIEW = ".thinslice.json", ".preview.png"


def write(restored: Result, out: Path | str, *, overwrite: bool = False) -> None:
    """The restored scan at ``out``, with its statement and a picture of it beside.

    out         .nii and .nii.gz are NIfTI, .zarr is OME-Zarr, else a DICOM folder; the others are
                ``out``.thinslice.json and ``out``.preview.png
    overwrite   replace what was written here before; anything else is never replaced

    Raises Refused where the place is taken (see ``refuse_place``), ValueError for values that do
    not fit, OSError where the disk does not take it; then all is as it was.
    """
    out = real_place(out)
    planned = restored.planned
    go_on(out)
    refuse_place(out, planned.scan, overwrite=overwrite)
    with beside(out) as new:
        made_of = derivation(restored)
        files.write(restored.volume, new, source=planned.scan, derivation=made_of)
        said, picture = _companions(new)
        preview.draw(
            planned.thick,
            restored.volume,
            picture,
            trust=restored.trust.to_json(),
            title=f"{planned.chosen.card['name']}: ",
            warnings=restored.warnings,
        )
        text = json.dumps(statement.of(restored, new), indent=1)
        said.write_text(text + "\n", encoding="utf-8")


def refuse_place(
    out: Path | str, scan: LoadedScan | None = None, *, overwrite: bool = False
) -> None:
    """Refuse, before anything is computed, a place that ``write`` would refuse.

    That is: one that is taken, unless ``overwrite`` and by what was written here before; the scan's
    own files or a place among them; one where nothing may be written.
    """
    out = real_place(out)
    if not out.name:
        raise refused(out, "no name", "the name of a file or folder", "choose one")
    files.refuse_taken(out, source=scan, overwrite=overwrite)
    if scan and len(scan.files) > 1:
        refuse_inside(out, Path(os.path.commonpath(scan.files)))
    _refuse_companions(out, overwrite)
    _refuse_unwritable(out)


def refuse_inside(out: Path, folder: Path) -> None:
    """Refuse a place that is the scan's own folder, or lies in it."""
    own = folder.resolve()
    if own == out.resolve() or own in out.resolve().parents:
        found = f"a place in {folder}, which holds the scan"
        raise refused(out, found, "a place beside it", "choose another name")


def derivation(restored: Result) -> Derivation:
    """What a DICOM series says of its making."""
    planned = restored.planned
    thick, thin, name = planned.thick.grid, planned.grid, planned.chosen.card["name"]
    slices = f"{thin.thickness_mm:g} mm every {thin.increment_mm:g} mm"
    return Derivation(
        f"Slices of {slices}, computed by thinslice ({name}) from slices of {thick.thickness_mm:g} "
        f"mm every {thick.increment_mm:g} mm. {statement.NOTICE}",
        f"thinslice {slices}, {name}",
        f"{planned.chosen.about.title} ({planned.chosen.fidelity})",
    )


def _companions(out: Path) -> tuple[Path, Path]:
    return out.with_name(out.name + STATEMENT), out.with_name(out.name + PREVIEW)


def _refuse_companions(out: Path, overwrite: bool) -> None:
    for path in _companions(out):
        if path.is_dir():
            raise refused(path, "a folder", "a file or nothing", "choose another name for the scan")
        if os.path.lexists(path) and not overwrite:
            raise refused(path, "something there already", "a new name", "choose one, or overwrite")


def _refuse_unwritable(out: Path) -> None:
    folder = out.parent
    while not os.path.lexists(folder):
        folder = folder.parent
    if not folder.is_dir():
        raise refused(out, f"{folder}, which is no folder", "a folder", "choose another name")
    if not os.access(folder, os.W_OK | os.X_OK):
        found = f"no permission to write into {folder}"
        raise refused(out, found, "a folder of your own", "choose another name")
