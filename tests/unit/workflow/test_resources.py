"""What jobs ask of the machine: more for more, a line before a default, and nothing left unsaid."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from support.paths import ROOT
from thinslice.workflow import resources
from thinslice.workflow.resources import reserve

CONFIG = {
    "datasets": {
        "small": {"scan_shape": [100, 256, 256], "cases": {"train": 1, "val": 1, "test": 1}},
        "twice": {"scan_shape": [200, 256, 256], "cases": {"train": 1, "val": 1, "test": 1}},
        "more": {"scan_shape": [100, 256, 256], "cases": {"train": 90, "val": 9, "test": 80}},
        "unknown": {},
        "cautious": {"scan_shape": [400, 512, 512]},
        "made": {"scan_shape": [100, 256, 256], "simulated": True},
    },
    "methods": {
        "linear": {"fit": "none", "env": "core"},
        "network": {"fit": "population", "env": "torch"},
        "itself": {"fit": "volume", "env": "torch"},
        "own": {
            "fit": "population", "env": "torch", "train_mem_mb": 123, "train_minutes": 7,
            "train_threads": 3, "restore_mem_mb": 90_000, "restore_minutes": 8,
            "restore_threads": 2,
        },
    },
    "scheduling": {
        "train_threads": 4, "train_mem_mb": 4000, "train_minutes": 240,
        "restore_threads": 2, "restore_mem_mb": 3000, "restore_minutes": 60,
        "case_threads": 4,
    },
}  # fmt: skip
BY_SIZE = ["convert", "degrade", "score", "pairs", "panels", "slices", "join"]


@pytest.mark.parametrize("rule", BY_SIZE)
def test_twice_the_voxels_ask_for_more_memory_and_no_less_time(rule):
    small, twice = (reserve(rule, CONFIG, name) for name in ("small", "twice"))
    assert small.mem_mb < twice.mem_mb <= 2 * small.mem_mb
    assert small.minutes <= twice.minutes


def test_more_cases_take_longer_in_the_same_memory():
    small, more = (reserve("score", CONFIG, name) for name in ("small", "more"))
    assert small.mem_mb == more.mem_mb
    assert small.minutes < more.minutes


@given(rule=st.sampled_from(sorted(resources.COSTS)), attempt=st.integers(1, 9))
def test_a_later_try_asks_for_no_less_and_never_for_less_than_the_base(rule, attempt):
    first = reserve(rule, CONFIG, "small", "linear")
    assert first.at(1) == first
    later, last = first.at(attempt), first.at(attempt + 1)
    assert later.mem_mb <= last.mem_mb
    assert later.minutes <= last.minutes
    assert later.threads == first.threads
    assert later.mem_mb >= resources.COSTS[rule].base_mb


@pytest.mark.parametrize("rule", BY_SIZE)
def test_a_scan_of_unknown_size_counts_as_a_large_one(rule):
    assert reserve(rule, CONFIG, "unknown") == reserve(rule, CONFIG, "cautious")
    assert reserve(rule, CONFIG, "unknown").mem_mb > reserve(rule, CONFIG, "twice").mem_mb


def test_cases_are_shared_by_as_many_processes_as_have_minutes_each():
    assert reserve("score", CONFIG, "small").threads == 1
    shared = reserve("score", CONFIG, "more")
    assert shared.threads == CONFIG["scheduling"]["case_threads"]
    assert shared.on(1) == replace(shared, threads=1)
    assert shared.on(2).mem_mb > shared.on(1).mem_mb
    assert shared.on(4).minutes < shared.on(2).minutes < shared.on(1).minutes
    assert shared.on(9) == shared.on(4)
    elsewhere = {**CONFIG, "dask_scheduler": "tcp://host:8786"}
    assert reserve("score", elsewhere, "more").threads == 1


def test_the_demo_s_scans_are_made_by_two_processes_and_by_one_where_there_are_fewer():
    demo = yaml.safe_load((ROOT / "config.yaml").read_text())
    assert reserve("convert", demo, "phantom").threads == 2
    few = {**demo["datasets"]["phantom"], "cases": {"train": 1, "val": 1, "test": 1}}
    assert reserve("convert", {**demo, "datasets": {"phantom": few}}, "phantom").threads == 1


def test_making_scans_takes_more_than_reading_them():
    assert reserve("convert", CONFIG, "made").mem_mb > reserve("convert", CONFIG, "small").mem_mb


def test_each_method_in_a_picture_takes_a_volume_more():
    two, four = (reserve("panels", CONFIG, "small", shown=n) for n in (2, 4))
    assert four.mem_mb - two.mem_mb >= 2 * 4 * 100 * 256 * 256 / 1e6


def test_a_network_gets_what_the_config_says():
    training = reserve("train", CONFIG, "small", "network")
    assert (training.mem_mb, training.minutes, training.threads) == (4000, 240, 4)
    restoring = reserve("restore", CONFIG, "small", "network")
    assert (restoring.mem_mb, restoring.minutes, restoring.threads) == (3000, 60, 2)


def test_restoring_by_learning_from_the_scan_gets_what_a_training_does():
    restoring = reserve("restore", CONFIG, "small", "itself")
    assert (restoring.mem_mb, restoring.minutes, restoring.threads) == (4000, 240, 4)


def test_a_method_s_own_line_stands_before_the_config():
    training = reserve("train", CONFIG, "unknown", "own")
    assert (training.mem_mb, training.minutes, training.threads) == (123, 7, 3)
    restoring = reserve("restore", CONFIG, "unknown", "own")
    assert (restoring.mem_mb, restoring.minutes, restoring.threads) == (90_000, 8, 2)


def test_an_interpolation_asks_by_the_scan_alone():
    small, twice = (reserve("restore", CONFIG, name, "linear") for name in ("small", "twice"))
    assert small.mem_mb < twice.mem_mb < CONFIG["scheduling"]["restore_mem_mb"]


def test_restoring_never_asks_for_less_than_the_scans_take():
    config = {**CONFIG, "scheduling": {**CONFIG["scheduling"], "restore_mem_mb": 1}}
    voxels = 400 * 512 * 512
    for method in ("linear", "network"):
        assert reserve("restore", config, "unknown", method).mem_mb > 2 * 4 * voxels / 1e6


def test_an_unknown_rule_is_refused_by_name():
    with pytest.raises(LookupError, match="'dream'"):
        reserve("dream", CONFIG)


def planned(folder: Path, *arguments: str) -> str:
    command = [
        sys.executable, "-m", "snakemake", "-n", "-p", "--cores", "2",
        "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder),
        "--configfile", str(ROOT / "tests/tiny.yaml"), *arguments,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def reserved(plan: str) -> dict[str, dict[str, int]]:
    """First output of each planned job -> its resources that are numbers."""
    out = {}
    for block in re.split(r"^(?:local)?rule ", plan, flags=re.MULTILINE)[1:]:
        if output := re.search(r"^    output: ([^,\n]+)", block, re.MULTILINE):
            said = re.search(r"^    resources: (.*)", block, re.MULTILINE)
            found = re.findall(r"(\w+)=(\d+)(?:,|$)", said[1] if said else "")
            out[output[1]] = {name: int(number) for name, number in found}
    return out


def test_a_second_try_reserves_twice_as_much_and_computes_the_same(tmp_path):
    plans = [planned(tmp_path, "--attempt", attempt) for attempt in ("1", "2")]
    first, second = map(reserved, plans)
    assert len(first) > 20
    for output, needs in first.items():
        assert {"mem_mb", "runtime"} <= set(needs), f"{output} reserves {needs}"
        assert second[output]["mem_mb"] == 2 * needs["mem_mb"]
        assert second[output]["runtime"] == 2 * needs["runtime"]
        assert second[output].get("gpu") == needs.get("gpu")
    caps = [sorted(re.findall(r"\S+/restore.py .*", plan)) for plan in plans]
    assert caps[0]
    assert caps[0] == caps[1]


def test_every_rule_reserves_what_is_known_of_it_and_times_what_it_computes():
    for file in sorted((ROOT / "rules").glob("*.smk")):
        for rule, body in re.findall(
            r"^rule (\w+):\n(.*?)(?=^\S|\Z)", file.read_text(), re.MULTILINE | re.DOTALL
        ):
            of = rule.removesuffix("_shard")
            assert f'**reserve("{of}")' in body, f"{rule} reserves nothing"
            assert of in resources.COSTS
            assert ("benchmark:" in body) != rule.startswith("clean_"), f"{rule}: benchmark"


def test_the_catalogues_state_sizes_that_their_data_sets_can_have():
    for file in [ROOT / "config.yaml", *sorted((ROOT / "experiments").glob("*.yaml"))]:
        for name, line in (yaml.safe_load(file.read_text()).get("datasets") or {}).items():
            cases, settings = line.get("cases", {}), line.get("settings", {})
            patients = settings.get("patients", {})
            assert {**cases, **patients} == {**patients, **cases}, f"{file.name}: {name}"
