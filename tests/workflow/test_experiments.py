"""The papers' overlays: every number has its place, and a rehearsal of each reaches the report."""

import csv
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from support.cards import configs
from support.checkout import Checkout, fresh
from support.paths import ROOT
from thinslice import plugins
from thinslice.analyses import _printed, published
from thinslice.columns import metric_name
from thinslice.interfaces import ScoringInput
from thinslice.segmentation.scores import PROTOCOL
from thinslice.volume import Grid, Volume
from thinslice.workflow import cells

PAPERS = ("acvtt", "georgescu", "sr4zct", "tvsrn")
KEYS = ["table", "printed_row", "printed_column"]
READERS = 76  # numbers of Georgescu et al., Table VI: what people prefer


def printed(config: dict[str, Any]) -> list[_printed.Printed]:
    """Every number of the paper's tables."""
    return _printed.cells(config["analyses"]["published"]["settings"]["tables"])


def asked_of_ours(config: dict[str, Any]) -> list[_printed.Printed]:
    """The numbers beside which one of ours should stand, of the data set that is scored for it."""
    settings = config["analyses"]["published"]["settings"]
    instead = settings.get("stand_ins", {}).get("datasets", {})
    return [
        cell._replace(says={**says, "dataset": instead.get(says["dataset"], says["dataset"])})
        for cell in printed(config)
        if (says := cell.says).get("metric") and says.get("method")
    ]


def checkout_with_experiments(folder: Path) -> Checkout:
    made = fresh(folder)
    shutil.copytree(ROOT / "experiments", made.folder / "experiments")
    return made


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Checkout:
    return checkout_with_experiments(tmp_path_factory.mktemp("papers") / "thinslice")


@pytest.fixture(scope="module")
def metrics_of_protocols() -> dict[tuple[str, str, str], set[str]]:
    """What each module of protocols has to say of CT and MR, by its settings."""
    found = {}
    for config in configs().values():
        for name, line in config["protocols"].items():
            card = {"name": name, **line}
            for modality in ("CT", "MR"):
                scores = plugins.build("protocols", card).score(question(modality))
                found[name, modality, repr(line)] = {
                    metric_name(score._asdict()) for score in scores
                }
    return found


def question(modality: str) -> ScoringInput:
    """Tissue with a border of air: a body for every protocol."""
    grid = Grid(24, 1.0, 1.0, (24, 24), (1.0, 1.0))
    thick = grid.with_slices(n=5, increment_mm=5.0, thickness_mm=5.0, start_mm=2.0)
    voxels = np.full(grid.zyx, -1000.0 if modality == "CT" else 0.0, np.float32)
    inner = (slice(None), slice(3, -3), slice(3, -3))
    rng = np.random.default_rng(0)
    voxels[inner] = rng.uniform(0, 200, voxels[inner].shape).astype(np.float32)
    restored = voxels + np.float32(5) * rng.normal(size=voxels.shape).astype(np.float32)
    volumes = (restored, voxels, voxels[2::5])
    grids = (grid, grid, thick)
    return ScoringInput(*(Volume(v, g, modality) for v, g in zip(volumes, grids)))


@pytest.mark.parametrize("paper", PAPERS)
def test_beside_every_number_that_is_ours_to_give_its_own_cell_is_run(paper):
    config = configs()[f"{paper}.yaml"]
    run = {(c.dataset, c.degradation, c.method) for c in cells.scored(config)}
    asked = asked_of_ours(config)
    assert asked
    lacking = {
        (cell.table, cell.line, cell.column)
        for cell in asked
        if tuple(cell.says.get(key) for key in ("dataset", "degradation", "method")) not in run
    }
    assert not lacking


@pytest.mark.parametrize("paper", PAPERS)
def test_in_a_rehearsal_every_printed_row_that_is_ours_to_give_has_a_cell_in_its_place(paper):
    config = configs()[f"smoke-{paper}.yaml"]
    run = {(c.dataset, c.degradation, c.method) for c in cells.scored(config)}
    others = config["analyses"]["published"]["settings"]["stand_ins"]
    asked, filled = set(), set()
    for cell in asked_of_ours(config):
        instead = published._keys(cell, others)[-1]
        asked.add((cell.table, cell.line))
        if instead[:3] in run and measured(config, *instead[:5]):
            filled.add((cell.table, cell.line))
    assert asked == filled


def measured(
    config: dict[str, Any], dataset: str, _: str, method: str, protocol: str, metric: str
) -> bool:
    """Whether a structure is one of the data set's, and is looked for in the method's answers."""
    if protocol != PROTOCOL:
        return True
    card = {"name": dataset, **config["datasets"][dataset]}
    structures = plugins.build("datasets", card).structures
    asked = config["segmentation"]
    here = dataset in asked["datasets"] and method in asked["methods"]
    return here and metric.partition("_")[2] in structures


def test_all_printed_numbers_but_readers_preferences_have_one_of_ours_beside_them():
    of_papers = [configs()[f"{paper}.yaml"] for paper in PAPERS]
    assert sum(len(printed(config)) for config in of_papers) == 842
    assert sum(len(asked_of_ours(config)) for config in of_papers) == 842 - READERS


@pytest.mark.parametrize("name", configs())
def test_beside_a_network_with_references_stands_the_same_without(name):
    config = configs()[name]

    def places(references: bool) -> set[tuple[str, str]]:
        lines = {
            method
            for method, line in config["methods"].items()
            if line.get("module", method) == "acvtt"
            and bool(line.get("settings", {}).get("references", 3)) == references
        }
        return {(c.dataset, c.degradation) for c in cells.scored(config) if c.method in lines}

    assert places(True) == places(False)


@pytest.mark.parametrize("paper", PAPERS)
def test_its_protocol_gives_its_metric_for_its_modality(paper, metrics_of_protocols):
    config = configs()[f"{paper}.yaml"]
    for cell in asked_of_ours(config):
        metric, name = cell.says["metric"], cell.says.get("protocol")
        modality = config["datasets"][cell.says["dataset"]].get("modality", "CT")
        if name == PROTOCOL:
            (dataset,) = config["segmentation"]["datasets"]
            card = {"name": dataset, **config["datasets"][dataset]}
            structures = plugins.build("datasets", card).structures
            kind, _, structure = metric.partition("_")
            assert (kind in ("dice", "nsd"), structure in structures) == (True, True), cell
        elif metric not in published.COSTS:
            assert (
                metric in metrics_of_protocols[name, modality, repr(config["protocols"][name])]
            ), cell


@pytest.mark.parametrize("paper", PAPERS)
def test_a_paper_tests_as_many_patients_as_its_data_set_has(paper):
    counts = {"rplhr_ct": 100, "msd": 100, "kits23": 50, "ixi": 35, "msd_lung": 1}
    counts |= {f"kits23_x{k}": 50 for k in (2, 3, 4)}
    counts |= {"msd_lung_all": 4, "namic_t1w": 10, "namic_t2w": 10, "ch": 4}
    for cell in printed(configs()[f"{paper}.yaml"]):
        if cell.says.get("dataset"):
            assert cell.says["patients"] == counts[cell.says["dataset"]], cell


@pytest.mark.parametrize("paper", PAPERS)
def test_the_full_overlay_is_planned_without_any_data(checkout, paper):
    overlay = f"experiments/{paper}.yaml"
    planned = checkout.planned("--configfile", overlay)
    config = configs()[f"{paper}.yaml"]
    restored = {f"results/restored/{cell.path}.zarr" for cell in cells.cells(config)}
    scored = {f"results/scores/{cell.path}.csv" for cell in cells.scored(config)}
    assert restored | scored | {"results/report.html"} <= planned
    assert not (checkout.folder / "results").exists()


def test_l291_alone_is_planned_as_the_overlay_says(checkout):
    alone = "grid={datasets: [l291]}"
    planned = checkout.planned("--configfile", "experiments/sr4zct.yaml", "--config", alone)
    assert {"results/figures/patches_l291.png", "results/report.html"} <= planned
    assert not any(path.startswith("results/scores/") for path in planned)


def test_the_segmentation_table_is_planned_offline_with_nothing_but_the_segmenter_trained(checkout):
    planned = checkout.planned("--configfile", "experiments/segmentation.yaml")
    config = configs()["segmentation.yaml"]
    segmented = {f"results/segmented/{cell.path}.csv" for cell in cells.scored(config)}
    assert len(segmented) == 8
    assert segmented | {"results/tables/segmentation.csv"} <= planned
    weights = [path for path in planned if path.startswith("results/weights/")]
    assert weights == ["results/weights/conditioned_unet/given.pt"]


@pytest.fixture(scope="module", params=PAPERS)
def rehearsed(request, tmp_path_factory) -> tuple[str, Checkout]:
    """A paper, and its rehearsal, run."""
    made = checkout_with_experiments(tmp_path_factory.mktemp(request.param) / "thinslice")
    overlays = [f"experiments/{request.param}.yaml", f"experiments/smoke/{request.param}.yaml"]
    made.run("--configfile", *overlays)
    return request.param, made


@pytest.mark.slow
def test_a_rehearsal_reaches_the_report(rehearsed):
    paper, made = rehearsed
    config = configs()[f"smoke-{paper}.yaml"]
    assert (made.folder / "results/report.html").stat().st_size > 100_000
    for name in config["figures"]:
        assert (made.folder / f"results/figures/{name}.png").stat().st_size > 5000


@pytest.mark.slow
def test_every_method_of_a_rehearsal_has_scores_or_a_reason(rehearsed):
    paper, made = rehearsed
    config = configs()[f"smoke-{paper}.yaml"]
    with (made.folder / "results/evidence/scores.csv").open() as lines:
        scored = {row["method"] for row in csv.DictReader(lines)}
    with (made.folder / "results/evidence/skipped.csv").open() as lines:
        reasons = list(csv.reader(lines))[1:]
    assert all(reason for _, reason in reasons)
    grid = config["grid"]
    asked = grid["degradations"]
    lists = [asked.get(name, []) if isinstance(asked, dict) else asked for name in grid["datasets"]]
    here = {degradation for one in lists for degradation in one}
    meant = {  # a line may name the only thick slices that a method is meant for
        name
        for name in grid["methods"]
        if here & set(config["methods"][name].get("degradations", here))
    }
    without = meant - scored
    assert not [name for name in without if not any(name in where for where, _ in reasons)]


@pytest.mark.slow
def test_a_rehearsal_names_every_printed_number_once_and_compares_none(rehearsed):
    paper, made = rehearsed
    table = pd.read_csv(made.folder / "results/tables/published.csv", keep_default_na=False)
    expected = [(c.table, c.line, c.column) for c in printed(configs()[f"{paper}.yaml"])]
    assert list(table[KEYS].itertuples(index=False, name=None)) == expected
    ours = table["mean"] != ""
    assert ours.any()
    assert (table.loc[ours, "stand_in"] != "").all()  # nothing of the phantom's is the paper's
    assert (table.loc[ours, "sim"] == "sim").all()
    assert (table["difference"] == "").all()
    assert (table.loc[~ours, "why"] != "").all()
