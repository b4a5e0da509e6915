"""Every number of the demo in README and tutorial is one that the demo printed."""

import re

import pandas as pd
import pytest
import yaml

from support import demo
from support.paths import ROOT
from thinslice import plugins
from thinslice.report import terminal
from thinslice.report.tables import typeset, wording
from thinslice.report.tables.benchmark import main_sheets
from thinslice.report.tables.typeset import AnalysisTable

README = (ROOT / "README.md").read_text()
TUTORIAL = (ROOT / "docs/tutorial/demo.md").read_text()
RMSE, GAPS = demo.rows("benchmark"), demo.rows("domain_gap")
WHOLE = RMSE[RMSE["phase_mm"] == ""]
KINDS = ("acquired", "box5")  # that networks are fitted on
ONE_DECIMAL = re.compile(r"(?<![\w.-])\d+\.\d(?![\w.])")
OF_NO_TABLE = {"1.1", "0.6", "4.0"}  # moved by another CPU; GiB of a job; a setting to change
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
ANEW = "write it anew: tests/support/demo.py says how"


def plain(text: str) -> str:
    """Text without line breaks, as a reader sees it."""
    return " ".join(text.split())


def number(value: float) -> str:
    return wording.number(value, "HU")


def mean(method: str, degradation: str, fitted_on: str = "") -> float:
    table = WHOLE[(WHOLE["method"] == method) & (WHOLE["degradation"] == degradation)]
    (value,) = table[table["fitted_on"] == fitted_on]["mean"]
    return value


def gap(fitted_on: str, tested_on: str) -> pd.Series:
    of_unet = GAPS[GAPS["method"] == "plane_unet"].set_index(["fitted_on", "tested_on"])
    return of_unet.loc[(f"phantom/{fitted_on}", f"phantom/{tested_on}")]


def own_kind() -> pd.DataFrame:
    """Rows of methods on the slices they were fitted on, as without the gap's cells."""
    on = WHOLE["dataset"] + "/" + WHOLE["degradation"]
    rows = WHOLE[(WHOLE["fitted_on"] == "") | (WHOLE["fitted_on"] == on)].drop(columns="row")
    return rows.assign(fidelity=rows["method"].map(label))


def label(method: str) -> str:
    """The fidelity of a method of the demo: the code says it, not the run."""
    card = {"name": method, **CONFIG["methods"][method]}
    return plugins.build("methods", card).about.fidelity_of(card.get("settings", {}))


def test_the_readme_s_table_is_the_demo_s():
    sheet = main_sheets(own_kind())[0]
    printed = typeset.markdown(AnalysisTable("benchmark", "benchmark", own_kind()))
    # Addresses are left out: rows are counted in the fixture, which is a part of the demo's table.
    lines = [line.partition(" <!--")[0] for line in printed.splitlines() if line.startswith("|")]
    assert "\n".join(lines[: len(sheet.rows) + 2]) in README, ANEW  # with head and rule
    assert plain(sheet.caption) in plain(README)
    for note in sheet.notes:
        assert f"- {note}" in README


def test_the_tutorial_s_table_is_what_the_demo_prints():
    printed = terminal.main_table(own_kind()).splitlines()
    names = {*WHOLE["method"], "method"}
    table = [line for line in printed if line.split(" ")[0] in names or line.startswith("---")]
    assert len(table) == len(names) + 1
    assert "\n".join(table) in TUTORIAL, "\n".join(table)


def test_the_table_by_distance():
    for method in ("nearest", "cubic", "edsr_small", "plane_unet"):
        rows = RMSE[(RMSE["method"] == method) & (RMSE["degradation"] == "acquired")]
        rows = rows[rows["fitted_on"].isin(["", "phantom/acquired"])].set_index("phase_mm")
        numbers = " | ".join(number(rows["mean"][phase]) for phase in ("0", "1", "2"))
        assert f"| `{method}` | {numbers} |" in TUTORIAL


@pytest.mark.parametrize("fitted_on", KINDS)
def test_the_table_of_gaps(fitted_on):
    cells = [gap(fitted_on, tested_on) for tested_on in KINDS]
    drops = [
        "" if fitted_on == "acquired" else f" ({wording.signed(c['drop'], 'HU')})" for c in cells
    ]
    numbers = " | ".join(f"{number(c['mean'])}{drop}" for c, drop in zip(cells, drops))
    assert f"| {fitted_on} | {numbers} |" in TUTORIAL


def test_sentences_about_the_gap():
    lost = gap("box5", "acquired")["drop"]
    assert (
        f"`plane_unet` fitted on averaged slices loses {lost:.0f} HU against itself fitted on "
        "acquired ones"
    ) in plain(README)
    assert f"weights fitted on averaged slices lose {lost:.0f} HU" in plain(TUTORIAL)
    for tested_on in KINDS:
        best = min(KINDS, key=lambda kind: gap(kind, tested_on)["mean"])
        assert best == tested_on, "In both columns the weights fitted on that kind are best"
    assert f"no p value below {0.5**4} is possible" in plain(TUTORIAL)


def test_sentences_about_the_best_method():
    ours, others = (
        mean("plane_unet", "acquired", "phantom/acquired"),
        {name: mean(name, "acquired") for name in ("nearest", "linear", "cubic", "lanczos3")},
    )
    best = min(others, key=lambda name: others[name])
    below = 100 * (1 - ours / others[best])
    assert (
        f"`plane_unet` has {number(ours)} HU on acquired slices, {below:.0f} % below the best "
        f"interpolation (`{best}`, {number(others[best])})"
    ) in plain(TUTORIAL)
    (row,) = WHOLE[WHOLE["mean"] == ours]["row"]
    assert f"Row {row} of `benchmark.csv` is the {number(ours)} above" in TUTORIAL
    assert f"thinslice audit results/tables/benchmark.csv --row {row}\n" in TUTORIAL
    assert f"moved by up to {demo.MOVED_HU} HU" in README


def test_no_number_is_typed_by_hand():
    columns = [RMSE["mean"], RMSE["low"], RMSE["high"], GAPS["mean"]]
    printed = {number(value) for column in columns for value in column.dropna()}
    printed |= {wording.signed(drop, "HU").lstrip("+-") for drop in GAPS["drop"].dropna()}
    tutorial = re.search(r"^## 2\..*?(?=^## 5\.)", TUTORIAL, re.MULTILINE | re.DOTALL)
    assert tutorial
    for text in (README, tutorial[0]):
        assert set(ONE_DECIMAL.findall(text)) - printed - OF_NO_TABLE == set()
