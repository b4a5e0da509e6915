"""What a job was given besides plug-ins is compared with what the config gives it now."""

import json
from pathlib import Path
from typing import Any

import pytest

from thinslice.audit.inputs import changed_inputs
from thinslice.workflow import cards
from thinslice.workflow.cells import Cell

CONFIG: dict[str, Any] = {
    "datasets": {"chest": {"simulated": False, "acquired": True}},
    "degradations": {"acquired": {}, "box5": {}},
    "methods": {"linear": {"fit": "none"}, "cubic": {"fit": "none", "panel": False}},
    "analyses": {"benchmark": {}},
    "figures": {"bars": {}},
    "patches": [{"plane": "axial"}],
    "grid": {"datasets": ["chest"], "degradations": ["acquired"], "methods": ["linear", "cubic"]},
}
SIMULATED = {**CONFIG, "datasets": {"chest": {"simulated": True, "acquired": True}}}
CELL = "chest/acquired/linear/untrained"


def record(rule: str, *command: str, inputs=(), **content) -> dict[str, Any]:
    links = dict(inputs) if isinstance(inputs, dict) else dict.fromkeys(inputs, "")
    linked = {name: {"path": path} for name, path in links.items()}
    return {"rule": rule, "command": command, "inputs": linked, "cards": {}, **content}


SCORE = record("score", cards={"cell": json.loads(
    cards.cell_card(CONFIG, Cell("chest", "acquired", "linear")))})  # fmt: skip
PAIRS = record("pairs", "pairs.py", "--sim=")
PATCHES = record(
    "panels", "panels.py", "--sim=",
    inputs={"thin": "results/thin/chest.zarr", "thick": "results/thick/chest/acquired.zarr",
            "restored/linear": f"results/restored/{CELL}.zarr"},
    cards={"picture": json.loads(cards.picture_card(CONFIG, "patches"))},
)  # fmt: skip
PAGE = record(
    "page",
    inputs=[
        "evidence",
        "results/tables/benchmark.record.json",
        *(
            f"results/figures/{name}.record.json"
            for name in ("bars", "panels_chest", "patches_chest", "slices_chest")
        ),
    ],
)
NAMES = {
    "score": "linear",
    "pairs": "chest",
    "panels": "patches_chest",
    "page": "report",
}


def words(content: dict[str, Any], config: dict[str, Any]) -> list[str]:
    path = Path("results", f"{NAMES[content['rule']]}.record.json")
    return list(changed_inputs(content, path, config))


@pytest.mark.parametrize("content", [SCORE, PAIRS, PATCHES, PAGE], ids=lambda each: each["rule"])
def test_the_same_config_changes_nothing(content):
    assert words(content, CONFIG) == []


@pytest.mark.parametrize(
    ("content", "config", "said"),
    [
        (SCORE, SIMULATED, "config: linear on chest/acquired.sim was '', is 'sim'"),
        (PAIRS, SIMULATED, "config: chest.sim was '', is 'sim'"),
        (PATCHES, SIMULATED, "config: patches_chest.sim was '', is 'sim'"),
        (
            PATCHES,
            {**CONFIG, "patches": [{"plane": "coronal"}]},
            "config: patches.settings.boxes was [{'plane': 'axial'}], is [{'plane': 'coronal'}]",
        ),
        (
            PATCHES,
            {**CONFIG, "methods": {"linear": {"fit": "none"}, "cubic": {"fit": "none"}}},
            "config: patches_chest.restored/cubic was not set, is "
            "'results/restored/chest/acquired/cubic/untrained.zarr'",
        ),
        (
            PAGE,
            {**CONFIG, "analyses": {"benchmark": {}, "patients": {}}},
            "config: results/tables/patients.record.json is to be gathered now",
        ),
        (
            PAGE,
            {**CONFIG, "patches": []},
            "config: results/figures/patches_chest.record.json is no longer to be gathered",
        ),
    ],
)
def test_a_change_is_named(content, config, said):
    assert words(content, config) == [said]
