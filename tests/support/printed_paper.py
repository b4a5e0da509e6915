"""A small paper as an overlay has it: what is printed, and what stands in for what."""

import pandas as pd
import yaml

PAPER = """
paper: Someone et al. 2022
tables:
  table_1:
    title: "Table 1: chests"
    about: {dataset: phantom, protocol: v1, patients: 100}
    columns:
      - {title: PSNR,        degradation: acquired, metric: psnr_db scan}
      - {title: thin PSNR,   degradation: sparse_5mm, metric: psnr_db scan}
      - {title: Param,       degradation: acquired, metric: parameters}
      - {title: s,           degradation: acquired, metric: wall_s}
      - {title: GPU,         metric: null, why: memory of a graphics card is not measured}
    rows:
      - [Bicubic, cubic, ~, 35.10, ~, ~, ~]
      - [EDSR,    edsr,  36.812 ± 1.7*, 36.1, 0.412M, 2.5, 3.1]
      - [SAINT,   null,  37.90, 37.5, ~, 80, ~]
      - [TVSRN,   tvsrn, {value: 38.61, note: "38.6 in the text"}, 38.0, 1.73M, 36.22, 2.5]
  table_2:
    title: "Table 2: elsewhere"
    about: {protocol: v1, degradation: acquired}
    columns:
      - {title: hospital RMSE, dataset: hospital, metric: rmse_hu}
      - {title: RMSE,          dataset: null, metric: rmse_hu}
      - {title: MS-SSIM,       dataset: phantom, metric: ms_ssim}
    rows:
      - [TVSRN-full, tvsrn_full, 40.1, 41, 0.9]
      - [TVSRN,      tvsrn, 40.2, 42, 0.91]
      - ["5 / 2.5, cor", {method: "tv{view}", view: srn}, 41.0, ~, ~]
"""
SKIPPED = [
    ("hospital/acquired: tvsrn, edsr fitted on phantom/acquired; tvsrn_full", "it has no thick"),
    ("phantom/bell_5mm: all methods", "nothing there"),
]
SETTINGS = yaml.safe_load(PAPER)
STAND_INS = {"datasets": {"hospital": "phantom"}, "methods": {"tvsrn_full": "tvsrn"}}


def row_of(table: pd.DataFrame, line: str, column: str) -> pd.Series:
    """The one row of a printed number."""
    found = table[(table["printed_row"] == line) & (table["printed_column"] == column)]
    assert len(found) == 1
    return found.iloc[0]
