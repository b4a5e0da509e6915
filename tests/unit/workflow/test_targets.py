"""Targets: every record that the evidence rests on, once each."""

from thinslice.workflow import cells, targets

CONFIG = {
    "datasets": {"pairs": {"acquired": True}, "thin_only": {}, "thick_only": {"truth": False}},
    "degradations": {"acquired": {}, "box5": {}},
    "methods": {"linear": {"fit": "none"}, "edsr": {"fit": "population"}},
    "grid": {
        "datasets": ["pairs", "thin_only"],
        "degradations": ["acquired", "box5"],
        "methods": ["linear", "edsr"],
    },
}


def test_every_stage_of_every_runnable_cell_is_named_once():
    records = targets.upstream_records(CONFIG)
    assert len(records) == len(set(records))
    for cell in cells.cells(CONFIG):
        assert f"results/restored/{cell.path}.record.json" in records
        assert f"results/thick/{cell.dataset}/{cell.degradation}.record.json" in records
        assert f"results/thin/{cell.dataset}.record.json" in records
        assert f"results/raw/{cell.dataset}.record.json" in records
    for method, source in cells.sources(CONFIG):
        assert f"results/weights/{method}/{source.label}.record.json" in records
    assert set(targets.gathered_records(CONFIG)) <= set(records)


def test_only_pairs_of_thin_and_acquired_scans_are_compared():
    assert targets.pairs_records(CONFIG) == ["results/pairs/pairs.record.json"]


def test_scores_are_gathered_by_dataset_and_degradation():
    scores = targets.score_records(CONFIG)
    assert set(scores) == {("pairs", "acquired"), ("pairs", "box5"), ("thin_only", "box5")}
    named = [name for records in scores.values() for name in records]
    paths = [f"results/scores/{cell.path}.record.json" for cell in cells.scored(CONFIG)]
    assert sorted(named) == sorted(paths)


def test_weights_that_two_methods_restore_with_are_made_once():
    twice = {**CONFIG["methods"], "edsr_median": {"fit": "population", "weights_of": "edsr"}}
    grid = {**CONFIG["grid"], "methods": ["linear", "edsr", "edsr_median"]}
    config = {**CONFIG, "methods": twice, "grid": grid}
    assert cells.sources(config) == cells.sources(CONFIG)
    made = {cells.learned_record(cell, config) for cell in cells.cells(config) if cell.source}
    weights = [r for r in targets.upstream_records(config) if r.startswith("results/weights/")]
    assert made == set(weights)


def test_what_is_learned_from_the_scan_is_that_of_the_cell_that_learned():
    methods = {"sr4": {"fit": "volume"}, "coronal": {"fit": "volume", "weights_of": "sr4"}}
    config = {"methods": methods}
    cell = cells.Cell("pairs", "box5", "coronal")
    there = "results/restored/pairs/box5/sr4/untrained.record.json"
    assert cells.learned_record(cell, config) == there
    assert cells.learned_record(cells.Cell("pairs", "box5", "sr4"), config) is None


def test_a_method_with_weights_of_others_is_not_trained():
    methods = {**CONFIG["methods"], "edsr": {"fit": "population", "weights": {"net": "authors.pt"}}}
    config = {**CONFIG, "methods": methods}
    assert cells.sources(config) == []
    record = "results/weights/edsr/given.record.json"
    assert targets.upstream_records(config).count(record) == 1
    restored = [cell for cell in cells.cells(config) if cell.method == "edsr"]
    assert restored
    assert {cells.learned_record(cell, config) for cell in restored} == {record}


def test_segmented_cells_are_those_of_its_datasets_and_methods_and_are_gathered_too():
    config = {**CONFIG, "segmentation": {"datasets": ["pairs"], "methods": ["linear"]}}
    wanted = [f"results/segmented/pairs/{kind}/linear/untrained" for kind in ("acquired", "box5")]
    assert [f"results/segmented/{cell.path}" for cell in cells.segmented(config)] == wanted
    upstream = targets.upstream_records(config)
    assert len(upstream) == len(set(upstream))
    shared = ["results/labels/pairs", "results/segmenters/pairs"]
    assert {f"{path}.record.json" for path in (*wanted, *shared)} <= set(upstream)
    gathered = targets.score_records(config)
    assert f"{wanted[1]}.record.json" in gathered["pairs", "box5"]
    assert targets.score_records(CONFIG)["thin_only", "box5"] == gathered["thin_only", "box5"]
    assert cells.segmented(CONFIG) == []
