"""The audit answers for whatever people hold: tables, figures, pages, copies of them, scans."""

import json
import shutil
from pathlib import Path

import pytest

from support.small_results import FIGURE, PAGE, RESTORED, SCORES, TABLE, THIN
from thinslice.provenance.records import read_record, record_path

HOLDS = "every link holds\n"


@pytest.mark.parametrize(
    ("what", "rules"),
    [
        (TABLE, "analyse evidence gather score restore degrade convert fetch raw"),
        (TABLE.with_suffix(".md"), "analyse evidence fetch raw"),
        (TABLE.with_suffix(".tex"), "analyse evidence fetch raw"),
        (FIGURE, "figure analyse evidence fetch raw"),
        (FIGURE.with_suffix(".pdf"), "figure analyse"),
        (PAGE, "page figure analyse evidence fetch raw"),
        (record_path(PAGE), "page figure analyse"),
        (RESTORED, "restore degrade convert fetch raw"),
        (RESTORED / "a/0/zarr.json", "restore degrade convert fetch raw"),
        (THIN, "convert fetch raw"),
        (SCORES, "score restore"),
    ],
)
def test_every_file_of_results_leads_to_the_raw_scans(results, audit, what, rules):
    status, out, err = audit(what)
    assert (status, err) == (0, "")
    for rule in rules.split():
        assert f"{rule} " in out, f"no {rule} behind {what}"
    assert out.endswith(HOLDS)


def test_the_tables_behind_a_figure_and_a_page_are_computed_again(results, audit):
    assert "recomputed results/tables/patients.csv" in audit(FIGURE)[1]
    out = audit(PAGE)[1]
    assert "recomputed results/tables/patients.csv" in out
    assert "recomputed results/tables/benchmark.csv" in out


def test_the_first_three_lines_say_what_when_where_and_of_which_data(results, audit):
    what, made, data = audit(TABLE, "--row", 5)[1].splitlines()[:3]
    assert what.startswith(f"row 5 of {TABLE}, linear, on own/box5, v1, ")
    assert ": mean " in what
    record = read_record(record_path(TABLE))
    assert made.startswith(f"made {record['started'][:10]} ")
    assert f"on {record['machine']['host']} (" in made
    assert (record["git"]["commit"] or "no commit")[:12] in made
    assert "seed none" in made  # nothing here draws
    assert f"python {record['packages']['python']}" in made
    assert data.startswith("data n = 3; own (3 test; 4 raw files, sha256 ")


def test_a_page_says_what_it_is_without_a_row(results, audit):
    what, made, data = audit(PAGE)[1].splitlines()[:3]
    assert what.startswith(f"{PAGE}, results/README.txt: made by rule page, record ")
    assert made.startswith("made ")
    assert data.startswith("data own (3 test;")


def test_one_cell_of_a_row(results, audit):
    status, out, _ = audit(TABLE, "--row", 5, "--cell", "high")
    assert status == 0
    assert ": high " in out.splitlines()[0]


def test_verbose_prints_the_settings_of_each_link(results, audit):
    plain, verbose = audit(TABLE)[1], audit(TABLE, "--verbose")[1]
    for words in ("degradation: code ", "'thickness_mm': 5.0", "command: ", "seed None; commit "):
        assert words in verbose
        assert words not in plain


def test_json_holds_the_same(results, audit):
    status, out, _ = audit(TABLE, "--row", 5, "--json")
    answer = json.loads(out)
    assert (status, answer["status"]) == (0, 0)
    assert answer["problems"] == answer["removed"] == answer["elsewhere"] == []
    assert answer["lines"] == audit(TABLE, "--row", 5)[1].splitlines()[:3]
    assert answer["summary"]["data"]["own"]["cases"] == {"test": 3}
    assert answer["links"][0]["rule"] == "analyse"
    assert answer["links"][0]["record_id"] == read_record(record_path(TABLE))["id"]
    assert answer["recomputed"]


def test_json_of_a_broken_chain_names_what_is_broken(results, audit):
    SCORES.write_text(SCORES.read_text() + "\n")
    status, out, _ = audit(TABLE, "--json")
    answer = json.loads(out)
    assert (status, answer["status"]) == (1, 1)
    assert any(str(SCORES) in problem for problem in answer["problems"])


@pytest.mark.parametrize("what", [TABLE, FIGURE, FIGURE.with_suffix(".pdf"), PAGE])
def test_a_copy_elsewhere_is_known_by_its_bytes(results, audit, monkeypatch, what):
    paper = results.parent / "paper"
    paper.mkdir()
    shutil.copy(what, paper / f"figure3{what.suffix}")
    monkeypatch.chdir(paper)
    status, out, err = audit(f"figure3{what.suffix}", "--results", results / "results")
    assert (status, err) == (0, "")
    assert str(what) in out
    (paper / f"figure3{what.suffix}").write_bytes(what.name.encode())
    status, out, err = audit(f"figure3{what.suffix}", "--results", results / "results")
    assert (status, out) == (2, "")
    assert "no record names figure3" in err


def test_results_of_another_name_are_audited_where_they_are(results, audit, monkeypatch):
    (results / "results").rename(results.parent / "of the paper")
    monkeypatch.chdir(results.parent)
    place = Path("of the paper/tables/benchmark.csv")
    assert audit(place, "--row", 5)[0] == 0
    assert audit(read_record(record_path(place))["id"], "--results", "of the paper")[0] == 0
    (results.parent / "of the paper" / SCORES.relative_to("results")).write_text("")
    status, out, _ = audit(place)
    assert status == 1
    assert f"BROKEN  {SCORES} was changed" in out


def test_results_through_a_link_from_another_folder(results, audit, monkeypatch):
    (results / "results").rename(results.parent / "disk")
    (results / "results").symlink_to(results.parent / "disk")
    monkeypatch.chdir(results.parent)
    for what in (f"run/{TABLE}", f"disk/{TABLE.relative_to('results')}", results / PAGE):
        status, out, err = audit(what)
        assert (status, err) == (0, ""), out
        assert out.endswith(HOLDS)
