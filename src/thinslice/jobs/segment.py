"""Segment the restored cases of one cell, and score what is found against labels."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thinslice import store
from thinslice.columns import csv_text
from thinslice.errors import in_case
from thinslice.fs.atomic import write_text
from thinslice.interfaces import Run
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import read_record, record_path
from thinslice.runtime import device as devices
from thinslice.segmentation import segmenters
from thinslice.segmentation.label_maps import LabelMaps
from thinslice.segmentation.scores import PROTOCOL, TOLERANCE_MM, scores
from thinslice.training import precision

MODULE = "thinslice.segmentation.scores"


def segment(
    card: Mapping[str, Any],
    cell: Mapping[str, Any],
    restored: Path,
    thin: Path,
    labels: Path,
    segmenter: Path,
    out: Path,
    threads: int = 1,
    device: str = "auto",
    reserved_gpus: int = 0,
) -> None:
    """Write Dice and NSD as CSV, one number a row, with the columns of all scores.

    cell              columns that name the cell
    restored, thin    stores of volumes of the same cases
    """
    with recorded_job(
        record_path(out),
        rule="segment",
        cards={"segmentation": card, "cell": cell},
        inputs={"restored": restored, "thin": thin, "labels": labels, "segmenter": segmenter},
        plugins=[MODULE],
    ) as job:
        network, maps = segmenters.load(segmenter), LabelMaps(labels)
        answers, truths = store.open_store(restored), store.open_store(thin)
        fidelity = read_record(record_path(restored))["facts"]["fidelity"]
        tolerance_mm = float(card.get("tolerance_mm", TOLERANCE_MM))
        table = []
        asked = Run(device=device, threads=threads, reserved_gpus=reserved_gpus)
        with devices.job(asked) as run, precision.matmuls("fp32"):
            network.to(devices.choose(run))
            for case in answers.cases():
                volumes = answers.read(case), truths.read(case)
                with in_case(case):
                    rows = scores(network, *volumes, maps.of(case), tolerance_mm)
                start = {"case": case, "patient": truths.about(case)["patient"]}
                start = {**cell, **start, "fidelity": fidelity, "protocol": PROTOCOL}
                table += [{**start, **row._asdict()} for row in rows]
        write_text(out, csv_text(table))
        job.output("scores", out)
        job.fact("tolerance_mm", tolerance_mm)
        job.fact("device", run.device)
