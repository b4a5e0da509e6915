"""A segmenter learns a plain structure, resumes, and answers the same whatever its blocks."""

import numpy as np
import pytest
import torch

from thinslice.errors import Refused
from thinslice.interfaces import Run
from thinslice.segmentation import segmenter as module
from thinslice.segmentation.crops import Crops, Labelled
from thinslice.segmentation.scores import scores
from thinslice.segmentation.segmenter import Segmenter, loss
from thinslice.segmentation.settings import Settings, settings_of
from thinslice.volume import Grid, Volume

GRID = Grid(16, 1.0, 1.0, (24, 24), (1.0, 1.0))
TINY = Settings(
    channels=4, levels=2, side=(8, 16, 16), steps=80, lr=1e-2, validate_every=20, val_batches=2
)


def scan(seed: int) -> Labelled:
    """Bright boxes in noise."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(GRID.zyx, np.uint8)
    z, y, x = rng.integers(2, 6, 3)
    labels[z : z + 6, y : y + 8, x : x + 8] = 1
    hu = np.where(labels, 100.0, -600.0) + rng.normal(0, 60, GRID.zyx)
    return Labelled(str(seed), Volume(hu.astype(np.float32), GRID), labels)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory) -> Segmenter:
    segmenter = Segmenter(["box"], TINY)
    work = tmp_path_factory.mktemp("work")
    run = Run(device="cpu", progress=False)
    segmenter.fit([scan(k) for k in range(3)], [scan(9)], work=work, run=run)
    return segmenter


def test_it_finds_a_box_that_it_was_not_shown_and_a_blurred_one_less_well(fitted):
    case = scan(20)
    blurred = np.asarray(case.scan.read())
    mean = sum(np.roll(blurred, k, 0) for k in range(-3, 4)) / 7
    rows = scores(fitted, Volume(mean.astype(np.float32), GRID), case.scan, case.labels, 1.0)
    found = {row.metric: row.value for row in rows}
    assert set(found) == {"dice_box", "nsd_box", "dice_box_thin", "nsd_box_thin"}
    assert found["dice_box_thin"] > 0.9
    assert found["dice_box"] < found["dice_box_thin"]


def test_a_structure_that_a_case_does_not_have_gives_no_row(fitted):
    case = scan(20)
    assert scores(fitted, case.scan, case.scan, np.zeros(GRID.zyx, np.uint8), 1.0) == []


def test_labels_of_another_grid_are_refused(fitted):
    with pytest.raises(ValueError, match="do not fit"):
        scores(fitted, scan(1).scan, scan(1).scan, np.zeros((2, 2, 2), np.uint8), 1.0)


def test_blocks_change_no_label(fitted, monkeypatch):
    whole = fitted.segment(scan(20).scan)
    monkeypatch.setattr(module, "CORE", 8)
    assert np.array_equal(fitted.segment(scan(20).scan), whole)


def test_it_is_saved_and_loaded_and_foreign_weights_are_refused(fitted, tmp_path):
    fitted.save(tmp_path / "s.pt", {})
    loaded = Segmenter.load(tmp_path / "s.pt")
    assert (loaded.structures, loaded.settings) == (("box",), TINY)
    assert np.array_equal(loaded.segment(scan(20).scan), fitted.segment(scan(20).scan))
    (tmp_path / "s.pt").write_bytes(b"no weights")
    with pytest.raises(Refused, match="weights file"):
        Segmenter.load(tmp_path / "s.pt")


def test_mr_is_refused(fitted):
    with pytest.raises(Refused, match="was given MR"):
        fitted.segment(Volume(np.zeros(GRID.zyx, np.float32), GRID, "MR"))


def test_no_training_case_is_refused(tmp_path):
    with pytest.raises(Refused, match="no training case"):
        Segmenter(["box"], TINY).fit([], [], work=tmp_path, run=Run(device="cpu"))


def test_crops_hold_a_structure_and_its_place_and_depend_on_the_seed_alone():
    crops = Crops([scan(0)], 1, Settings(**{**vars(TINY), "centred": 1.0, "batch": 8}))
    x, y = crops(np.random.default_rng(1))
    again = crops(np.random.default_rng(1))
    assert torch.equal(x, again[0])
    assert torch.equal(y, again[1])
    assert x.shape == (8, 1, 8, 16, 16)
    assert (y.sum((1, 2, 3)) > 0).all()
    bright = x[:, 0] > 0.6
    assert (bright == (y == 1)).float().mean() > 0.99


def test_the_loss_is_near_zero_for_a_perfect_answer_and_above_one_for_none():
    labels = torch.from_numpy(scan(0).labels.astype(np.int64))[None]
    sure = torch.nn.functional.one_hot(labels, 2).movedim(-1, 1).float() * 40 - 20
    assert loss(torch.nn.Identity(), (sure, labels)) < 1e-3
    assert loss(torch.nn.Identity(), (-sure, labels)) > 1


@pytest.mark.parametrize("given", [{"stepz": 3}, {"side": [5, 8, 8]}, {"centred": 2.0}])
def test_settings_that_are_wrong_are_refused(given):
    with pytest.raises(Refused):
        settings_of(given)
