"""Fit a segmenter on the thin training cases of one dataset."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thinslice import __version__, store
from thinslice.fs.atomic import write_text
from thinslice.fs.locks import locked
from thinslice.interfaces import Run
from thinslice.jobs.checkpoints import checkpoint_name
from thinslice.provenance.job import recorded_job, script_digest
from thinslice.provenance.records import record_path
from thinslice.runtime import device as devices
from thinslice.segmentation import nnunet
from thinslice.segmentation.crops import Labelled
from thinslice.segmentation.label_maps import LabelMaps
from thinslice.segmentation.nnunet import NnUNet
from thinslice.segmentation.segmenter import Segmenter
from thinslice.segmentation.settings import settings_of
from thinslice.store import Store
from thinslice.training.curve import COLUMNS, manner_facts, training_seconds

MODULE = "thinslice.segmentation.segmenter"


def segmenter(
    card: Mapping[str, Any],
    labels: Path,
    thin: Path,
    work: Path,
    out: Path,
    curve: Path,
    threads: int = 1,
    device: str = "auto",
    reserved_gpus: int = 0,
) -> None:
    """Fit the segmenter of a card; weights go to ``out``, the learning curve to ``curve``.

    labels, thin    label maps, and the store of the scans they are of
    work            folder for checkpoints, kept between tries
    """
    settings = settings_of(card.get("settings", {}))
    with recorded_job(
        record_path(out),
        rule="segmenter",
        cards={"segmenter": card},
        inputs={"labels": labels, "thin": thin},
        plugins=[MODULE],
        seed=settings.seed,
    ) as job:
        maps, scans = LabelMaps(labels), store.open_store(thin)
        cases = {"train": scans.cases("train"), "val": scans.cases("val")}
        about = {"thinslice": __version__, "card": card, **cases}
        if settings.nnunet is not None:
            _trained_nnunet(maps, Path(settings.nnunet), out, curve, about)
            job.output("weights", out)
            job.output("curve", curve)
            return
        fitted = Segmenter(maps.structures, settings)
        name = checkpoint_name(card, job.input_hashes(), script_digest("segmenter.py"))
        folder = work / "segmenters" / name
        train, val = (_labelled(scans, maps, split) for split in ("train", "val"))
        asked = Run(device=device, threads=threads, reserved_gpus=reserved_gpus)
        with devices.job(asked) as run, locked(folder / "fit"):
            trained = fitted.fit(train, val, work=folder, run=run)
        fitted.save(out, about)
        shutil.copyfile(trained.curve, curve)
        job.output("weights", out)
        job.output("curve", curve)
        job.fact("parameters", sum(p.numel() for p in fitted.net.parameters()))
        job.fact("train_s", training_seconds(curve))
        for name, value in manner_facts(curve).items():
            job.fact(name, value)
        job.fact("device", run.device)


def _trained_nnunet(
    maps: LabelMaps, folder: Path, out: Path, curve: Path, about: Mapping[str, Any]
) -> None:
    """Name a trained nnU-Net in ``out``; it is not fitted here, so the curve has no rows."""
    nnunet.installed()
    NnUNet(maps.structures, folder).save(out, about)
    write_text(curve, f"{COLUMNS}\n")


def _labelled(scans: Store, maps: LabelMaps, split: str) -> list[Labelled]:
    return [Labelled(case, scans.scan(case), maps.of(case)) for case in scans.cases(split)]
