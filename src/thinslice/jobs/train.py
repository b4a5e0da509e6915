"""Fit one method on the training cases of one dataset and degradation."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from thinslice import __version__, plugins, store
from thinslice.errors import in_case
from thinslice.fs.locks import locked
from thinslice.interfaces import Pair, Run
from thinslice.jobs.checkpoints import checkpoint_name
from thinslice.provenance.environment import children_peak_memory_gib
from thinslice.provenance.job import Job, recorded_job, script_digest
from thinslice.provenance.records import record_path
from thinslice.runtime import device as devices
from thinslice.runtime.processes import EndedError
from thinslice.store import Store
from thinslice.training import fitted_on
from thinslice.training.curve import manner_facts, training_seconds, waiting_share
from thinslice.training.distributed import together


class Files(NamedTuple):
    """What a training reads and writes; it travels to each of its processes."""

    thick: Path  # store of inputs
    thin: Path  # store of truths
    work: Path  # folder of checkpoints
    weights: Path
    curve: Path  # csv: step, loss, val


def train(
    card: Mapping[str, Any],
    thick: Path,
    thin: Path,
    work: Path,
    out: Path,
    curve: Path,
    threads: int = 1,
    device: str = "auto",
    gpus: int = 1,
    reserved_gpus: int = 0,
    data_mb: int | None = None,
    max_memory_mb: int | None = None,
) -> None:
    """Fit the method of a card; weights go to ``out``, the learning curve to ``curve``.

    work             folder for checkpoints of all trainings, kept between tries
    gpus             that train together, a process for each
    reserved_gpus    for this job, by the workflow; an error if torch cannot use them
    data_mb          of scans to keep in memory
    max_memory_mb    of all processes: a step keeps what fits and computes the rest again
    """
    seed = card.get("settings", {}).get("seed", 0)  # every method's default
    with recorded_job(
        record_path(out),
        rule="train",
        cards={"method": card},
        inputs={"thick": thick, "thin": thin},
        plugins=[plugins.module_name("methods", card)],
        seed=seed,
    ) as job:
        name = checkpoint_name(card, job.input_hashes(), script_digest("train.py"))
        files = Files(thick, thin, work / out.parent.name / name, out, curve)
        data_gib = data_mb / 1024 if data_mb is not None else None
        run = Run(
            device,
            threads,
            reserved_gpus=reserved_gpus,
            data_gib=data_gib,
            max_memory_gib=max_memory_mb / 1024 if max_memory_mb else None,
        )
        with devices.group(run, gpus) as runs:
            print(f"{card['name']} on {thick}: {_placement(runs)}", flush=True)
            try:
                together(partial(fit, card, files), runs)
            except EndedError as ended:
                sys.exit(str(ended))
        _record(job, card, files, runs)


def fit(card: Mapping[str, Any], files: Files, run: Run) -> None:
    """What each process does; the first writes the weights and the curve."""
    method = plugins.build("methods", card)
    thick, thin = store.open_store(files.thick), store.open_store(files.thin)
    train_pairs, val_pairs = (_pairs(thick, thin, split) for split in ("train", "val"))
    if run.rank:
        method.fit(train_pairs, val_pairs, work=files.work, run=run)
        return
    with locked(files.work / "fit"):  # a process of a killed job may still be running
        curve = method.fit(train_pairs, val_pairs, work=files.work, run=run)
        about = {
            "thinslice": __version__,
            "card": card,
            "train": thick.cases("train"),
            "val": thick.cases("val"),
            "fitted_on": _fitted_on(method, train_pairs, thick),
        }
        method.save(files.weights, about)
        shutil.copyfile(curve, files.curve)


def _fitted_on(method: Any, pairs: Sequence[Pair], thick: Store) -> dict[str, Any]:
    """What the weights are good for: the method says, else the thick scans of the pairs."""
    if hasattr(method, "domain"):
        return method.domain(pairs)
    return fitted_on.of_scans(
        fitted_on.of_scan(pair.thick, fitted_on.kernel_of(thick.about(pair.case)["source"]))
        for pair in pairs
    )


def _pairs(thick: Store, thin: Store, split: str) -> list[Pair]:
    pairs = []
    for case in thick.cases(split):
        with in_case(case):
            pairs.append(Pair(case, thick.scan(case), thin.scan(case)))
    return pairs


def _placement(runs: list[Run]) -> str:
    """Where a training runs, e.g. "2 processes, cuda:0, cuda:1, 4 threads each"."""
    processes = f"{len(runs)} processes, " if runs[1:] else ""
    each = " each" if runs[1:] else ""
    return f"{processes}{_device_names(runs)}, {runs[0].threads} threads{each}"


def _device_names(runs: list[Run]) -> str:
    return ", ".join(dict.fromkeys(run.device for run in runs))


def _record(job: Job, card: Mapping[str, Any], files: Files, runs: list[Run]) -> None:
    """Name the weights and the curve in the record, and what the training cost."""
    fitted = plugins.build("methods", card)
    fitted.load(files.weights)
    job.output("weights", files.weights)
    job.output("curve", files.curve)
    job.fact("parameters", fitted.parameters())
    job.fact("train_s", training_seconds(files.curve))
    job.fact("waiting", round(waiting_share(files.curve), 4))
    for name, value in manner_facts(files.curve).items():
        job.fact(name, value)
    job.fact("device", _device_names(runs))
    job.fact("processes", len(runs))
    if runs[1:]:  # the record's own figure is of this process, which only waits
        job.fact("process_peak_memory_gib", children_peak_memory_gib())
