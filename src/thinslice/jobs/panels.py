"""Show one test case of a dataset: thin, thick and restored by every method."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from thinslice import store
from thinslice.columns import csv_text
from thinslice.fs.atomic import write_text
from thinslice.jobs import patch_scores
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import record_path
from thinslice.report.pictures import panels as whole
from thinslice.report.pictures import patches

KINDS = {"panels": whole, "patches": patches}


def panels(
    card: Mapping[str, Any],
    thin: Path | None,
    thick: Path,
    restored: Sequence[Path],
    names: Sequence[str],
    sim: str,
    out: Path,
) -> None:
    """Draw the first restored case, whole or in patches, as PNG at ``out`` and PDF beside it.

    The PSNR and SSIM of patches go into a CSV beside them.

    card        kind and settings of the picture
    thin        store of thin volumes; None where there are no thin scans
    restored    one store a method, named by ``names`` in the same order
    sim         "sim" where the scans are simulated, or empty
    """
    inputs = {"thick": thick, **{f"restored/{name}": path for name, path in zip(names, restored)}}
    if thin:
        inputs["thin"] = thin
    with recorded_job(
        record_path(out), rule="panels", cards={"picture": card}, inputs=inputs
    ) as job:
        stores = [store.open_store(path) for path in restored]
        case = stores[0].cases()[0]
        thin_volume = store.open_store(thin).read(case) if thin else None
        thick_volume = store.open_store(thick).read(case)
        volumes = dict(zip(names, (each.read(case) for each in stores)))
        settings = {"case": case, "sim": sim, **card["settings"]}
        if card["kind"] == "patches" and thin_volume:
            boxes, csv = card["settings"]["boxes"], out.with_suffix(".csv")
            scores = patch_scores.scores_of(thin_volume, thick_volume, volumes, boxes)
            dataset = out.stem.removeprefix("patches_")
            rows = patch_scores.rows_of(scores, boxes, case, dataset)
            write_text(csv, csv_text(rows))
            job.output("scores", csv)
            settings["scores"] = scores
        picture = KINDS[card["kind"]]
        picture.draw(thin_volume, thick_volume, volumes, out.with_suffix(""), **settings)
        job.output("png", out)
        job.output("pdf", out.with_suffix(".pdf"))
        job.fact("caption", picture.CAPTION)
