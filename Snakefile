"""Thin-slice CT from thick-slice CT: from scans to audited tables.

    snakemake -n                                             what would run
    snakemake --cores 8 --resources gpu=2                    everything in config.yaml
    snakemake all --cores 8 --resources gpu=2                the same, by name
    snakemake --cores 2 --configfile experiments/own_data.yaml --config root=DIR
                                                             your own scans
    snakemake --cores 1 results/scores/phantom/box5/linear/untrained.csv
                                                             one cell, for debugging

raw -> thin -> thick -> (weights) -> restored -> scores -> evidence -> tables, figures, report
"""

import atexit
import gc
import os
import shlex
import sys
import time

from snakemake.utils import min_version, validate

min_version("9.19")
STARTED = time.time()

# Planning makes millions of objects that live to the end. Python would look them all over for
# cycles again and again, and once more at exit: a third of the time a large plan takes.
gc.set_threshold(100_000)
atexit.register(gc.freeze)

sys.path.insert(0, os.path.join(workflow.basedir, "src"))

from thinslice.workflow import cells, own_data, panels
from thinslice.workflow.recovery import prepare, run_lock, snakemake_state


configfile: os.path.join(workflow.basedir, "config.yaml")


validate(config, "rules/config.schema.yaml")
try:
    cells.check(config)
    snakemake_state.check(Path("results"), Path(".snakemake"))
    config = own_data.with_own_data(config)
    cells.check_some_run(config)
except (ValueError, OSError) as refusal:
    sys.exit(f"refused: {refusal}")

if workflow.is_main_process and not workflow.output_settings.dryrun:  # no job of a cluster
    workflow.execute = prepare.before(workflow.execute, Path("results"), Path(".snakemake"))

# Jobs run the scripts and import the package of this checkout, wherever --directory puts results,
# by the interpreter that runs Snakemake; inside a conda environment, by that environment's.
CONDA = bool(workflow.deployment_settings.deployment_method)
shell.prefix(
    f"set -euo pipefail; HERE={shlex.quote(str(workflow.basedir))}; export PYTHONPATH=$HERE/src; "
    'source "$HERE"/workflow_scripts/ending.sh; '
    + ("" if CONDA else f"export PATH={shlex.quote(os.path.dirname(sys.executable))}:$PATH; ")
)


onstart:  # a real run only: no dry run, no job of a cluster
    refuse_cleaning_beside_others()
    run_lock.hold("results")


onerror:
    run_lock.ended()


onsuccess:  # the main table and where the report is, last, if this run made them
    run_lock.ended()
    said = Path("results/logs/page.log")
    if said.exists() and said.stat().st_mtime >= STARTED:
        print(said.read_text())


container: config["container"]  # used with --sdm apptainer alone


wildcard_constraints:
    dataset="|".join(config["datasets"]),
    degradation="|".join(config["degradations"]),
    method="|".join(config["methods"]),
    fitted=r"[a-z0-9_]+--[a-z0-9_]+|untrained",
    analysis="|".join(config["analyses"]),
    figure="|".join(config["figures"]),
    picture="panels|patches",


include: "rules/lookups.smk"  # names and cards from the config, used by the rules below
include: "rules/data.smk"  # raw -> thin -> thick
include: "rules/restore.smk"  # thick -> weights, restored
include: "rules/score.smk"  # restored -> scores, evidence
include: "rules/publish.smk"  # evidence -> tables, figures, report
include: "rules/clean.smk"  # disk space back


rule all:
    """Everything in the config: every table, every figure, the report."""
    default_target: True
    input:
        "results/report.html",
        "results/report.record.json",
        collect("results/tables/{a}.{end}", a=config["analyses"], end=["csv", "md", "tex"]),
        collect("results/figures/{f}.{end}", f=config["figures"], end=["png", "pdf"]),
        collect("results/figures/{p}.{end}", p=panels.pictures(config), end=["png", "pdf"]),
        behind_the_evidence(),


rule tables:
    """Every table, without the figures."""
    input:
        collect("results/tables/{a}.csv", a=config["analyses"]),


rule scores:
    """Every score of every runnable cell."""
    input:
        "results/evidence/evidence.record.json",
