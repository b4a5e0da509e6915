"""Cards hold what a job computes, and nothing of how it is scheduled or shown."""

import copy
import json

import pytest
import yaml

from support.cards import configs
from support.paths import ROOT
from thinslice.workflow import cards
from thinslice.workflow.cells import Cell, Source

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
KINDS = ("datasets", "methods", "protocols", "analyses", "figures")
ENTRIES = [(kind, name) for kind in KINDS for name in CONFIG[kind]]
SCHEDULING = {"env": "core", "gpus": 3, "panel": False, "restore_mem_mb": 7, "restore_shards": 9}


def changed(catalogue, name, values):
    config = copy.deepcopy(CONFIG)
    config[catalogue][name].update(values)
    return config


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_a_card_names_its_entry_and_the_code_behind_it(kind, name):
    card = json.loads(cards.card(CONFIG, kind, name))
    assert card["name"] == name
    assert card.get("settings") == CONFIG[kind][name].get("settings")
    assert len(card["code"]) == 16


@pytest.mark.parametrize("key", SCHEDULING)
def test_scheduling_is_no_part_of_a_card(key):
    before = cards.card(CONFIG, "methods", "edsr_small")
    config = changed("methods", "edsr_small", {key: SCHEDULING[key]})
    assert cards.card(config, "methods", "edsr_small") == before


@pytest.mark.parametrize(
    ("kind", "name", "values"),
    [
        ("methods", "edsr_small", {"settings": {"seed": 7}}),
        ("methods", "edsr_small", {"fit": "volume"}),
        ("methods", "edsr_small", {"module": "tvsrn"}),
        ("figures", "bars", {"table": "benchmark"}),
        ("figures", "bars", {"kind": "tradeoff"}),
    ],
)
def test_what_a_job_computes_is(kind, name, values):
    config = changed(kind, name, values)
    assert cards.card(config, kind, name) != cards.card(CONFIG, kind, name)


WINDOWS = {  # of the papers: RPLHR-CT by TVSRN's, the other CT by ACVTT's
    "rplhr_ct": [-1024.0, 2048.0],
    "msd": [-1024.0, 3071.0],
    "kits23": [-1024.0, 3071.0],
    **{f"kits23_x{factor}": [-1024.0, 3071.0] for factor in (2, 3, 4)},
}


@pytest.mark.parametrize(
    ("file", "dataset"),
    [("tvsrn.yaml", "rplhr_ct"), *(("acvtt.yaml", dataset) for dataset in WINDOWS)],
)
def test_every_method_of_a_paper_sees_the_window_of_the_data(file, dataset):
    config = configs()[file]
    fitted = [name for name, line in config["methods"].items() if line["fit"] == "population"]
    assert fitted
    for name in fitted:
        settings = json.loads(cards.method_card(config, name, dataset))["settings"]
        assert settings["ct"] == WINDOWS[dataset], name


def test_a_window_of_its_own_goes_before_that_of_the_data():
    config = changed("datasets", "phantom", {"window_hu": [-1024, 2048]})
    assert _window(config, "edsr_small", "phantom") == [-1024, 2048]
    assert _window(config, "edsr_small", None) is None
    assert _window(config, "linear", "phantom") is None
    assert _window(CONFIG, "edsr_small", "phantom") is None
    config["methods"]["edsr_small"]["settings"]["ct"] = [-1000, 1000]
    assert _window(config, "edsr_small", "phantom") == [-1000, 1000]
    assert "ct" not in CONFIG["methods"]["edsr_small"]["settings"]


def _window(config, name, fitted_on):
    return json.loads(cards.method_card(config, name, fitted_on))["settings"].get("ct")


def test_the_acquired_series_has_no_module():
    assert json.loads(cards.degradation_card(CONFIG, "acquired")) == {"name": "acquired"}
    assert "code" in json.loads(cards.degradation_card(CONFIG, "box5"))


def test_all_protocols_are_in_one_list():
    listed = json.loads(cards.protocol_cards(CONFIG))
    assert [card["name"] for card in listed] == list(CONFIG["protocols"])


@pytest.mark.parametrize(
    ("source", "fitted_on"), [(None, ""), (Source("phantom", "box5"), "phantom/box5")]
)
def test_a_cell_says_what_it_was_fitted_on_and_that_it_is_simulated(source, fitted_on):
    card = json.loads(cards.cell_card(CONFIG, Cell("phantom", "acquired", "linear", source)))
    assert card == {
        "dataset": "phantom",
        "degradation": "acquired",
        "method": "linear",
        "fitted_on": fitted_on,
        "sim": "sim",
    }


def test_relevance_has_its_method_and_place():
    config = {"relevance": {"method": "acvtt", "at": 0.25}}
    assert json.loads(cards.picture_card(config, "relevance"))["settings"] == config["relevance"]


def test_only_patches_have_boxes():
    config = {"patches": [{"plane": "axial"}]}
    assert json.loads(cards.picture_card(config, "patches"))["settings"] == {
        "boxes": config["patches"]
    }
    assert json.loads(cards.picture_card({}, "panels"))["settings"] == {}
