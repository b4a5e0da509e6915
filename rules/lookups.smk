"""Names, cards and resources from the config, for the rules below.  No data is read here."""

import json
import shutil
from functools import cache

from thinslice import plugins
from thinslice.provenance import code_digest
from thinslice.workflow import resources
from thinslice.workflow import shards as cell_shards

CELLS = cells.cells(config)
SCORED = cells.scored(config)
CLEANING = {"clean_restored", "clean_work"}  # targets that free disk space
CASE_KEYS = ("name", "module", "settings")  # what a card tells a job; the rest is scheduling


def behind_the_evidence():
    """Every record behind the evidence. A run that was killed may have taken one away while what was
    made from it still stands: asked for by name, it is missed and made again."""
    tested = {(cell.dataset, cell.degradation) for cell in CELLS}
    fitted = cells.sources(config)
    thick = sorted(tested | {(source.dataset, source.degradation) for _, source in fitted})
    made = [f"{kind}/{dataset}" for dataset, _ in thick for kind in ("raw", "thin")]
    made += [f"thick/{dataset}/{degradation}" for dataset, degradation in thick]
    made += [f"weights/{method}/{source.label}" for method, source in fitted]
    made += [f"restored/{cell.path}" for cell in CELLS]
    made += [f"scores/{cell.path}" for cell in SCORED]
    records = [f"results/{name}.record.json" for name in dict.fromkeys(made)]
    return [*records, *gathered(), *paired()]


def gathered():
    """The records that gather the scores of each dataset and degradation."""
    asked = dict.fromkeys((cell.dataset, cell.degradation) for cell in SCORED)
    return [f"results/evidence/{'/'.join(pair)}.record.json" for pair in asked]


def paired():
    """The records of the slice pairs of each dataset that has both."""
    return [
        f"results/pairs/{dataset}.record.json"
        for dataset in config["grid"]["datasets"]
        if config["datasets"][dataset].get("acquired", False) and cells.has_truth(dataset, config)
    ]


@cache
def code(script, *modules):
    """Digest of a rule's script and of the plug-ins it runs, with all they import."""
    return code_digest.code_digest(
        *modules, script=Path(workflow.basedir, "workflow_scripts", script)
    )


@cache
def card(kind, name):
    """One config entry as JSON: what a job needs to know, and what makes it rerun."""
    entry = {"name": name, **config[kind][name]}
    told = {key: entry[key] for key in CASE_KEYS if key in entry}
    told["code"] = code_digest.code_digest(plugins.module_name(kind, entry))
    return json.dumps(told, sort_keys=True)


def dataset_card(wildcards):
    return card("datasets", wildcards.dataset)


def raw_folder(wildcards):
    """Where a dataset's raw files are: its own folder, or that of the dataset it shares them with."""
    shared = config["datasets"][wildcards.dataset].get("raw", wildcards.dataset)
    return f"results/raw/{shared}"


def degradation_card(wildcards):
    return card("degradations", wildcards.degradation)


def scored_degradation_card(wildcards):
    """The degradation's card; the acquired series has none."""
    if wildcards.degradation == cells.ACQUIRED:
        return json.dumps({"name": cells.ACQUIRED})
    return degradation_card(wildcards)


def method_card(wildcards):
    return card("methods", wildcards.method)


def analysis_card(wildcards):
    return card("analyses", wildcards.analysis)


def figure_card(wildcards):
    told = {"name": wildcards.figure, **config["figures"][wildcards.figure]}
    told["code"] = code_digest.code_digest(plugins.module_name("figures", told))
    return json.dumps(told, sort_keys=True)


PROTOCOL_CARDS = "[" + ", ".join(card("protocols", name) for name in config["protocols"]) + "]"


def cell_card(wildcards):
    """What a score row says of its cell besides the number."""
    source = None
    if wildcards.fitted != cells.UNTRAINED:
        source = cells.Source.parse(wildcards.fitted)
    cell = cells.Cell(wildcards.dataset, wildcards.degradation, wildcards.method, source)
    fitted_on = f"{source.dataset}/{source.degradation}" if source else ""
    return json.dumps(
        {
            "dataset": cell.dataset,
            "degradation": cell.degradation,
            "method": cell.method,
            "fitted_on": fitted_on,
            "sim": cells.label(cell, config),
        }
    )


def weights(wildcards):
    """The record of the weights a restore job waits for, if its method was fitted beforehand."""
    if wildcards.fitted == cells.UNTRAINED:
        return []
    return f"results/weights/{wildcards.method}/{wildcards.fitted}.record.json"


@cache
def gpu_here():
    return shutil.which("nvidia-smi") is not None


def on_cluster():
    """Whether jobs are sent elsewhere; known once planning has begun."""
    return workflow.executor_plugin is not None and not workflow.local_exec


def on_gpu():
    """Whether torch jobs ask for a GPU: the config's word, or whether there can be one."""
    if config["device"] != "auto":
        return config["device"].startswith("cuda")
    return gpu_here() or on_cluster()


def by_gres():
    """Whether GPUs are asked for by Slurm's --gres, of some kind maybe, and not by --gpus."""
    return on_cluster() and config["gpu_request"].startswith("gres")


def gpus(count):
    """The resource gpu for ``count`` of GPUs: counted here, --gpus of a cluster."""
    return lambda wildcards: 0 if by_gres() else count(wildcards)


def gres(count):
    """The resource gres for ``count`` of GPUs: --gres of a cluster; empty where none is to be asked."""
    kind = config["gpu_request"].removeprefix("gres")  # e.g. :a100

    def asked(wildcards):
        number = count(wildcards) if by_gres() else 0
        return f"gpu{kind}:{number}" if number else ""

    return asked


def method_gpus(wildcards):
    return int(config["methods"][wildcards.method]["env"] == "torch" and on_gpu())


def gpus_at_once():
    """How many GPUs this run may use at a time: None without a limit, or where a job is planned."""
    limit = workflow.global_resources.get("gpu")
    return limit.value if limit and on_gpu() and workflow.is_main_process else None


try:
    cells.check_gpus(config, gpus_at_once())
except ValueError as refusal:
    sys.exit(f"refused: {refusal}")


def training_gpus(wildcards):
    """How many GPUs a training takes, a process for each."""
    return config["methods"][wildcards.method].get("gpus", 1) * method_gpus(wildcards)


# Snakemake reruns no job over a param that is derived from its outputs: asking for them is how the
# device, the mirror and the number of GPUs stay out of a result's identity.
def mirror(wildcards, output):
    return config["mirror"] or ""


def training_device(wildcards, output):
    return config["device"]


def training_processes(wildcards, output):
    return config["methods"][wildcards.method].get("gpus", 1)


def restoring_device(wildcards, output):
    """The config's device; "none" for methods that need no torch."""
    torch = config["methods"][wildcards.method]["env"] == "torch"
    return config["device"] if torch else "none"


@cache
def shards(path, method):
    asked = config["methods"][method].get("restore_shards", config["scheduling"]["restore_shards"])
    return cell_shards.names(path, asked, json.loads(card("methods", method)))


def shards_of(wildcards):
    """The shards, without an ending, that a cell is joined from; none where one job restores it."""
    w = wildcards
    return shards(f"{w.dataset}/{w.degradation}/{w.method}/{w.fitted}", w.method)


def restoring_gpus(wildcards):
    """A GPU where there is something to restore; joining shards needs none."""
    return 0 if shards_of(wildcards) else method_gpus(wildcards)


def restoring_script(wildcards, input, threads, resources):
    """The script of a restore job with the flags that are its own; how, never what, it computes."""
    if input.shards:
        return f"join_shards.py --shards {' '.join(input.shards)}"
    device = restoring_device(wildcards, None)
    cap = memory_cap(wildcards, None)
    return (
        f"restore.py --threads {threads} --device {device} --reserved-gpus {resources.gpu} "
        f"--max-memory-mb {cap} --work results/work"
    )


@cache
def asked(kind, dataset, method):
    """What the first try of a kind of job asks for; of a picture, by the methods it shows."""
    shown_of = len(panels_of(dataset).cells) if kind == "panels" else 0
    return resources.ask(kind, config, dataset, method, shown_of)


def first_ask(kind, wildcards):
    """The same, for a job's wildcards; a restore job whose shards did the work only joins them."""
    if kind == "restore" and "shard" not in wildcards.keys() and shards_of(wildcards):
        kind = "join"
    return asked(kind, wildcards.get("dataset"), wildcards.get("method"))


# A later try asks for more; what it computes is the same (memory_cap), and nothing reruns for it.
def memory(kind):
    return lambda wildcards, attempt: first_ask(kind, wildcards).at(attempt).mem_mb


def minutes(kind):
    return lambda wildcards, attempt: first_ask(kind, wildcards).at(attempt).minutes


def cores(kind):
    return lambda wildcards: first_ask(kind, wildcards).threads


def memory_cap(wildcards, output):
    """What tiles are cut to: the first try's memory, so that a later try computes the same."""
    return first_ask("restore", wildcards).mem_mb


def picture_card(wildcards):
    """The kind of a picture, and its settings: where patches lie."""
    settings = {"boxes": config["patches"]} if wildcards.picture == "patches" else {}
    return json.dumps({"kind": wildcards.picture, "settings": settings}, sort_keys=True)


@cache
def panels_of(dataset):
    return panels.panels(config, dataset)


def shown(wildcards):
    """What the panels of one dataset show."""
    return panels_of(wildcards.dataset)


def refuse_cleaning_beside_others():
    """No volume goes while a job of the same run reads it."""
    targets = set(workflow.dag_settings.targets)
    if CLEANING & targets and targets - CLEANING:
        sys.exit(f"refused: {', '.join(sorted(CLEANING))} run alone: give no other target")
