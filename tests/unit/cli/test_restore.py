"""``thinslice restore``: how much it prints, its JSON, and what it refuses before any work."""

import json

import jsonschema
import pytest

from support.nifti_maker import saved, scan_ras
from support.restore import SCHEMA, restored
from thinslice.restoration.verdict import Verdict, listed

LINEAR = ("--method", "linear")


@pytest.fixture
def scan(tmp_path):
    return saved(tmp_path / "a.nii.gz", *scan_ras())


def test_a_warning_is_printed_once_and_the_last_lines_say_how_far_to_trust_it(capsys, scan):
    status, out, err = restored(capsys, scan, scan.with_name("b.nii.gz"), *LINEAR)
    assert status == 0
    lines = err.splitlines()
    assert "warning: the file does not state the slice thickness" in err
    assert len(lines) == len(set(lines))
    *_, written, files, trust, notice = out.splitlines()
    assert written.startswith("written  ")
    assert files.split() == ["b.nii.gz.thinslice.json,", "b.nii.gz.preview.png"]
    assert trust.startswith("Trust: ")
    assert notice.startswith("Not a medical device")


def test_quiet_leaves_warnings_alone_and_verbose_adds_settings(capsys, scan):
    out = scan.with_name("b.nii.gz")
    status, printed, err = restored(capsys, scan, out, *LINEAR, "-q")
    assert (status, printed) == (0, "")
    assert all(line.startswith("warning: ") for line in err.splitlines())
    assert out.exists()
    _, printed, _ = restored(capsys, scan, out, *LINEAR, "--dry-run", "--overwrite", "-v")
    assert {"settings", "memory", "versions"} <= {line.split()[0] for line in printed.splitlines()}


def test_json_is_the_statement_and_nothing_else(capsys, scan):
    out = scan.with_name("b.nii.gz")
    status, printed, _ = restored(capsys, scan, out, *LINEAR, "--json")
    assert status == 0
    jsonschema.validate(json.loads(printed), SCHEMA)
    assert printed == out.with_name("b.nii.gz.thinslice.json").read_text()


def test_json_of_a_dry_run_is_the_plan(capsys, scan):
    out = scan.with_name("b.nii.gz")
    status, printed, _ = restored(capsys, scan, out, *LINEAR, "--json", "--dry-run")
    plan = json.loads(printed)
    assert (status, out.exists()) == (0, False)
    assert plan["method"]["card"] == {"name": "linear", "module": "interpolation"} | {
        "settings": plan["method"]["card"].get("settings", {})
    }
    assert plan["grids"]["output"]["thickness_mm"] == 1.0


@pytest.mark.parametrize("extra", [(), ("--dry-run",)])
def test_a_cap_below_what_the_scan_takes_is_refused_before_any_work(capsys, scan, extra):
    out = scan.with_name("b.nii.gz")
    status, _, err = restored(capsys, scan, out, *LINEAR, "--max-memory", "10M", *extra)
    assert (status, out.exists()) == (2, False)
    assert "a memory cap of 0.00977 GiB is too low" in err
    assert "--max-memory" in err
    assert "-" not in err.split("need ")[1][:8]


def test_a_folder_that_is_not_there_is_refused_and_not_made(capsys, scan):
    folder = scan.with_name("typo")
    status, _, err = restored(capsys, scan, folder / "deep" / "b.nii.gz", *LINEAR)
    assert (status, folder.exists()) == (2, False)
    assert f"mkdir -p {folder / 'deep'}" in err


def test_what_was_computed_is_noticed_when_it_comes_back(capsys, scan):
    first, second = scan.with_name("b.nii.gz"), scan.with_name("c.nii.gz")
    restored(capsys, scan, first, *LINEAR)
    _, _, err = restored(capsys, first, second, *LINEAR, "--thickness", "0.8", "--increment", "0.8")
    assert "warning: this scan was computed from another one, not acquired (computed by" in err


ADVICE = {
    "low, look at slices 12 to 18, 30, because, made": (False, (), [*range(12, 19), 30]),
    "unknown, compare it with the thick scan, because made": (None, (), []),
    "limited, compare it with the thick scan, because the scan is unlike": (True, ("MR",), []),
    "good, as far as the thick slices can tell: made": (True, (), []),
}


@pytest.mark.parametrize("words", ADVICE)
def test_trust_is_a_word_and_what_to_look_at(words):
    agrees, outside, flagged = ADVICE[words]
    assert Verdict(agrees, "made thick again ...").advice(outside, flagged).startswith(words)


def test_runs_of_numbers_are_shortened():
    assert listed([1, 2, 4, 5, 6, 9]) == "1, 2, 4 to 6, 9"
    assert listed(range(1, 30, 2)) == "1, 3, 5, 7, 9, 11, ..."
    assert listed([]) == ""
