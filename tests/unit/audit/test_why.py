"""``why`` names what changed since a result was made: a module, a setting, an input, a file."""

import json
import sys
from pathlib import Path

import pytest

from thinslice.audit import cards, lookup, places, why
from thinslice.cli.command import main
from thinslice.fs.atomic import write_text
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import read_record, record_id, record_path, record_text

CARD = {"name": "toy", "module": "box", "settings": {"thickness_mm": 5}, "code": "0123"}
CONFIG = {"degradations": {"toy": {"module": "box", "settings": {"thickness_mm": 5}}}}
THICK, SCORES = Path("results/thick/box5.csv"), Path("results/scores/box5.csv")


def make(path: Path, rule: str = "degrade", text: str = "1\n", **inputs: Path) -> None:
    with recorded_job(
        record_path(path),
        rule=rule,
        cards={"degradation": CARD},
        inputs=inputs,
        plugins=["thinslice.metrics.errors"],
    ) as job:
        write_text(path, text)
        job.output("table", path)


@pytest.fixture(autouse=True)
def made(tmp_path, monkeypatch) -> None:
    """Scores made from thick slices, by a script of the workflow."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["degrade.py"])
    make(THICK)
    make(SCORES, "score", thick=THICK)


def words(config=CONFIG) -> list[tuple[str, str]]:
    return [tuple(change) for change in why.changes(record_path(SCORES), config)]


def test_nothing_changed():
    assert words() == []


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (lambda then: {**then, "thinslice.volume": "0"}, "code: thinslice.volume changed"),
        (lambda then: {**then, "thinslice.new": "0"}, "code: thinslice.new is used now"),
        (
            lambda then: {name: each for name, each in then.items() if name != "degrade.py"},
            "code: degrade.py is no longer used",
        ),
    ],
)
def test_a_module_is_named_with_every_result_it_is_behind(monkeypatch, now, said):
    then = read_record(record_path(THICK))["modules"]
    assert {"degrade.py", "thinslice.volume", "thinslice.metrics.errors"} <= set(then)
    monkeypatch.setattr(why, "modules_of", lambda script, plugins: now(then))
    assert words() == [(said, str(SCORES)), (said, str(THICK))]


def test_a_plug_in_that_is_gone_is_named(monkeypatch):
    def gone(script, plugins):
        raise LookupError("no source for module 'thinslice.metrics.errors'")

    monkeypatch.setattr(why, "modules_of", gone)
    assert ("code: no source for module 'thinslice.metrics.errors'", str(THICK)) in words()


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            {"module": "box", "settings": {"thickness_mm": 4}},
            "config: degradations.toy.settings.thickness_mm was 5, is 4",
        ),
        (
            {"module": "box", "settings": {"thickness_mm": 5, "increment_mm": 2}},
            "config: degradations.toy.settings.increment_mm was not set, is 2",
        ),
        (
            {"settings": {"thickness_mm": 5}},
            "config: degradations.toy.module was 'box', is not set",
        ),
        (None, "config: degradations.toy is gone"),
    ],
)
def test_a_setting_is_named_with_both_its_values(entry, said):
    config = {"degradations": {"toy": entry} if entry else {}}
    assert words(config) == [(said, str(SCORES)), (said, str(THICK))]


def test_a_protocol_that_is_new_is_named():
    protocols = {"protocols": [{"name": "v1", "code": "0"}]}
    config = {"protocols": {"v1": {}, "tvsrn": {}}}
    assert list(cards.changed_cards(protocols, config)) == ["config: protocols.tvsrn is new"]


def test_scheduling_is_no_setting():
    config = {"degradations": {"toy": {**CONFIG["degradations"]["toy"], "train_mem_mb": 9}}}
    assert words(config) == []


def test_an_input_made_again_is_named():
    make(THICK, text="2\n")
    assert words() == [(f"input: {THICK} (thick) was made again", str(SCORES))]


def test_a_file_that_is_not_what_its_record_says_is_named():
    THICK.write_text("2\n")
    assert words() == [(f"result: {THICK} is not what {record_path(THICK)} says", str(THICK))]
    SCORES.unlink()
    assert (f"result: {SCORES} is missing", str(SCORES)) in words()


def test_a_record_of_the_former_format_is_refused_with_advice():
    record = record_path(THICK)
    content = {**read_record(record), "format": 1}
    del content["id"]
    record.write_text(record_text({"id": record_id(content), **content}))
    ((said, result),) = words()
    assert "has format 1" in said
    assert "run the workflow again" in said
    assert result == str(record)


def test_the_folder_is_found_wherever_it_was_moved(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "results").rename(tmp_path / "elsewhere/results")
    record = lookup.naming(tmp_path / "elsewhere" / SCORES)
    assert places.place_of(record).folder == tmp_path / "elsewhere"


@pytest.mark.parametrize("name", ["results/scores/none.csv", "nowhere/at/all.csv"])
def test_what_no_record_names_cannot_be_told(name, capsys):
    assert main(["why", name]) == 2
    assert "no record names" in capsys.readouterr().err


def test_where_nothing_was_run_it_says_so(tmp_path, monkeypatch, capsys):
    """Not: give a file of results/, such as the one that was named."""
    (tmp_path / "fresh").mkdir()
    monkeypatch.chdir(tmp_path / "fresh")
    assert main(["why", "results/tables/benchmark.csv"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "results/tables/benchmark.csv: nothing was run in this folder yet; run" in line


def test_the_command_says_that_nothing_changed(tmp_path, capsys):
    other = tmp_path / "other.yaml"
    degradation = {"module": "box", "settings": {"thickness_mm": 5}}
    other.write_text(json.dumps({"degradations": {"toy": degradation}}))
    assert main(["why", str(SCORES), "--configfile", str(other)]) == 0
    assert "up to date" in capsys.readouterr().out
    degradation["settings"]["thickness_mm"] = 4
    other.write_text(json.dumps({"degradations": {"toy": degradation}}))
    assert main(["why", str(SCORES), "--configfile", str(other)]) == 1
    printed = capsys.readouterr().out
    assert "thickness_mm was 5, is 4" in printed
    assert f"makes again {SCORES} and 1 more" in printed


def test_a_change_of_config_reminds_of_a_config_of_its_own(tmp_path, capsys, monkeypatch):
    (tmp_path / "config.yaml").write_text(json.dumps({"datasets": {}, "degradations": {}}))
    monkeypatch.setattr("thinslice.cli.why.CONFIG", tmp_path / "config.yaml")
    assert main(["why", str(SCORES)]) == 1
    printed = capsys.readouterr().out
    assert "config: degradations.toy is gone" in printed
    assert f"thinslice why {SCORES} --configfile FILE" in printed.splitlines()[-1]
    assert main(["why", str(SCORES), "--config", "degradations={}"]) == 1
    assert "--configfile" not in capsys.readouterr().out


def test_a_change_of_code_does_not(tmp_path, capsys, monkeypatch):
    (tmp_path / "config.yaml").write_text(json.dumps({"datasets": {}, **CONFIG}))
    monkeypatch.setattr("thinslice.cli.why.CONFIG", tmp_path / "config.yaml")
    monkeypatch.setattr(why, "modules_of", lambda script, plugins: {})
    assert main(["why", str(SCORES)]) == 1
    assert "--configfile" not in capsys.readouterr().out
