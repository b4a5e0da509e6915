"""Show one test case of a dataset: thin, thick and restored by every method."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from thinslice import store
from thinslice.columns import csv_text
from thinslice.fs.atomic import write_text
from thinslice.jobs import patch_scores
from thinslice.jobs import relevance as relevance_job
from thinslice.provenance.job import Job, recorded_job
from thinslice.provenance.records import record_path
from thinslice.report.pictures import panels as whole
from thinslice.report.pictures import patches, relevance
from thinslice.volume import Grid, Volume

KINDS = {"panels": whole, "patches": patches, "relevance": relevance}


def panels(
    card: Mapping[str, Any],
    thin: Path | None,
    thick: Path,
    restored: Sequence[Path],
    names: Sequence[str],
    sim: str,
    out: Path,
) -> None:
    """Draw the first restored case as PNG at ``out`` and PDF beside it: whole, in patches, or which
    references it was restored with.

    The PSNR and SSIM of patches go into a CSV beside them, shares of references into an .npz.

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
        picture, scans = KINDS[card["kind"]], (thin_volume, thick_volume, volumes)
        if card["kind"] == "relevance":
            grid = Grid.from_json(store.open_store(thick).about(case)["target"])
            of_method = restored[list(names).index(settings["method"])]
            relevance_job.draw(of_method, thick_volume, grid, out, job, **settings)
        elif card["kind"] == "patches":
            scores = _scored(job, out, *scans, boxes=settings["boxes"], case=case)
            patches.draw(*scans, out.with_suffix(""), scores=scores, **settings)
        else:
            picture.draw(*scans, out.with_suffix(""), **settings)
        job.output("png", out)
        job.output("pdf", out.with_suffix(".pdf"))
        job.fact("caption", picture.CAPTION)


def _scored(
    job: Job,
    out: Path,
    thin: Volume | None,
    thick: Volume,
    restored: Mapping[str, Volume],
    *,
    boxes: Sequence[Mapping[str, Any]],
    case: str,
) -> patch_scores.Scored:
    """Scores of the patches, kept as a CSV beside the picture; none without a thin scan."""
    if thin is None:
        return {}
    scores = patch_scores.scores_of(thin, thick, restored, boxes)
    rows = patch_scores.rows_of(scores, boxes, case, out.stem.removeprefix("patches_"))
    write_text(out.with_suffix(".csv"), csv_text(rows))
    job.output("scores", out.with_suffix(".csv"))
    return scores
