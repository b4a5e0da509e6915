"""Write a restored scan with its JSON statement and preview, atomically.

OUT is renamed into place last: where it exists, everything exists. While it is being made there is
nothing but a hidden folder; a kill between the renames leaves a statement without a scan, never a
scan with the statement of another, and the next call makes the remaining renames.
"""

import json
import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from thinslice.errors import refused
from thinslice.fs import transaction
from thinslice.io import files, images
from thinslice.io.acquired import AcquiredScan
from thinslice.io.dicom.derived_header import Derivation
from thinslice.io.scan import LoadedScan
from thinslice.report.pictures import preview
from thinslice.restoration import checkpoints, disk_space, statement
from thinslice.restoration.checkpoints import Checkpoints
from thinslice.restoration.restore import Plan, Result
from thinslice.volume import Grid, Modality

STATEMENT, PREVIEW = ".thinslice.json", ".preview.png"


def write(restored: Result, out: Path | str, *, overwrite: bool = False) -> None:
    """Write a restored scan to ``out``, with its statement and a preview beside it.

    out         .nii and .nii.gz are NIfTI, .zarr is OME-Zarr, else a DICOM folder; the others are
                ``out``.thinslice.json and ``out``.preview.png
    overwrite   replace what was written here before; anything else is never replaced

    Refused (a ValueError) where ``out`` is taken (see ``Output.check``) and for values that do not
    fit the format; OSError where the disk does not take it. Then all is as it was.
    """
    Output.at(out, overwrite=overwrite).write(restored)


@dataclass(frozen=True)
class Output:
    """Where a restored scan goes; made by ``Output.at``."""

    path: Path
    overwrite: bool

    @classmethod
    def at(cls, out: Path | str, *, overwrite: bool = False) -> "Output":
        """The output that ``out`` names, resolved once; Refused for a path without a name."""
        path = transaction.resolve(out)
        if not path.name:
            raise refused(path, "no name", "the name of a file or folder", "choose one")
        return cls(path, overwrite)

    def finish_interrupted(self) -> bool:
        """Finish the renames of a run that was killed between them; whether there were any."""
        return transaction.finish_interrupted(self.path)

    def check(self, scan: LoadedScan | AcquiredScan | None = None) -> None:
        """Refuse, before anything is computed, what ``write`` would refuse.

        That is a path that is taken, unless ``overwrite`` and by an earlier output; the scan's own
        files or a path in their folder; and a folder that cannot be written.
        """
        files.refuse_taken(self.path, source=scan, overwrite=self.overwrite)
        if scan:
            self.refuse_foreign()
            files.refuse_unfit(self.path, scan)
        if scan and len(scan.files) > 1 and scan.source["format"] not in images.FORMATS:
            self.check_outside(Path(os.path.commonpath(scan.files)))
        self._refuse_companions()
        self._refuse_unwritable()

    def check_room(self, planned: Plan) -> None:
        """Refuse a disk with less free space than the restored scan needs for certain."""
        self.refuse_full(planned.grid, planned.thick.modality)

    def refuse_full(self, grid: Grid, modality: Modality) -> None:
        """Refuse a disk with less free space than slices on ``grid`` need for certain."""
        disk_space.refuse_full(self.path, grid, modality)

    def checkpoints(self, planned: Plan) -> AbstractContextManager[Checkpoints]:
        """The checkpoints of this output, locked during the block; see ``checkpoints.locked``."""
        return checkpoints.locked(self.path, planned)

    def write(self, restored: Result) -> None:
        """Write the scan and its companions; see ``write`` for what is refused."""
        planned = restored.planned
        self.finish_interrupted()
        self.check(planned.scan)
        self.refuse_foreign()  # where there is no scan too, but an array
        with transaction.replacing(self.path) as new:
            files.write(restored.volume, new, source=planned.scan, derivation=derivation(restored))
            statement_path, preview_path = _companions(new)
            preview.draw(
                planned.thick,
                restored.volume,
                preview_path,
                trust=restored.trust.to_json(),
                title=f"{planned.chosen.card['name']}: ",
                warnings=restored.warnings,
            )
            text = json.dumps(statement.of(restored, new), indent=1)
            statement_path.write_text(text + "\n", encoding="utf-8")

    def check_outside(self, folder: Path) -> None:
        """Refuse an output that is the scan's own folder, or lies in it."""
        scan, out = folder.resolve(), self.path.resolve()
        if scan == out or scan in out.parents:
            found = f"a place in {folder}, which holds the scan"
            raise refused(self.path, found, "a place beside it", "choose another name")

    def refuse_foreign(self) -> None:
        """Refuse to replace what no statement says to be ours: perhaps the only copy of a scan."""
        told = _companions(self.path)[0]
        if transaction.holds_something(self.path) and not told.is_file():
            found = f"something there already, without {told.name}"
            advice = "choose another name, or move it away"
            raise refused(self.path, found, "what thinslice wrote, to overwrite it", advice)

    def _refuse_companions(self) -> None:
        for path in _companions(self.path):
            if path.is_dir():
                advice = "choose another name for the scan"
                raise refused(path, "a folder", "a file or nothing", advice)
            if os.path.lexists(path) and not self.overwrite:
                found = "something there already"
                raise refused(path, found, "a new name", "choose one, or add --overwrite")

    def _refuse_unwritable(self) -> None:
        folder = next(above for above in self.path.parents if os.path.lexists(above))
        if not folder.is_dir():
            found = f"{folder}, which is no folder"
            raise refused(self.path, found, "a folder", "choose another name")
        if not os.access(folder, os.W_OK | os.X_OK):
            found = f"no permission to write into {folder}"
            raise refused(self.path, found, "a folder of your own", "choose another name")


def derivation(restored: Result) -> Derivation:
    """How a DICOM series describes that it was restored."""
    planned = restored.planned
    thick, thin, name = planned.thick.grid, planned.grid, planned.chosen.card["name"]
    slices = f"{thin.thickness_mm:g} mm every {thin.increment_mm:g} mm"
    rounded = restored.precision if restored.precision != "fp32" else None
    by = f"{name}, in {rounded}" if rounded else name
    return Derivation(
        f"Slices of {slices}, computed by thinslice ({by}) from slices of {thick.thickness_mm:g} "
        f"mm every {thick.increment_mm:g} mm. {statement.NOTICE}",
        f"thinslice {slices}, {name}",
        f"{planned.chosen.about.title} ({planned.chosen.fidelity})",
    )


def _companions(out: Path) -> tuple[Path, Path]:
    return out.with_name(out.name + STATEMENT), out.with_name(out.name + PREVIEW)
