"""Write what was restored or thickened, with its JSON statement; a thick scan has no preview.

What a thick scan replaces is replaced whole: the preview of a restored one goes too.
"""

import json
from pathlib import Path
from typing import Any

from thinslice import __version__
from thinslice.fs import transaction
from thinslice.io import files
from thinslice.io.dicom.derived_header import Derivation
from thinslice.provenance.environment import peak_memory_gib, versions
from thinslice.restoration import output, statement
from thinslice.restoration.notices import THICKENED as NOTICE
from thinslice.restoration.output import PREVIEW, STATEMENT, Output
from thinslice.restoration.restore import Result
from thinslice.restoration.thicken import Thickened

SCHEMA = Path(__file__).with_name("thickened.schema.json")
PROFILES = {
    "box": "the plain mean over its thickness",
    "gaussian": "a Gaussian with the thickness as FWHM",
    "trapezoid_bell": "a trapezoid with flanks of 1.2 mm and the thickness as FWHM",
}


def write(result: Result | Thickened, out: Path | str, *, overwrite: bool = False) -> None:
    """Write a scan that was restored or thickened to ``out``, with its statement beside it.

    out         .nii and .nii.gz are NIfTI, .zarr is OME-Zarr, else a DICOM folder; beside it are
                ``out``.thinslice.json and, of a restored scan, ``out``.preview.png
    overwrite   replace what was written here before; anything else is never replaced

    Refused (a ValueError) where ``out`` is taken (see ``Output.check``) and for values that do not
    fit the format; OSError where the disk does not take it. Then all is as it was.
    """
    if isinstance(result, Thickened):
        write_thick(result, Output.at(out, overwrite=overwrite))
    else:
        output.write(result, out, overwrite=overwrite)


def write_thick(thickened: Thickened, out: Output) -> None:
    """Write a thick scan and its statement; see ``write`` for what is refused."""
    out.finish_interrupted()
    out.check(thickened.planned.scan)
    out.refuse_foreign()
    with transaction.replacing(out.path) as new:
        scan = thickened.planned.scan
        files.write(thickened.volume, new, source=scan, derivation=derivation(thickened))
        text = json.dumps(of(thickened, new), indent=1, allow_nan=False)
        new.with_name(new.name + STATEMENT).write_text(text + "\n", encoding="utf-8")
    out.path.with_name(out.path.name + PREVIEW).unlink(missing_ok=True)


def of(thickened: Thickened, written: Path) -> dict[str, Any]:
    """The statement of a thick scan that was written; plain JSON."""
    planned, thin = thickened.planned, thickened.planned.thin
    return {
        "format": statement.FORMAT,
        "notice": NOTICE,
        "input": statement.input_of(planned.scan, thin, planned.inputs),
        "output": statement.output_of(written, thickened.volume),
        "grids": {"input": thin.grid.to_json(), "output": planned.grid.to_json()},
        "degradation": {**planned.card, "profile": PROFILES[planned.card["name"]]},
        "run": {
            "started": thickened.started.isoformat(timespec="seconds"),
            "wall_s": round(thickened.wall_s, 3),
            "peak_memory_gib": peak_memory_gib(),
        },
        "versions": {**versions(), "thinslice": __version__},
        "warnings": planned.warnings,
    }


def derivation(thickened: Thickened) -> Derivation:
    """How a DICOM series describes that it was made thick."""
    planned = thickened.planned
    thick, thin, name = planned.grid, planned.thin.grid, planned.card["name"]
    slices = f"{thick.thickness_mm:g} mm every {thick.increment_mm:g} mm"
    return Derivation(
        f"Slices of {slices}, computed by thinslice ({name} profile) from slices of "
        f"{thin.thickness_mm:g} mm every {thin.increment_mm:g} mm. {NOTICE}",
        f"thinslice thick {slices}, {name}",
        f"each slice is {PROFILES[name]}",
    )
