"""The phantom data set: what a seed fixes, what a setting changes, and its physics' control."""

import json
from dataclasses import replace

import numpy as np
import pytest

from thinslice.datasets.phantom import build
from thinslice.errors import Refused
from thinslice.operators.profiles import box, gaussian, trapezoid
from thinslice.phantom import lung_contents
from thinslice.phantom.anatomy import draw_anatomy
from thinslice.phantom.lattice import Plane
from thinslice.phantom.layers import Layer, compose
from thinslice.phantom.reconstruction import Reconstruction, acquire
from thinslice.phantom.solids import column
from thinslice.volume import Grid

SMALL = {
    "patients": {"train": 2, "val": 1, "test": 1},
    "shape": [20, 28],
    "pixel_mm": [6.4, 6.4],
    "length_mm": 32.0,
    "cells": 1,
}
BOXES = {
    "thin": {"width_factor": 1.0, "bell_fraction": 0.0, "ramp_mm": 0.0},
    "thick": {"width_factor": 1.0, "bell_fraction": 0.0, "ramp_mm": 0.0, "mtf50_per_mm": 0.7},
    "phase": 0.0,
}


def case(split="test", number=0, **settings):
    return build(**{**SMALL, **settings}).case(split, number)


@pytest.fixture(scope="module")
def usual():
    return case()


def middle_fives(thin, thick):
    """Means of the five thin slices under each thick one, where phase is zero."""
    first = round((thick.grid.start_mm - thin.grid.start_mm) / thin.grid.increment_mm) - 2
    n = thick.grid.n
    return thin.voxels[first : first + 5 * n].reshape(n, 5, *thin.grid.shape).mean(1)


def test_is_labelled_simulated(usual):
    assert build().simulated is True
    assert usual.source["simulated"] is True
    told = json.loads(json.dumps(usual.source))
    assert told["thick"]["fwhm_mm"] == pytest.approx(5.25)
    assert abs(told["phase_mm"]) <= 0.5
    assert len(told["drawn"]["nodules"]) >= 2


def test_the_same_settings_give_the_same_bits(usual, tmp_path):
    data = build(**SMALL)
    data.fetch(tmp_path)
    assert data.files(tmp_path) == []
    again = list(data.cases(tmp_path))
    assert [c.name for c in again] == ["train-00", "train-01", "val-00", "test-00"]
    np.testing.assert_array_equal(again[-1].thin.voxels, usual.thin.voxels)
    np.testing.assert_array_equal(again[-1].thick.voxels, usual.thick.voxels)


def test_no_patient_is_drawn_twice(tmp_path, usual):
    cases = [*build(**SMALL).cases(tmp_path), case(seed=1)]
    assert len({c.patient for c in cases}) == len(cases)
    widths = {c.source["drawn"]["habitus"]["half_width_mm"] for c in cases}
    phases = {c.source["phase_mm"] for c in cases}
    assert len(widths) == len(phases) == len(cases)
    for one in cases:
        for other in cases:
            alike = np.array_equal(one.thin.voxels, other.thin.voxels)
            assert alike == (one is other)


def test_more_training_patients_leave_the_test_patients_alone(tmp_path, usual):
    last = list(build(**{**SMALL, "patients": {"train": 3, "test": 1}}).cases(tmp_path))[-1]
    np.testing.assert_array_equal(last.thin.voxels, usual.thin.voxels)


@pytest.mark.parametrize("phase", [-0.5, 0.0, 0.5])
def test_thick_slices_lie_inside_the_thin_scan(phase):
    thin, thick = (v.grid for v in case(phase=phase)[3:5])
    assert thick.n == 6
    assert thick.start_mm - 2.5 >= thin.start_mm - 0.5
    assert thick.centres_mm()[-1] + 2.5 <= thin.centres_mm()[-1] + 0.5
    assert thick.start_mm - thin.start_mm == pytest.approx(3.0 + phase)
    assert thick.origin_mm == thin.origin_mm


def test_the_frame_is_the_patient_s():
    c = build(**{**SMALL, "length_mm": 104.0, "noise_hu": 0.0}).case("test", 0)
    v, grid = c.thin.voxels, c.thin.grid
    assert grid.affine()[:3, :3] == pytest.approx(np.diag([6.4, 6.4, 1.0])[:, ::-1])
    centre = grid.affine() @ [(grid.n - 1) / 2, 9.5, 13.5, 1]
    assert centre[:3] == pytest.approx(0.0)
    air, tissue, bone = v < -500, v > 0, v > 250
    lung = air[:, 8:12, 6:22]
    assert lung[-20:].sum() > 2 * lung[:20].sum()  # diaphragm below, lungs above
    assert bone[:, 12:, 12:16].sum() > 2 * bone[:, :8, 12:16].sum()  # spine behind breastbone
    heart = tissue[40:55, 5:12]
    assert heart[:, :, 14:20].sum() > 1.2 * heart[:, :, 8:14].sum()  # to the left: larger x


CHANGES = {
    "kernel": {"thick": {"mtf50_per_mm": 0.6}},
    "width": {"thick": {"width_factor": 1.3}},
    "shape": {"thick": {"bell_fraction": 1.0}},
    "phase": {"phase": 0.37},
    "iterative": {"thick": {"iterative": 0.6}},
    "broadening": {"thick": {"broadening": 0.07}},
    "jitter": {"thick": {"jitter_mm": 0.05}},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_factor_changes_the_thick_read_and_nothing_else(change, usual):
    changed = case(**CHANGES[change])
    np.testing.assert_array_equal(changed.thin.voxels, usual.thin.voxels)
    assert not np.array_equal(changed.thick.voxels, usual.thick.voxels)
    assert changed.source["drawn"] == usual.source["drawn"]
    if change != "phase":
        assert changed.source["phase_mm"] == usual.source["phase_mm"]


def test_without_noise_the_anatomy_is_the_same(usual):
    clean = case(noise_hu=0.0)
    difference = (usual.thin.voxels - clean.thin.voxels)[clean.thin.voxels > -900]
    assert abs(difference.mean()) < 1.0
    assert difference.std() == pytest.approx(12.0, rel=0.15)


def test_control_box_reads_of_one_kernel_agree():
    """Box profiles, one kernel, phase zero, FWHM = nominal: only rounding is left."""
    control = case(**BOXES)
    fives, thick = middle_fives(control.thin, control.thick), control.thick.voxels
    unclipped = thick > -950  # air is cut off at -1024 before it is averaged
    assert unclipped.mean() > 0.4
    np.testing.assert_allclose(fives[unclipped], thick[unclipped], atol=1.01)


def test_control_has_power():
    """The same comparison fails once profile or kernel differ."""
    for change, off_hu in (({"bell_fraction": 1.0}, 50), ({"mtf50_per_mm": 0.35}, 10)):
        c = case(**{**BOXES, "thick": {**BOXES["thick"], **change}, "noise_hu": 0.0})
        assert np.abs(middle_fives(c.thin, c.thick) - c.thick.voxels).max() > off_hu


@pytest.mark.parametrize(("thick", "worst_hu"), [(trapezoid(5, 1.2), 5.8), (gaussian(5.0), 84.5)])
def test_control_edges_of_a_thousand_hu(thick, worst_hu):
    """Five thin bells of 1.25 mm against the thick read, at every place of the edge."""
    grid = Grid(n=5, increment_mm=1.0, thickness_mm=1.0, shape=(4, 4), pixel_mm=(1.0, 1.0))
    errors = []
    for edge_mm in np.arange(-6, 6, 0.05):
        half = [Layer("half", 0.0, [column((edge_mm - 50, 0, 0), (50, 99, 99))])]
        steps = compose(half, Plane.of(grid, 1), (-40, 40))
        five = acquire(steps, None, Reconstruction(gaussian(1.25), 0.5), grid).voxels.mean(0)
        one = grid.with_slices(n=1, increment_mm=5.0, thickness_mm=5.0, start_mm=2.0)
        errors.append(
            np.abs(five - acquire(steps, None, Reconstruction(thick, 0.5), one).voxels[0]).max()
        )
    assert max(errors) == pytest.approx(worst_hu, abs=0.8)  # both sides are whole HU


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_nodules_have_lung_all_around(seed):
    """Else part of one would lie in the chest wall, and its volume would not be seen."""
    chest = draw_anatomy(np.random.default_rng(seed), (128.0, 179.2))
    inner = ("nodule", "airway", "pulmonary")
    bare = [one for one in chest.layers if isinstance(one, Layer)]
    bare = [replace(one, solids=()) if one.name.startswith(inner) else one for one in bare]
    lung_hu = chest.drawn["habitus"]["lung_hu"]
    for nodule in chest.drawn["nodules"]:
        z, y, x = nodule["centre_mm"]
        reach = min(nodule["semi_axes_mm"])
        square = Plane((9, 9), (reach / 7, reach / 7), 1, (y - 9 * reach / 14, x - 9 * reach / 14))
        seen = compose(bare, square, (z - 20, z + 20)).slices(box(2 * reach), np.array([z]))
        np.testing.assert_allclose(seen, lung_hu, atol=1e-2)


def test_nodules_are_as_large_as_asked_for_in_the_same_chest():
    frame_mm = (128.0, 179.2)
    usual = draw_anatomy(np.random.default_rng(0), frame_mm)
    large = draw_anatomy(np.random.default_rng(0), frame_mm, (5.5, 6.0))
    assert usual.drawn["habitus"] == large.drawn["habitus"]
    assert len(usual.drawn["nodules"]) == len(large.drawn["nodules"])
    axes = [nodule["semi_axes_mm"] for nodule in large.drawn["nodules"]]
    assert 0.8 * 5.5 <= np.min(axes) <= np.max(axes) <= 1.25 * 6.0


def test_nodules_that_no_lung_has_room_for_are_refused(monkeypatch):
    monkeypatch.setattr(lung_contents, "TRIES", 3)
    with pytest.raises(Refused, match=r"found 8 to 8 mm, .* after 3 tries; expected smaller"):
        draw_anatomy(np.random.default_rng(0), (128.0, 179.2), (8.0, 8.0))


def test_nodules_are_in_the_scan_where_the_source_says():
    c = build(patients={"test": 1}, noise_hu=0.0, thin={"mtf50_per_mm": 3.0}).case("test", 0)
    found = 0
    for nodule in c.source["drawn"]["nodules"]:
        z, y, x = nodule["centre_mm"]
        place = np.linalg.solve(c.thin.grid.affine(), [x, y, z, 1])[:3]
        if min(nodule["semi_axes_mm"]) > 2.5 and 3 < place[0] < c.thin.grid.n - 4:
            found += 1
            k, j, i = np.rint(place).astype(int)
            assert c.thin.voxels[k, j, i] == pytest.approx(nodule["hu"], abs=60)
    assert found


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"patients": {"train": -1}}, Refused),
        ({"patients": {"tune": 1}}, Refused),
        ({"length_mm": 5.0}, Refused),
        ({"nodules_mm": [6.0, 3.0]}, Refused),
        ({"nodules_mm": [3.0, 6.0, 9.0]}, Refused),
        ({"phase": 0.7}, Refused),
        ({"thick": {"bell_fraction": 1.5}}, Refused),
        ({"thick": {"fwhm_mm": 5}}, TypeError),
        ({"colour": "red"}, TypeError),
    ],
)
def test_nonsense_is_refused_before_any_work(settings, error):
    with pytest.raises(error):
        build(**settings)
