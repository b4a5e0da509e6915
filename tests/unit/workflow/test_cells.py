"""Which cells run, and in words why the others do not."""

import copy

import pytest

from thinslice.workflow import cells, checks, panels
from thinslice.workflow.cells import Cell, Source

CONFIG = {
    "datasets": {"pairs": {"acquired": True}, "thin_only": {}, "brains": {"modality": "MR"}},
    "degradations": {"acquired": {}, "box5": {}},
    "methods": {
        "linear": {"fit": "none"},
        "edsr": {"fit": "population"},
        "itself": {"fit": "volume"},
    },
    "analyses": {"benchmark": {}},
    "figures": {},
    "grid": {
        "datasets": ["pairs", "thin_only"],
        "degradations": ["acquired", "box5"],
        "methods": ["linear", "edsr", "itself"],
    },
}


def changed(**grid):
    config = copy.deepcopy(CONFIG)
    config["grid"].update(grid)
    return config


def test_matched_training_tests_a_method_where_it_was_fitted():
    trained = [cell for cell in cells.cells(CONFIG) if cell.source]
    assert trained
    assert all(
        (cell.source.dataset, cell.source.degradation) == (cell.dataset, cell.degradation)
        for cell in trained
    )


def test_all_crosses_every_degradation_with_every_other():
    found = cells.cells(changed(fitted_on="all", datasets=["pairs"]))
    crossed = {(c.source.degradation, c.degradation) for c in found if c.source}
    assert crossed == {(a, b) for a in ("acquired", "box5") for b in ("acquired", "box5")}


def test_methods_that_learn_from_no_population_run_once_per_degradation():
    found = [c for c in cells.cells(changed(fitted_on="all")) if c.method in ("linear", "itself")]
    assert {c.fitted for c in found} == {"untrained"}
    assert len(found) == len(set(found)) == 6  # 2 methods x (pairs: 2, thin_only: 1)


def test_a_dataset_without_acquired_thick_says_so():
    reasons = dict(cells.skipped(CONFIG))
    assert reasons == {
        "thin_only/acquired: all methods": (
            "thin_only has no acquired thick series among its test cases"
        )
    }


def test_training_elsewhere_needs_training_cases_and_the_same_modality():
    config = changed(trained_on=["brains"], degradations=["box5"], datasets=["pairs"])
    line = "pairs/box5: edsr fitted on brains/box5"
    assert dict(cells.skipped(config)) == {line: "trained on MR, tested on CT"}
    config["datasets"]["brains"]["cases"] = {"train": 0, "test": 3}
    reason = cells.why_skipped(Cell("pairs", "box5", "edsr", Source("brains", "box5")), config)
    assert reason == "brains has no scan among its training cases"


def test_every_cell_is_either_run_or_explained():
    config = changed(fitted_on="all", trained_on=["pairs", "thin_only", "brains"])
    asked = len(cells.grid_cells(config))
    lost = [cell for cell in cells.grid_cells(config) if cells.why_skipped(cell, config)]
    assert len(cells.cells(config)) + len(lost) == asked
    assert lost


def test_sources_are_trained_once_each():
    found = cells.sources(changed(fitted_on="all", datasets=["pairs"]))
    assert len(found) == len(set(found)) == 2


@pytest.mark.parametrize("kind", ["datasets", "degradations", "methods"])
def test_an_unknown_name_in_the_grid_is_refused_with_the_nearest(kind):
    name = CONFIG["grid"][kind][0]
    with pytest.raises(ValueError, match=f"{name}x.*did you mean '{name}'"):
        checks.check_names(changed(**{kind: [f"{name}x"]}))


def test_a_label_names_one_source_only():
    source = Source("a_b", "c_d")
    assert Source.parse(source.label) == source


def test_simulated_thick_is_labelled_sim_and_so_is_everything_of_a_simulated_dataset():
    assert cells.label(Cell("pairs", "acquired", "linear"), CONFIG) == ""
    assert cells.label(Cell("pairs", "box5", "linear"), CONFIG) == "sim"
    config = copy.deepcopy(CONFIG)
    config["datasets"]["pairs"]["simulated"] = True
    assert cells.label(Cell("pairs", "acquired", "linear"), config) == "sim"


def test_a_dataset_that_is_not_run_or_not_shown_has_no_panels():
    config = changed(degradations=["acquired"])
    assert panels.with_panels(config) == ["pairs"]
    with pytest.raises(ValueError, match="thin_only"):
        panels.panels(config, "thin_only")
    for method in config["methods"].values():
        method["panel"] = False
    assert panels.with_panels(config) == []


def test_every_dataset_that_is_run_has_panels_where_any_has():
    config = changed()
    shown = panels.with_panels(config)
    assert set(shown) == {cell.dataset for cell in cells.cells(config)}
    tested = {d: {c.method for c in cells.cells(config) if c.dataset == d} for d in shown}
    alone = sorted(tested[shown[0]] - set.union(*(tested[d] for d in shown[1:])))
    for method in set(config["methods"]) - set(alone[:1]):
        config["methods"][method]["panel"] = False
    assert panels.with_panels(config) == (shown if alone else [])


def test_panels_name_the_weights_that_are_not_of_the_slices_shown():
    place = Cell("pairs", "acquired", "linear")
    made = [None, Source("pairs", "acquired"), Source("pairs", "box5"), Source("other", "box5")]
    shown = tuple(Cell("pairs", "acquired", f"m{k}", source) for k, source in enumerate(made))
    assert panels.Panels("pairs", "acquired", True, (place, *shown), "").names == [
        "linear", "m0", "m1", "m2 (box5)", "m3 (other--box5)",
    ]  # fmt: skip


def test_relevance_is_a_picture_where_its_method_is_among_the_panels():
    every = panels.with_panels(CONFIG)
    shown = {d for d in every if "linear" in panels.panels(CONFIG, d).names}
    pictures = panels.pictures({**CONFIG, "relevance": {"method": "linear"}})
    assert {name for name in pictures if name.startswith("relevance")} == {
        f"relevance_{dataset}" for dataset in shown
    }
    assert not any("relevance" in name for name in panels.pictures(CONFIG))


def test_patches_are_pictures_of_every_dataset_with_panels_where_the_config_has_any():
    datasets = panels.with_panels(CONFIG)
    assert panels.pictures(CONFIG) == [f"panels_{name}" for name in datasets]
    pictures = panels.pictures({**CONFIG, "patches": [{"plane": "axial"}]})
    assert set(pictures) == {f"{kind}_{d}" for kind in ("panels", "patches") for d in datasets}


def test_panels_show_a_degradation_that_a_shown_method_was_tested_on():
    config = changed(datasets=["pairs"], methods=["linear", "edsr"], trained_on=["pairs"])
    config["methods"]["linear"]["panel"] = False
    config["datasets"]["pairs"]["acquired_cases"] = {"train": 0, "test": 2}
    shown = panels.panels(config, "pairs")
    assert (shown.degradation, [cell.method for cell in shown.cells]) == ("box5", ["edsr"])


def test_a_grid_of_which_nothing_can_run_is_refused_with_the_reason():
    with pytest.raises(ValueError, match="thin_only has no acquired thick series"):
        checks.check_runnable(changed(datasets=["thin_only"], degradations=["acquired"]))
    checks.check_runnable(CONFIG)


def test_panels_show_the_acquired_series_by_matched_weights():
    shown = panels.panels(changed(fitted_on="all"), "pairs")
    assert shown.degradation == "acquired"
    assert [c.fitted for c in shown.cells] == ["untrained", "pairs--acquired", "untrained"]
    assert panels.panels(CONFIG, "thin_only").degradation == "box5"


def test_panels_show_weights_of_another_source_where_matched_ones_cannot_be_made():
    config = changed(fitted_on="all", datasets=["pairs"])
    config["datasets"]["pairs"]["acquired_cases"] = {"train": 0, "test": 1}
    shown = panels.panels(config, "pairs")
    assert [c.fitted for c in shown.cells] == ["untrained", "pairs--box5", "untrained"]


def test_a_network_built_for_one_ratio_of_increments_is_not_run_on_another():
    config = changed(fitted_on="all", datasets=["pairs"], degradations=["box5", "box3"])
    config["degradations"] = {
        "box5": {"settings": {"thickness_mm": 5.0, "increment_mm": 5.0}},
        "box3": {"settings": {"thickness_mm": 3.0, "overlap_mm": 1.0}},
    }
    assert cells.skipped(config) == []
    config["methods"]["edsr"]["fixed_factor"] = True
    words = "fitted on slices every {} mm, tested on slices every {} mm".format
    there, here = words(2, 5), words(5, 2)
    assert dict(cells.skipped(config)) == {
        "pairs/box5: edsr fitted on pairs/box3": there,
        "pairs/box3: edsr fitted on pairs/box5": here,
    }


def test_networks_built_for_whole_factors_are_not_run_on_others():
    config = changed(fitted_on="all", datasets=["pairs"], degradations=["cube", "plane", "slices"])
    config["degradations"] = {
        "cube": {"settings": {"through_plane": 2, "in_plane": 2}},
        "plane": {"settings": {"through_plane": 1, "in_plane": 2}},
        "slices": {"settings": {"through_plane": 2}},
    }
    config["methods"]["linear"]["in_plane"] = True
    config["methods"]["edsr"] |= {"in_plane": True, "fixed_factor": True}
    slices = "fitted on increments {} times the thin ones', tested on {} times".format
    pixels = "fitted on pixels {} times the thin ones', tested on {} times".format
    found = {where: why for where, why in cells.skipped(config) if "edsr fitted" in where}
    assert found == {
        "pairs/cube: edsr fitted on pairs/plane": slices(1, 2),
        "pairs/plane: edsr fitted on pairs/cube": slices(2, 1),
        "pairs/cube: edsr fitted on pairs/slices": pixels(1, 2),
        "pairs/plane: edsr fitted on pairs/slices": pixels(1, 2),
        "pairs/slices: edsr fitted on pairs/cube; edsr fitted on pairs/plane": pixels(2, 1),
    }
    config["methods"]["edsr"]["fixed_factor"] = False
    assert not [where for where, _ in cells.skipped(config) if "edsr" in where]


def test_a_dataset_without_thin_slices_is_restored_as_acquired_and_never_scored_or_learned_from():
    config = changed(datasets=["alone"], trained_on=["pairs", "alone"])
    config["datasets"]["alone"] = {"acquired": True, "truth": False}
    run = cells.cells(config)
    assert {cell.degradation for cell in run} == {"acquired"}
    assert {cell.source.dataset for cell in run if cell.source} == {"pairs"}
    assert cells.scored(config) == []
    reasons = " ".join(reason for _, reason in cells.skipped(config))
    assert "no thin slices to simulate" in reasons
    assert "no thin slices to learn from" in reasons
    assert not panels.panels(config, "alone").truth


def test_a_method_that_sees_a_second_contrast_runs_where_scans_have_one():
    config = changed(datasets=["pairs", "thin_only"], degradations=["box5"])
    config["methods"]["edsr"]["second"] = True
    config["datasets"]["pairs"]["settings"] = {"second": "t2w"}
    run = {cell.dataset for cell in cells.cells(config) if cell.method == "edsr"}
    assert run == {"pairs"}
    reason = "the method sees a second contrast, and thin_only has none"
    assert [why for where, why in cells.skipped(config) if "edsr" in where] == [reason]


def test_every_dataset_may_have_degradations_of_its_own():
    config = changed(degradations={"pairs": ["acquired"], "thin_only": ["box5"]})
    assert {(cell.dataset, cell.degradation) for cell in cells.cells(config)} == {
        ("pairs", "acquired"),
        ("thin_only", "box5"),
    }
    assert cells.skipped(config) == []


def test_a_method_may_be_meant_for_some_degradations_only():
    config = changed()
    config["methods"]["linear"]["degradations"] = ["box5"]
    assert {cell.degradation for cell in cells.cells(config) if cell.method == "linear"} == {"box5"}
    config["methods"]["edsr"]["degradations"] = ["box5"]
    config["grid"]["fitted_on"] = "all"
    trained = [cell for cell in cells.cells(config) if cell.source]
    assert {cell.source.degradation for cell in trained} == {"box5"}
    config["methods"]["edsr"]["degradations"] = ["box7"]
    with pytest.raises(ValueError, match="'box7' is not among the degradations"):
        checks.check_names(config)


def test_coarser_pixels_are_for_methods_that_can_make_them_finer():
    config = changed(degradations=["cube"], fitted_on="matched")
    config["degradations"]["cube"] = {"settings": {"in_plane": 2}}
    config["methods"]["linear"]["in_plane"] = True
    assert {cell.method for cell in cells.cells(config)} == {"linear"}
    assert all("pixels are made coarser" in reason for _, reason in cells.skipped(config))


def test_a_data_set_that_says_it_has_no_training_cases_fits_nothing():
    config = changed(datasets=["pairs"])
    config["datasets"]["pairs"]["cases"] = {"train": 0}
    assert not [cell for cell in cells.cells(config) if cell.source]
    assert any("among its training cases" in reason for _, reason in cells.skipped(config))
