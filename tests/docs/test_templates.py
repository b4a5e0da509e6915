"""The templates and the examples of the how-tos run as they are printed."""

import re
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from support.evidence import demo
from support.paths import ROOT
from support.v1_scene import question
from thinslice.analyses import benchmark
from thinslice.interfaces import Case, Score
from thinslice.report.tables import wording

EVIDENCE = demo()


def template(kind: str) -> ModuleType:
    """A template file as a module."""
    path = ROOT / "docs/templates" / f"{kind}.py"
    module = ModuleType(kind)
    exec(compile(path.read_text(), path, "exec"), module.__dict__)
    return module


def example(page: str, number: int) -> str:
    """A block of Python of a how-to, without the indent of its list."""
    blocks = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs/how-to" / page).read_text(), re.DOTALL
    )
    return re.sub(r"^   ", "", blocks[number], flags=re.MULTILINE)


def test_a_protocol_scores_a_known_error_and_passes_mr_over(capsys):
    protocol = template("protocol").build()
    (score,) = protocol.score(question(-7.0))
    assert score.value == pytest.approx(7, abs=1e-4)
    assert protocol.score(question(modality="MR")) == []
    assert "protocol NAME scores CT" in capsys.readouterr().err


def test_a_data_set_gives_its_cases_in_order(tmp_path):
    for name in ("b_test", "a_train"):
        np.save(tmp_path / f"{name}.npy", np.zeros((4, 5, 6), np.int16))
    dataset = template("dataset").build()
    assert dataset.simulated is False
    cases = list(dataset.cases(tmp_path))
    assert [(case.name, case.split) for case in cases] == [("a", "train"), ("b", "test")]
    assert all(isinstance(case, Case) and case.thin.grid.zyx == (4, 5, 6) for case in cases)


def test_an_analysis_answers_with_patients_and_records():
    table = template("analysis").build()(EVIDENCE)
    expected = EVIDENCE.scores.query("metric == 'rmse_hu'").groupby("method")["value"].max()
    assert table["value"].max() == expected.max()
    assert {"n", "records"} <= set(table)


def test_a_figure_is_drawn_with_its_protocol_and_refuses_another_table(tmp_path):
    module = template("figure")
    written = module.build()(benchmark.build()(EVIDENCE), tmp_path / "a")
    assert [path.name for path in written] == ["a.png", "a.pdf", "a.svg"]
    assert module.CAPTION.endswith(".") or "." in module.CAPTION
    with pytest.raises(LookupError):
        module.build()(pd.DataFrame({"relation": ["match"]}), tmp_path / "b")


def test_a_metric_is_a_function_and_a_score():
    names = {"Score": Score}
    exec(example("add-a-metric.md", 0), names)
    thin = np.zeros((2, 3, 4), np.float32)
    names |= {"thin": thin, "restored": thin + 5, "mask": np.ones(thin.shape, bool)}
    score = eval(example("add-a-metric.md", 1), names)
    assert (score.value, score.n) == (5.0, 24)
    assert wording.metric(score._asdict()) == "median_error_hu (HU) ↓"
