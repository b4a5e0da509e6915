"""Pack slices of test cases, thin, thick and restored by every method, for the page's viewer."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from thinslice import store
from thinslice.fs.atomic import write_text
from thinslice.interfaces import Scan
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import record_path
from thinslice.report.pictures.slices import CAPTION, document


def slices(
    card: Mapping[str, Any],
    thin: Path | None,
    thick: Path,
    restored: Sequence[Path],
    names: Sequence[str],
    sim: str,
    out: Path,
) -> None:
    """Write the images of the restored cases, and where they lie, as JSON at ``out``.

    card        kind of the picture
    thin        store of thin volumes; None where there are no thin scans
    restored    one store a method, named by ``names`` in the same order
    sim         "sim" where the scans are simulated, or empty
    """
    inputs = {"thick": thick, **{f"restored/{name}": path for name, path in zip(names, restored)}}
    if thin:
        inputs["thin"] = thin
    with recorded_job(
        record_path(out), rule="slices", cards={"picture": card}, inputs=inputs
    ) as job:
        about = {"dataset": thick.parent.name, "degradation": thick.stem, "sim": sim}
        cases = _cases(thin, thick, dict(zip(names, restored)))
        write_text(out, json.dumps(document(cases, **about), separators=(",", ":")))
        job.output("slices", out)
        job.fact("caption", CAPTION)


def _cases(
    thin: Path | None, thick: Path, restored: Mapping[str, Path]
) -> Iterator[tuple[str, dict[str, Scan]]]:
    """Name and scans of every case that all methods restored, in the order of the first."""
    stores = {name: store.open_store(path) for name, path in restored.items()}
    thin_store = store.open_store(thin) if thin else None
    thick_store = store.open_store(thick)
    for case in next(iter(stores.values())).cases():
        if not all(case in each.cases() for each in stores.values()):
            continue
        scans: dict[str, Scan] = {"thin": thin_store.scan(case)} if thin_store else {}
        scans["thick"] = thick_store.scan(case)
        yield case, scans | {name: each.scan(case) for name, each in stores.items()}
