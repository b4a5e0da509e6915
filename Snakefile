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

import os
import sys
import time
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version, validate

min_version("9.27.1")  # what tests/workflow/test_engine_contract.py ran on
STARTED = time.time()
RESULTS = Path("results")

if "{" in str(workflow.basedir):
    raise WorkflowError(
        f"refused: {workflow.basedir}: found curly braces in the folder's name, which Snakemake "
        "takes for wildcards; expected none; rename it"
    )
if not Path(workflow.basedir, "src", "thinslice").is_dir():
    raise WorkflowError(  # before anything of it is imported: its folder is not on the path
        f"refused: {workflow.basedir}: thinslice cannot be imported by `module:` or `include:`; "
        "run it itself: snakemake --snakefile FOLDER/Snakefile --configfile YOURS"
    )

sys.path.insert(0, os.path.join(workflow.basedir, "src"))

from thinslice.workflow import cells, check_inputs, check_metrics, check_segmentation
from thinslice.workflow import check_settings, check_stand_ins, checks, config_files, engine
from thinslice.workflow import own_data, panels, targets
from thinslice.workflow.recovery import prepare, run_lock, snakemake_state

engine.tune_gc()
engine.remember_arguments()


with engine.refusals():  # of an overlay Snakemake itself says only that it is no YAML
    config_files.check_syntax(Path(workflow.basedir, "config.yaml"))


configfile: os.path.join(workflow.basedir, "config.yaml")


report: "rules/report/workflow.rst"


with engine.refusals():
    config_files.check_keys(engine.config_files(workflow))
    validate(config, "rules/config.schema.yaml")
    STATE = engine.state(workflow)
    checks.check_names(config)
    checks.check_modules(config)
    checks.check_weights_of(config)
    checks.check_given(config)
    check_settings.check_settings(config, engine.config_files(workflow))
    check_segmentation.check_segmentation(config)
    check_metrics.check_metrics(config)
    check_stand_ins.check_stand_ins(config)
    check_inputs.check_lists(config)
    check_inputs.check_engines(config)
    check_inputs.check_nnunet(config)
    if engine.is_main(workflow):
        snakemake_state.check(RESULTS, STATE)
    config = own_data.with_own_data(config)
    if engine.is_main(workflow):
        engine.check_literal(own_data.all_files(config))
    checks.check_runnable(config)
    check_inputs.check_patients(config)

engine.short_plan(workflow)
engine.before_run(workflow, lambda: prepare.prepare(RESULTS, STATE))
shell.prefix(engine.shell_prefix(workflow))


onstart:  # a real run only: no dry run, no job of a cluster
    with engine.refusals():
        checks.check_cleaning(engine.targets(workflow))
        run_lock.acquire(RESULTS)


onerror:
    run_lock.mark_ended()


onsuccess:  # the main table and the place of the report, if this run made them
    run_lock.mark_ended()
    summary = RESULTS / "logs/page.log"
    if summary.exists() and summary.stat().st_mtime >= STARTED:
        print(summary.read_text())


container: config["container"]  # used with --sdm apptainer alone


wildcard_constraints:
    dataset="|".join(config["datasets"]),
    degradation="|".join(config["degradations"]),
    method="|".join(config["methods"]),
    fitted=r"[a-z0-9_]+--[a-z0-9_]+|untrained",
    analysis="|".join(config["analyses"]),
    figure="|".join(config["figures"]),
    picture="panels|patches|relevance",


include: "rules/lookups.smk"  # cards, resources and names for a job's wildcards
include: "rules/data.smk"  # raw -> thin -> thick
include: "rules/restore.smk"  # thick -> weights, restored
include: "rules/score.smk"  # restored -> scores, evidence
include: "rules/segment.smk"  # restored -> structures found in them
include: "rules/publish.smk"  # evidence -> tables, figures, report
include: "rules/clean.smk"  # free disk space


rule all:
    """Everything in the config: every table, every figure, the report."""
    default_target: True
    input:
        "results/report.html",
        "results/README.txt",
        "results/report.record.json",
        collect("results/tables/{a}.{end}", a=config["analyses"], end=["csv", "md", "tex"]),
        collect("results/figures/{f}.{end}", f=config["figures"], end=["png", "pdf", "svg"]),
        collect("results/figures/{p}.{end}", p=panels.pictures(config), end=["png", "pdf"]),
        collect("results/figures/{s}.json", s=panels.slices(config)),
        targets.upstream_records(config),


rule tables:
    """Every table, without the figures."""
    input:
        collect("results/tables/{a}.csv", a=config["analyses"]),


rule scores:
    """Every score of every runnable cell."""
    input:
        "results/evidence/evidence.record.json",
