"""Names of metrics are the columns of METRIC and back; no column is described twice."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from thinslice import columns
from thinslice.columns import COLUMNS, METRIC, metric_name, metric_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rmse_hu", ("rmse_hu", "", "", "")),
        ("rmse_hu 2.5mm", ("rmse_hu", "", "", "2.5")),
        ("psnr_db scan", ("psnr_db", "", "scan", "")),
        ("ssim coronal", ("ssim", "coronal", "", "")),
        ("ssim 3d lung", ("ssim", "3d", "lung", "")),
        ("rmse_hu axial soft 0mm", ("rmse_hu", "axial", "soft", "0")),
    ],
)
def test_a_name_is_its_columns_and_back(name, expected):
    assert metric_of(name) == dict(zip(METRIC, expected))
    assert metric_name(metric_of(name)) == name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "is no metric"),
        ("  ssim", "is no metric"),
        ("ssim lung coronal", "metric, view, range and phase"),  # in this order alone
        ("ssim coronal axial", "two of view: coronal and axial"),
        ("psnr_db lung soft", "two of range"),
    ],
)
def test_what_is_no_name_is_refused_with_the_form(name, words):
    with pytest.raises(ValueError, match=words):
        metric_of(name)


def test_every_column_is_described_once_with_a_known_type():
    names = [column.name for column in COLUMNS]
    assert len(set(names)) == len(names)
    assert {column.dtype for column in COLUMNS} == {"text", "int", "float"}
    assert {*columns.SCORES, *columns.RUNS, *columns.PAIRS} <= set(names)
    assert all(column.meaning for column in COLUMNS)


def test_rows_as_csv_are_the_text_that_pandas_writes():
    odd = [1, 0.1, 1e-5, 1e16, -0.0, float("nan"), None, float("inf"), np.float32(0.1), 2**53]
    rows = [
        {"case": f'a,"{i}"', "sim": "", "value": value, "n": i, "phase_mm": "0.50"}
        for i, value in enumerate(odd)
    ]
    rows[1] |= {"mask": "00ff"}  # a column that only some rows have
    assert columns.csv_text(rows) == pd.DataFrame(rows).to_csv(index=False)
    assert columns.csv_text([]) == pd.DataFrame([]).to_csv(index=False)


@pytest.mark.parametrize("job", ["score", "pairs", "restore", "degrade", "convert", "fetch"])
def test_jobs_of_one_cell_import_no_pandas(job):
    code = f"import sys, thinslice.jobs.{job}; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
