"""A printed number leads to the cells that print it."""

import json
from pathlib import Path

import pandas as pd
import pytest

from support.small_results import FIGURE, PAGE, TABLE
from thinslice.audit import printed, question
from thinslice.errors import Refused

ROWS = [
    {"method": "a", "metric": "rmse_hu", "unit": "HU", "mean": 59.28, "n": 4, "p": 0.0625},
    {"method": "b", "metric": "rmse_hu", "unit": "HU", "mean": 59.34, "n": 59, "p": 0.00001},
    {"method": "c", "metric": "ssim", "unit": "1", "mean": 0.98765, "n": 4, "p": float("nan")},
    {"method": "d", "metric": "psnr_db", "unit": "dB", "mean": float("inf"), "n": 4, "drop": -4.2},
    {"method": "e", "metric": "rmse_hu", "unit": "HU", "n": 4, "parameters": 121009, "drop": 4.2},
]


@pytest.fixture
def table(tmp_path) -> Path:
    path = tmp_path / "benchmark.csv"
    pd.DataFrame(ROWS).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    ("number", "cells"),
    [
        ("59.3", [(1, "mean"), (2, "mean")]),
        ("59.28", [(1, "mean")]),
        ("59", [(2, "n")]),
        ("0.9877", [(3, "mean")]),
        ("0.988", [(3, "mean")]),
        ("0.0625", [(1, "p")]),
        ("∞", [(4, "mean")]),
        ("-4.2", [(4, "drop")]),
        ("\N{MINUS SIGN}4.2", [(4, "drop")]),
        ("+4.2", [(5, "drop")]),
        ("121 k", [(5, "parameters")]),
        ("59.4", []),
        ("4.3", []),
    ],
)
def test_cells_that_print_a_number(table, number, cells):
    assert [(cell.row, cell.column) for cell in printed.find(number, [table])] == cells


@pytest.mark.parametrize("words", ["", "plane_unet", "59,3", "1e5", "nan"])
def test_what_is_no_number_is_refused(table, words):
    with pytest.raises(Refused, match="is no number as tables print it"):
        printed.find(words, [table])


def test_the_command_finds_what_the_typeset_table_prints(results, audit):
    rows = pd.read_csv(TABLE)
    k = int(rows.index[(rows["metric"] == "rmse_hu") & rows["view"].isna()][0])
    number = f"{rows['mean'][k]:.1f}"
    assert number in TABLE.with_suffix(".md").read_text()
    line = f"{TABLE} --row {k + 1} --cell mean  "
    for words in ([], [TABLE], [PAGE]):
        status, out, _ = audit(*words, "--find", number)
        assert status == 0
        assert any(each.startswith(line) for each in out.splitlines()), out
    assert str(TABLE) not in audit(FIGURE, "--find", number)[1]  # drawn from another table
    cells = json.loads(audit("--find", number, "--json")[1])
    assert {"table": str(TABLE), "row": k + 1, "column": "mean"}.items() <= next(
        cell for cell in cells if cell["table"] == str(TABLE) and cell["row"] == k + 1
    ).items()
    address = line.split()
    assert audit(*address)[0] == 0  # what it prints can be given back


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--find", "7777.7"), "no cell of these tables prints 7777.7"),
        (("--find", "7777.7", "--results", "away"), "no folder away/tables"),
        (("results/thin/own.zarr", "--find", "1.0"), "rests on no table"),
        (("nowhere.csv", "--find", "1.0"), "no file nowhere.csv"),
        ((), "name a file of results"),
    ],
)
def test_a_number_that_no_cell_prints_is_a_question(results, audit, words, line):
    status, out, err = audit(*words)
    assert (status, out) == (2, "")
    assert line in err


def test_a_row_of_a_stand_in_says_so_beside_the_paper_s_metric():
    cells = {"method": "tvsrn", "metric": "ms_ssim", "stand_in": "ssim for ms_ssim"}
    assert question.row_words(cells) == "tvsrn, ms_ssim, a stand-in: ssim for ms_ssim"
    assert "stand-in" not in question.row_words({**cells, "stand_in": ""})
