"""Cards, resources and names for a job's wildcards: adapters to thinslice.workflow."""

import json
import shlex
from functools import cache

from thinslice.fs.hashing import sha256_of_file
from thinslice.provenance import code_digest
from thinslice.workflow import cards, gpus, resources, shards

SCORE_RECORDS = targets.score_records(config)
PROTOCOL_CARDS = cards.protocol_cards(config)
GPUS = gpus.GpuRequests(config, on_cluster=lambda: engine.on_cluster(workflow))

with engine.refusals():
    limited = GPUS.wanted() and engine.is_main(workflow)
    checks.check_gpus(config, engine.gpu_limit(workflow) if limited else None)


@cache
def code(script, *modules):
    """Digest of a rule's script and of the plug-ins it runs, with all they import."""
    path = Path(workflow.basedir, "workflow_scripts", script)
    return code_digest.code_digest(*modules, script=path)


def shown_volumes(wildcards):
    """Stores of a dataset's volumes that are shown, each with the record that a job waits for."""
    shown, dataset = panels_of(wildcards.dataset), wildcards.dataset
    restored = [f"results/restored/{cell.path}" for cell in shown.cells]
    return {
        "thin_record": f"results/thin/{dataset}.record.json",
        "thin": ancient(f"results/thin/{dataset}.zarr") if shown.truth else [],
        "thick_record": f"results/thick/{shown.path_of_thick}.record.json",
        "thick": ancient(f"results/thick/{shown.path_of_thick}.zarr"),
        "restored_records": [f"{path}.record.json" for path in restored],
        "restored": [ancient(f"{path}.zarr") for path in restored],
    }


def page_assets():
    """Hashes of the page's style sheets, scripts and glossary, which no digest of code counts."""
    folder = Path(workflow.basedir, "src", "thinslice", "report", "html", "assets")
    return [f"{path.name} {sha256_of_file(path)[:16]}" for path in sorted(folder.iterdir())]


card = cache(lambda kind, name: cards.card(config, kind, name))
training_card = cache(lambda name, fitted_on: cards.training_card(config, name, fitted_on))
method_card = cache(lambda name, fitted_on: cards.method_card(config, name, fitted_on))
degradation_card = cache(lambda name: cards.degradation_card(config, name))
panels_of = cache(lambda dataset: panels.panels(config, dataset))


def card_of(kind, wildcard):
    """A param: the card of the config entry that a wildcard names."""
    return lambda wildcards: card(kind, wildcards[wildcard])


def card_to_fit(wildcards):
    """A param: the card of a method that is fitted on a dataset."""
    return training_card(wildcards.method, wildcards.dataset)


def card_to_restore(wildcards):
    """A param: the card of a method as it was fitted, if it was."""
    source = cell_of(wildcards).source
    return method_card(wildcards.method, source and source.dataset)


def cell_card(wildcards):
    return cards.cell_card(config, cell_of(wildcards))


def raw_folder(wildcards):
    """A dataset's raw files: in its own folder, or that of the dataset it shares them with."""
    shared = config["datasets"][wildcards.dataset].get("raw", wildcards.dataset)
    return f"results/raw/{shared}"


@cache
def cell_named(dataset, degradation, method, fitted):
    source = None if fitted == cells.UNTRAINED else cells.Source.parse(fitted)
    return cells.Cell(dataset, degradation, method, source)


def cell_of(wildcards):
    w = wildcards
    return cell_named(w.dataset, w.degradation, w.method, w.fitted)


def weights(wildcards):
    """The record of what a restore job's method learned before; none if it learned nothing."""
    return cells.learned_record(cell_of(wildcards), config) or []


def learned_there(wildcards):
    """The volumes of the cell whose job learned in this one's place, if another did."""
    record = weights(wildcards)
    if not record or not record.startswith("results/restored/"):
        return []
    return ancient(record.replace(".record.json", ".zarr"))


@cache
def shards_of_cell(cell):
    method = config["methods"][cell.method]
    number = method.get("restore_shards", config["scheduling"]["restore_shards"])
    card = method_card(cell.method, cell.source and cell.source.dataset)
    return shards.names(cell.path, number, json.loads(card))


def shards_of(wildcards):
    """The shards, without a suffix, that a cell is joined from; none where one job restores it."""
    return shards_of_cell(cell_of(wildcards))


def restore_flags(wildcards, input, threads, resources):
    """How a restore job computes, never what: it is derived, so no change of it reruns anything."""
    memory = reservation("restore", wildcards).mem_mb  # of the first try: retries tile alike
    flags = f"--threads {threads} --max-memory-mb {memory} --work results/work"
    needs_torch = config["methods"][wildcards.method]["env"] == "torch"
    gpu = f" --device {config['device']} --reserved-gpus {resources.gpu}"
    return flags + gpu if needs_torch else flags


def restore_script(wildcards, input, threads, resources):
    """The script of a restore job, with its flags: joining if there are shards."""
    if input.shards:
        return f"join_shards.py --shards {' '.join(input.shards)}"
    return f"restore.py {restore_flags(wildcards, input, threads, resources)}"


def restore_code(wildcards):
    """What made a cell: a restore job, or restore jobs of its shards and the job that joins them."""
    if shards_of(wildcards):
        return code("join_shards.py", "thinslice.jobs.restore")
    return code("restore.py")


def _case_flags(wildcards):
    """Which dask cluster computes the cases, and where finished ones of a killed job are kept."""
    address = config["dask_scheduler"]
    return (
        f"--work results/work --dask={shlex.quote(address)}" if address else "--work results/work"
    )


case_flags = engine.derived(_case_flags)
reserved = cache(lambda *job: resources.reserve(job[0], config, *job[1:]))


def reservation(kind, wildcards):
    """What the first try of a job reserves; restoring from shards only joins them."""
    if kind == "restore" and "shard" not in wildcards.keys() and shards_of(wildcards):
        kind = "join"
    dataset, method = wildcards.get("dataset"), wildcards.get("method")
    shown = len(panels_of(dataset).cells) if kind in ("panels", "slices") else 0
    return reserved(kind, dataset, method, shown)


def reserve(kind):
    """The resources of a rule, more at each retry, and for every process."""

    def needs(wildcards, threads, attempt):
        return reservation(kind, wildcards).on(threads).at(attempt)

    return {
        "mem_mb": lambda wildcards, threads, attempt: needs(wildcards, threads, attempt).mem_mb,
        "runtime": lambda wildcards, threads, attempt: needs(wildcards, threads, attempt).minutes,
    }


def reserve_gpus(count):
    """The resources for GPUs; ``count`` gives their number for a job's wildcards."""
    return {
        "gpu": lambda wildcards: GPUS.by_gpus(count(wildcards)),
        "gres": lambda wildcards: GPUS.by_gres(count(wildcards)),
    }


def any_gpu(wildcards):
    return int(GPUS.wanted())


def training_gpus(wildcards):
    return GPUS.of_training(wildcards.method)


def shard_gpus(wildcards):
    return GPUS.of_method(wildcards.method)


def restore_gpus(wildcards):
    """Joining shards needs none."""
    return 0 if shards_of(wildcards) else GPUS.of_method(wildcards.method)


def cores(kind):
    return lambda wildcards: reservation(kind, wildcards).threads
