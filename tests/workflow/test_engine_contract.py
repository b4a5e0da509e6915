"""What ``workflow/engine.py`` and ``workflow/recovery`` use of Snakemake beyond its documentation.

Each test holds one use to the installed version. Where one fails after an upgrade, engine.py is
what to change; ``engine.TESTED`` and the Snakefile's ``min_version`` then name the new version.
"""

import inspect
import json
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from snakemake import common, rules
from snakemake.resources import Resource

from support.paths import ROOT
from thinslice.workflow import engine
from thinslice.workflow.recovery import slurm_jobs
from thinslice.workflow.recovery.snakemake_state import SnakemakeState

PROBE = f"""
import json, os, sys
from pathlib import Path
sys.path.insert(0, {str(ROOT / "src")!r})
from thinslice.workflow import engine

engine.remember_arguments()

def note(**facts):
    with open("facts.jsonl", "a") as out:
        out.write(json.dumps(facts) + "\\n")

with engine.refusals():
    if config.get("refuse"):
        raise ValueError("this config")
    state = engine.state(workflow)
note(when="parsing", main=engine.is_main(workflow),
     configs=[str(file) for file in engine.config_files(workflow)],
     cluster=engine.on_cluster(workflow),
     limit=engine.gpu_limit(workflow), environments=engine.has_software_deployment(workflow),
     state=state.backend)
engine.short_plan(workflow)
engine.before_run(workflow, lambda: note(when="preparing") or ["prepared"])
shell.prefix(engine.shell_prefix(workflow))

onstart:
    note(when="starting", targets=sorted(engine.targets(workflow)))

def device(wildcards):
    note(when="planning", cluster=engine.on_cluster(workflow))
    return config.get("device", "cpu")

rule all:
    input: "results/a.record.json", "results/folder"

rule a:
    output: "results/a.record.json"
    params: device=engine.derived(device), setting=config.get("setting", 1)
    shell: "echo $HERE > {{output}}"

rule folder:
    output: directory("results/folder")
    shell: "mkdir {{output}}"
"""


class Probe:
    """Runs of a tiny workflow that notes what the adapter says."""

    def __init__(self, folder: Path):
        self.folder = folder
        (folder / "Snakefile").write_text(PROBE)
        (folder / "workflow_scripts").mkdir()
        shutil.copy(ROOT / "workflow_scripts/job_exit.sh", folder / "workflow_scripts")

    def run(self, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "snakemake", "--cores", "1", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def facts(self, when: str) -> list[dict]:
        lines = (self.folder / "facts.jsonl").read_text().splitlines()
        return [fact for fact in map(json.loads, lines) if fact["when"] == when]


@pytest.fixture
def probe(tmp_path) -> Probe:
    folder = tmp_path / "a {braced} folder"  # shell.prefix is formatted
    folder.mkdir()
    return Probe(folder)


def test_the_version_is_the_one_that_is_tested_and_demanded():
    assert metadata.version("snakemake") == engine.TESTED
    (demanded,) = re.findall(r'min_version\("(.+?)"\)', (ROOT / "Snakefile").read_text())
    assert demanded == engine.TESTED


def test_only_the_adapter_and_the_recovery_know_snakemakes_inside():
    inside = re.compile(r"(?<!thinslice\.)\bworkflow\.(?!basedir\b|rst\b)\w+|import snakemake")
    for file in [ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")]:
        assert not inside.findall(file.read_text()), file
    for file in (ROOT / "src/thinslice").rglob("*.py"):
        if file.name != "engine.py" and "recovery" not in file.parts:
            assert not re.search(r"^\s*(import|from) snakemake", file.read_text(), re.MULTILINE)


def test_a_run_prepares_once_before_it_plans_and_jobs_know_the_checkout(probe):
    done = probe.run("--resources", "gpu=3", "--", "all")
    (parsed,) = probe.facts("parsing")
    assert parsed == {
        "when": "parsing", "main": True, "configs": [], "cluster": False, "limit": 3,
        "environments": False, "state": "file",
    }  # fmt: skip
    assert len(probe.facts("preparing")) == 1
    assert "prepared" in done.stderr.splitlines()
    assert probe.facts("starting") == [{"when": "starting", "targets": ["all"]}]
    assert {fact["cluster"] for fact in probe.facts("planning")} == {False}
    record = probe.folder / "results/a.record.json"
    assert record.read_text() == f"{probe.folder}\n"
    assert (probe.folder / "results/folder/.snakemake_timestamp").is_file()


@pytest.mark.parametrize("looks", [("-n",), ("--summary",), ("--lint",), ("--unlock",)])
def test_what_only_looks_does_not_prepare(probe, looks):
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1", *looks],
        cwd=probe.folder, capture_output=True, text=True,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert probe.facts("parsing")
    assert not probe.facts("preparing")


def test_a_job_of_an_executor_is_not_the_main_process_and_does_not_prepare(probe):
    probe.run("--mode", "remote", "--", "results/a.record.json")
    assert {fact["main"] for fact in probe.facts("parsing")} == {False}
    assert not probe.facts("preparing")


def test_a_refusal_is_one_line_without_a_traceback(probe):
    done = probe.run("--config", "refuse=1", status=1)
    assert done.stderr.splitlines()[-2:] == ["Refusal:", "refused: this config"]
    assert not re.search(r"Traceback|\.py|Snakefile", done.stderr)


@pytest.mark.parametrize("backend", ["file", "db"])
def test_a_derived_param_reruns_nothing_and_any_other_does(probe, backend):
    chosen = ("--persistence-backend", backend)
    probe.run(*chosen)
    assert "Nothing to be done" in probe.run("-n", *chosen, "--config", "device=cuda").stdout
    assert "Params have changed" in probe.run("-n", *chosen, "--config", "setting=2").stdout


def test_a_dry_run_lists_each_job_in_one_line(probe):
    text = probe.run("-n").stdout
    assert "\na         results/a.record.json  (missing)\n" in text
    assert re.search(r"\nall         \(its inputs are made anew\)\n", text)
    assert "    reason: " not in text
    assert "    reason: Missing output files" in probe.run("-n", "-p").stdout


def test_a_plan_works_out_no_shell_command_unless_it_prints_it(probe):
    unknown = "\nrule all:\n    input: 'b'\nrule b:\n    output: 'b'\n    shell: '{nothing}'\n"
    (probe.folder / "Snakefile").write_text(PROBE.split("rule all:")[0] + unknown)
    assert "\nb         b  (missing)\n" in probe.run("-n").stdout
    assert "{nothing}" in probe.run("-n", "-p", status=1).stdout


def test_arguments_are_those_that_snakemake_finds_and_looked_up_once(monkeypatch):
    look_up = common.get_function_params
    for module in (common, rules):  # undone at the end
        monkeypatch.setattr(module, "get_function_params", look_up)
    engine.remember_arguments()
    methods = [Resource(name, 1).evaluate for name in "ab"]
    functions = [engine.derived(str), lambda wildcards, input: None, str.upper, *methods]
    for function in functions:
        for module in (common, rules):
            assert module.get_function_params(function) == look_up(function)
    monkeypatch.setattr(inspect, "signature", None)
    for function in (functions[0], Resource("c", 1).evaluate):
        rules.get_function_params(function)


def test_functions_with_an_argument_called_output_are_derived():
    assert rules.Rule._is_deriving_function(engine.derived(str))
    assert not rules.Rule._is_deriving_function(str.upper)


@pytest.mark.parametrize("backend", ["file", "db"])
def test_the_state_remembers_when_a_record_was_made(probe, backend, monkeypatch):
    monkeypatch.chdir(probe.folder)
    state = SnakemakeState(engine.STATE, backend)
    assert state.is_empty()
    probe.run("--persistence-backend", backend)
    assert not state.is_empty()
    made = Path("results/a.record.json").stat().st_mtime
    assert state.record_times() == {"results/a.record.json": pytest.approx(made, abs=0.01)}
    other = "file" if backend == "db" else "db"
    assert SnakemakeState(engine.STATE, other).is_empty()
    assert {fact["state"] for fact in probe.facts("parsing")} == {backend}


def test_a_database_elsewhere_is_refused_by_name(probe):
    elsewhere = (
        "--persistence-backend",
        "db",
        "--persistence-backend-db-url",
        "sqlite:///other.db",
    )
    done = probe.run("-n", *elsewhere, status=1)
    assert "refused: --persistence-backend-db-url is not supported" in done.stdout


def test_the_slurm_executor_logs_and_comments_as_its_jobs_are_found():
    plugin = metadata.distribution("snakemake-executor-plugin-slurm")
    source = Path(str(plugin.locate_file("snakemake_executor_plugin_slurm")), "__init__.py")
    text = source.read_text()
    assert f".snakemake/{SnakemakeState(engine.STATE).slurm_logs.name}" in text
    for word in slurm_jobs.COMMENTS:
        assert word in text
