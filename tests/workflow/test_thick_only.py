"""A scan that nobody made thin slices of: restored and shown, never scored, and calmly so."""

import csv
from pathlib import Path

import pytest
import yaml

from support.checkout import Checkout, fresh
from support.scan_folders import L291_MM, l291_folder
from thinslice import store
from thinslice.workflow import cells, panels

OVERLAY = """
datasets:
  l291:
    {module: ldct_l291, acquired: true, acquired_increment_mm: 2.0, truth: false,
     settings: {slices: 6}}
methods:
  sr4zct_tiny:
    {module: sr4zct, fit: volume, env: torch, settings: {depth: 2, steps: 4, start: input}}
analyses:
  published:
    settings:
      tables:
        table_1:
          title: "Table 1: a chest"
          about: {dataset: l291, degradation: acquired, method: linear, protocol: v1}
          columns: [{title: RMSE, metric: rmse_hu}]
          rows: [[Linear, linear, 40.1]]
patches: [{plane: coronal, at: [0.5, 0.5, 0.35], size_mm: 3.0, window: lung}]
grid:
  {datasets: [l291], degradations: [acquired], methods: [linear, sr4zct_tiny], fitted_on: matched}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Checkout:
    """The whole workflow on six tiny slices, put where a download would have put them."""
    checkout = fresh(tmp_path_factory.mktemp("thick") / "thinslice")
    (checkout.folder / "alone.yaml").write_text(OVERLAY)
    l291_folder(checkout.folder / "results/raw/l291", 6)
    checkout.run("--configfile", "alone.yaml")
    return checkout


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as lines:
        return list(csv.DictReader(lines))


@pytest.mark.slow
def test_it_is_restored_on_the_grid_asked_for(run):
    for method in ("linear", "sr4zct_tiny"):
        made = store.open_store(
            run.folder / f"results/restored/l291/acquired/{method}/untrained.zarr"
        )
        grid = made.read("l291").grid
        assert grid.increment_mm == L291_MM
        assert grid.n == int((5 * 2 + 3) / L291_MM)


@pytest.mark.slow
def test_nothing_is_scored_and_every_table_figure_and_page_is_there(run):
    results = run.folder / "results"
    assert not (results / "scores").exists()
    assert rows(results / "evidence/scores.csv") == []
    config = yaml.safe_load((run.folder / "config.yaml").read_text())
    for name in config["analyses"]:
        assert rows(results / f"tables/{name}.csv") == []
        assert "Nothing was scored" in (results / f"tables/{name}.md").read_text()
    for name in (*config["figures"], "panels_l291", "patches_l291"):
        assert (results / f"figures/{name}.png").stat().st_size > 500
    assert "Nothing was scored." in (results / "report.html").read_text()


@pytest.mark.slow
def test_a_paper_s_number_of_it_says_that_there_is_none_of_ours(run):
    (row,) = rows(run.folder / "results/tables/published.csv")
    assert (row["paper_value"], row["mean"], row["why"]) == ("40.1", "", "not in this run's grid")


def test_its_cells_are_run_and_shown_but_not_scored():
    config = {
        "datasets": {"l291": {"acquired": True, "truth": False}},
        "methods": {"linear": {"fit": "none"}},
        "degradations": {"acquired": {}},
        "grid": {"datasets": ["l291"], "degradations": ["acquired"], "methods": ["linear"]},
        "patches": [{"plane": "axial"}],
    }
    assert len(cells.cells(config)) == 1
    assert cells.scored(config) == []
    assert panels.pictures(config) == ["panels_l291", "patches_l291"]
    assert not panels.panels(config, "l291").truth
