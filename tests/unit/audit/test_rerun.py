"""A cell is made again from raw data, compared, and stamped; a stamp that was edited is named."""

import json
import shutil
from pathlib import Path

import pytest

from support import scripted_cell
from support.scripted_cell import SCORES
from thinslice.audit.rerun import agreement, cells, steps
from thinslice.cli.command import main
from thinslice.errors import Refused
from thinslice.provenance import environment, reruns
from thinslice.provenance.records import FORMAT, record_id, record_path, record_text, sha256_of

TABLE = "results/tables/benchmark.csv"
RECORD = record_path(SCORES)


@pytest.fixture(scope="module")
def scripted(tmp_path_factory) -> Path:
    return scripted_cell.make(tmp_path_factory.mktemp("scripted") / "run")


@pytest.fixture
def made(scripted, tmp_path, monkeypatch) -> Path:
    shutil.copytree(scripted, tmp_path / "run")
    monkeypatch.chdir(tmp_path / "run")
    return tmp_path / "run"


def stamp(**changed) -> dict:
    """A stamp as reruns writes it."""
    whole = {"record": "a" * 16, "cell": str(SCORES), "date": "2026-11-30T10:00:00+00:00"}
    whole |= {"agreement": reruns.EQUAL, "largest": {"HU": 0.0}, "machine": environment.machine()}
    return whole | changed


@pytest.mark.slow
def test_a_cell_made_again_here_is_bit_equal_and_the_audit_says_so(made, capsys):
    assert main(["rerun", TABLE, "--row", "1"]) == 0
    out = capsys.readouterr().out
    assert f"made again: {SCORES} on 20" in out
    assert out.count("bit-equal") == 6  # five jobs, and the cell
    assert main(["audit", TABLE]) == 0
    assert f"made again {SCORES}" in capsys.readouterr().out
    assert main(["rerun", "--sample", "20", "--results", "results", TABLE]) == 0
    assert len(reruns.read()) == 2


@pytest.mark.slow
def test_one_that_differs_is_named_by_its_job(made, capsys):
    """As if the scores in the results had been made from something else: hashes all agree."""
    text = SCORES.read_text()
    value = text.splitlines()[1].split(",")[12]
    SCORES.write_text(text.replace(value, "1.5"))
    content = json.loads(RECORD.read_text())
    del content["id"]
    content["outputs"]["scores"]["sha256"] = sha256_of(SCORES)
    identity = record_id(content)
    RECORD.write_text(record_text({"id": identity, **content}))
    assert main(["rerun", str(SCORES)]) == 1
    out = capsys.readouterr().out
    assert f"score {RECORD}: differs" in out
    assert out.count("bit-equal") == 4
    assert "differs (largest difference" in out


def test_the_jobs_of_a_cell_come_in_the_order_in_which_they_can_run(made):
    rules = [step.content["rule"] for step in steps.of_cell(RECORD)]
    assert sorted(rules) == ["convert", "degrade", "fetch", "restore", "score"]
    places = {rule: k for k, rule in enumerate(rules)}
    for before, after in [("fetch", "convert"), ("convert", "degrade"), ("restore", "score")]:
        assert places[before] < places[after]


def chained(rule: str, *inputs: str) -> str:
    """Where the made-up record of a job lies, and those of the jobs it rests on."""
    path = Path(f"results/{rule}.record.json")
    links = {name: {"record": name, "path": name} for name in inputs}
    outputs = {"made": {"path": f"results/{rule}"}}
    content = {"format": FORMAT, "rule": rule, "command": [f"{rule}.py"], "inputs": links}
    content |= {"outputs": outputs}
    path.parent.mkdir(exist_ok=True)
    path.write_text(record_text({"id": record_id(content), **content}))
    return str(path)


def test_weights_are_fitted_again_unless_they_are_to_be_taken_as_they_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    thick, training = chained("convert"), chained("degrade")
    score = Path(chained("score", chained("restore", chained("train", training), thick)))

    def rules(keep_weights: bool) -> dict[str, bool]:
        cell = steps.of_cell(score, keep_weights=keep_weights)
        return {step.content["rule"]: step.as_input for step in cell}

    again = dict.fromkeys(("convert", "degrade", "train", "restore", "score"), False)
    assert rules(keep_weights=False) == again
    del again["degrade"]  # the scans that only the training saw
    assert rules(keep_weights=True) == {**again, "train": True}


def test_a_cell_joined_from_shards_is_made_by_one_job():
    content = {"command": ["join_shards.py", "--shards", "a.zarr", "b.zarr", "--card", "{}"]}
    step = steps.Step(Path("a.record.json"), content, False)
    assert step.command == [
        "restore.py", "--work", "results/work", "--device", "auto", "--card", "{}",
    ]  # fmt: skip


def test_jobs_of_a_command_that_is_not_here_are_refused(results):
    score = Path("results/scores/own/box5/linear/untrained.record.json")
    with pytest.raises(Refused, match="which is not here; run this in the checkout"):
        steps.of_cell(score)


def test_a_job_that_a_cluster_computed_is_made_again_here():
    content = {"command": ["score.py", "--threads", "1", "--dask=tcp://gone:8786", "--work", "w"]}
    step = steps.Step(Path("a.record.json"), content, False)
    assert step.command == ["score.py", "--threads", "1", "--work", "w"]


def rewritten(record: Path, **changed) -> None:
    """A stranger's record, whole in itself."""
    content = {**json.loads(record.read_text()), **changed}
    del content["id"]
    record.write_text(record_text({"id": record_id(content), **content}))


@pytest.mark.parametrize(
    "script", ["/tmp/evil.py", "../setup/evil.py", "../workflow_scripts/score.py"]
)
def test_only_scripts_of_the_workflow_are_run(made, script):
    rewritten(RECORD, command=[script])
    with pytest.raises(Refused, match="which is not here"):
        steps.of_cell(RECORD)


@pytest.mark.parametrize("path", ["/home/x.csv", "results/../../x.csv", "x.csv"])
def test_a_job_that_made_something_outside_results_is_refused(made, path):
    outputs = {"scores": {"path": path, "sha256": "0" * 64}}
    rewritten(RECORD, outputs=outputs)
    with pytest.raises(Refused, match="a path outside results"):
        steps.of_cell(RECORD)


def test_cells_are_drawn_by_the_seed_alone():
    paths = [Path(f"{k}.record.json") for k in range(50)]
    first = cells.sample(paths, 20, 3)
    assert first == cells.sample(paths, 20, 3) != cells.sample(paths, 20, 4)
    assert len({*first}) == 20
    assert cells.sample(paths[:2], 20, 0) == paths[:2]
    with pytest.raises(Refused, match="fewer than one"):
        cells.sample(paths, 0, 0)


@pytest.mark.parametrize("what", ["results/raw/phantom.record.json", "results/none.csv"])
def test_what_rests_on_no_cell_is_refused(made, what, capsys):
    assert main(["rerun", what]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not reruns.FILE.exists()


def table(path: Path, value: str, metric: str = "rmse_hu", unit: str = "HU") -> Path:
    head = "case,protocol,metric,view,range,phase_mm,unit,value"
    path.write_text(f"{head}\na,v1,{metric},,,,{unit},{value}\n")
    return path


@pytest.mark.parametrize(
    ("now", "elsewhere", "trained", "word"),
    [
        ("40.0", False, False, reruns.EQUAL),
        ("40.04", True, False, reruns.WITHIN),
        ("40.06", True, False, reruns.DIFFERS),
        ("40.04", False, False, reruns.DIFFERS),  # the same processor and packages
        ("40.7", True, True, reruns.WITHIN),
        ("40.9", True, True, reruns.DIFFERS),
        ("", True, True, reruns.DIFFERS),
        ("inf", True, True, reruns.DIFFERS),
    ],
)
def test_agreement_is_bit_equal_here_and_within_tolerance_elsewhere(
    tmp_path, now, elsewhere, trained, word
):
    machine = {**environment.machine(), **({"cpu": "another"} if elsewhere else {})}
    record = {"machine": machine, "packages": environment.versions()}
    paths = table(tmp_path / "then.csv", "40.0"), table(tmp_path / "now.csv", now)
    assert agreement.word(*paths, record, trained=trained) == word


def test_two_equal_infinities_agree_and_a_score_that_is_gone_does_not(tmp_path):
    infinite = table(tmp_path / "a.csv", "inf"), table(tmp_path / "b.csv", "inf")
    assert agreement.differences(*infinite) == {"HU": 0.0}
    other = table(tmp_path / "c.csv", "inf", metric="mae_hu")
    assert agreement.differences(infinite[0], other)["HU"] == float("inf")


def test_stamps_are_kept_and_only_the_last_of_a_record_counts(tmp_path):
    path = tmp_path / "reruns.json"
    assert reruns.read(path) == []
    reruns.add([stamp()], path)
    reruns.add([stamp(agreement=reruns.DIFFERS), stamp(record="b" * 16)], path)
    assert [each["agreement"] for each in reruns.read(path)] == [
        "bit-equal",
        "differs",
        "bit-equal",
    ]
    assert [s["agreement"] for s in reruns.latest(reruns.read(path), ["a" * 16])] == ["differs"]
    assert "2026-11-30" in reruns.words(stamp())


def test_edited_stamps_are_named_by_the_audit(results, audit):
    reruns.add([stamp()])
    status, out, _ = audit("results/report.html")
    assert (status, "reruns -" in out) == (0, True)
    whole = reruns.FILE.read_text()
    for text in (whole.replace("bit-equal", "bit-equaL"), whole[:-1], whole + " ", "[]"):
        reruns.FILE.write_text(text)
        status, out, _ = audit("results/report.html")
        assert status == 1
        assert f"BROKEN  {reruns.FILE}" in out
