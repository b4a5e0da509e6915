"""Table VI of Georgescu et al. 2020, scored as our study tool scores annotators' files.

Each annotator's count is the paper's; which pairs were preferred is not printed, and is made up.
Their x2 row "Overall" is what the counts give. That of x4,
96.69 %, is not: the counts give 93.94 %.
"""

import numpy as np
import pytest
import yaml

from support import studies
from support.paths import ROOT
from support.studies import BLURRED, SHARP
from thinslice.study import make, score
from thinslice.study.answers import Annotator, Key
from thinslice.study.draw import Shown

TABLE = yaml.safe_load((ROOT / "experiments/georgescu.yaml").read_text())["analyses"]["published"]
ROWS = TABLE["settings"]["tables"]["table_6"]["rows"]
COUNTS = {x: {name: row[k] for name, _, *row in ROWS[:-1]} for x, k in (("x2", 0), ("x4", 2))}


@pytest.fixture(scope="module")
def key() -> Key:
    """100 pairs of two methods."""
    content = make.make(studies.plan(n=100)).key
    pairs = tuple(Shown(**pair) for pair in content["pairs"])
    groups = ("Doctor", "Person")
    return Key(content["study"], content["page"], tuple(content["methods"]), groups, pairs)


def annotator(key: Key, name: str, count: int, seed: int) -> Annotator:
    """Prefers the first method in so many pairs."""
    chosen = np.random.default_rng(seed).permutation(100) < count
    wanted = [SHARP if each else BLURRED for each in chosen]
    sides = ("left" if p.left == method else "right" for p, method in zip(key.pairs, wanted))
    return Annotator(name, name.partition(" ")[0], tuple(sides), (1000,) * 100)


@pytest.mark.parametrize(("factor", "overall"), [("x2", 0.9755), ("x4", 0.9394)])
def test_overall_is_the_mean_of_the_printed_counts(key, factor, overall):
    counts = COUNTS[factor]
    everyone = [annotator(key, name, n, k) for k, (name, n) in enumerate(counts.items())]
    rows = score.preferences(key, everyone)
    assert rows[0].n == 1800
    assert rows[0].share == pytest.approx(overall, abs=1e-4)
    assert {row.who: row.preferred for row in rows if row.scope == "annotator"} == counts
    groups = {row.who: row.n for row in rows if row.scope == "group"}
    assert groups == {"Doctor": 600, "Person": 1200}


def test_the_paper_s_own_overall_of_x4_is_not_that_mean():
    printed = ROWS[-1][2:]
    assert printed[0] == pytest.approx(np.mean(list(COUNTS["x2"].values())), abs=0.01)
    assert printed[2] - np.mean(list(COUNTS["x4"].values())) == pytest.approx(2.75, abs=0.01)
