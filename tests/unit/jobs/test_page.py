"""The page job: what the records say of the run stands on the page and in the folder's README."""

import contextlib
import json
import re
from pathlib import Path

import pytest

from support import small_results
from thinslice.analyses import _evidence
from thinslice.jobs._run import chain, energy_kwh, run_behind
from thinslice.provenance.records import read_record, record_path


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return small_results.make(tmp_path_factory.mktemp("page") / "run")


@pytest.fixture
def run(folder):
    with contextlib.chdir(folder):
        return run_behind(small_results.EVIDENCE, _evidence.read_evidence(small_results.EVIDENCE))


def test_the_run_is_what_its_records_say(run, folder):
    assert run.datasets == {"own": 3}
    assert run.simulated == ["own"]
    assert run.jobs == 7  # fetch, convert, degrade, restore, score, gather, evidence
    assert [(line.kind, line.name) for line in run.named] == [
        ("data set", "own"), ("degradation", "box5"), ("method", "linear"), ("protocol", "v1"),
    ]  # fmt: skip
    score = read_record(folder / record_path(small_results.SCORES))
    behind = run.records[score["id"]]
    assert behind["method"] == "linear"
    assert behind["record"] == str(record_path(small_results.SCORES))
    assert run.started <= score["started"] <= run.ended


def test_a_missing_record_is_left_out(folder):
    with contextlib.chdir(folder):
        evidence = _evidence.record_of(small_results.EVIDENCE)
        whole = chain(evidence)
        raw = small_results.RAW
        text = raw.read_text()
        raw.unlink()
        try:
            assert set(chain(evidence)) == set(whole) - {raw}
        finally:
            raw.write_text(text)
        assert chain(Path("results/none.record.json")) == {}


def test_energy_is_that_of_threads_and_gpus():
    record = {"facts": {"device": "cpu"}, "command": ["train.py", "--threads", "4"], "wall_s": 3600}
    assert energy_kwh(record) == pytest.approx(0.04)
    on_gpus = {**record, "facts": {"device": "cuda:0, cuda:1", "processes": 2}}
    assert energy_kwh(on_gpus) == pytest.approx(0.84)


def test_the_page_and_the_readme_are_outputs_of_the_job(folder):
    record = read_record(folder / record_path(small_results.PAGE))
    assert {each["path"] for each in record["outputs"].values()} == {
        "results/report.html", "results/README.txt",
    }  # fmt: skip
    readme = (folder / "results/README.txt").read_text()
    for words in ("own (3 test patients)", "thinslice audit results/report.html", '"sim"'):
        assert words in readme


def test_every_link_of_the_page_leads_somewhere(folder):
    text = (folder / small_results.PAGE).read_text()
    ids = set(re.findall(r'\bid="([^"]+)"', text))
    assert len(ids) == len(re.findall(r'\bid="([^"]+)"', text)), "an id occurs twice"
    anchors = set(re.findall(r'href="#([^"]+)"', text))
    assert anchors <= ids
    files = set(re.findall(r'href="([^"#]+)"', text)) - {"logs/"}
    assert [name for name in files if not (folder / "results" / name).is_file()] == []


def test_every_number_is_in_the_data_of_the_side_panel(folder):
    text = (folder / small_results.PAGE).read_text()
    data = json.loads(re.search(r'id="rows">(.*?)</script>', text)[1])
    marks = re.findall(r'data-table="(\w+)" data-row="(\d+)"', text)
    assert len(marks) > 20
    for table, row in marks:
        columns = data["tables"][table]
        assert 1 <= int(row) <= len(columns["mean"][1])
    (ids, _) = data["tables"]["benchmark"]["records"]
    assert set(ids) <= set(data["records"])
