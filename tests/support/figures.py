"""Tables that figures are drawn from in tests, and the words on what was drawn."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from support.cards import cards
from support.evidence import cost, demo, evidence_of, score
from thinslice import plugins
from thinslice.analyses import benchmark, efficiency, patients

ASSUMED = {f"t{k}_o{j}": [4.5 + k / 2, 2.0 + j / 2] for k in range(3) for j in range(3)}
LINES = {"by relevance": {0: "r0", 1: "r1", 2: "r2"}, "averaged": {"2": "r2_average"}}


def assumed(missing: str = "") -> pd.DataFrame:
    """Every variant but one on the thick slices that the middle one assumes."""
    rows = [
        score(f"p{p}", 40.0 - abs(t - 5) - 2 * abs(o - 2.5) + p / 4, method=name, metric="psnr_db",
              unit="dB", better="higher", degradation="overlap_5_2p5")
        for name, (t, o) in ASSUMED.items()
        for p in range(4)
        if name != missing
    ]  # fmt: skip
    return benchmark.build()(evidence_of(rows))


def by_references() -> pd.DataFrame:
    """A method that is better and slower by each reference, on two patients."""
    names = [name for own in LINES.values() for name in own.values()]
    at = [(name, int(name[1]), p) for name in names for p in range(2)]
    scores = [score(f"p{p}", 50.0 - 3 * k - p, method=name) for name, k, p in at]
    runs = [
        {**row, **cost("tvsrn", 0.0), "wall_s": 10.0 + 6 * k, "device": "cpu"}
        for row, (_, k, _) in zip(scores, at)
    ]
    return efficiency.build()(evidence_of(scores, runs))


class Example(NamedTuple):
    """What a figure is drawn from in tests."""

    table: Callable[[], pd.DataFrame]
    settings: Mapping[str, Any] = {}


SPECIAL = {  # figures whose configs name methods and data sets that the made evidence lacks
    "distribution": Example(lambda: patients.build()(demo())),
    "model_grid": Example(assumed, {"methods": ASSUMED, "given": [5.0, 2.5]}),
    "references": Example(by_references, {"lines": LINES}),
    "scatter": Example(lambda: patients.build()(demo()), {"method": "tvsrn"}),
}


def example(kind: str) -> Example:
    """The example of a figure; without a special one, its first config entry on made evidence."""
    if kind in SPECIAL:
        return SPECIAL[kind]
    card = next(card for card in cards("figures").values() if card.get("kind") == kind)
    analysis = {"name": card["table"]}
    return Example(lambda: plugins.build("analyses", analysis)(demo()), card.get("settings", {}))


def words_of(figure: Figure) -> list[str]:
    """Every text on a figure."""
    return [t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_text"))]
