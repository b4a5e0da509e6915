"""Chords, painting and slices of the virtual scanner against brute force."""

import numpy as np
import pytest

from thinslice.operators.profiles import box, gaussian, scanner_profile
from thinslice.phantom import layers
from thinslice.phantom.lattice import Plane
from thinslice.phantom.layers import AIR_HU, Layer, Tint, compose
from thinslice.phantom.solids import (
    Capsules,
    Ellipsoids,
    barrel,
    column,
    contains,
    ellipsoid,
    joined,
)

Z = np.arange(-12, 12, 0.004)
RNG = np.random.default_rng(3)
TURN = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
POINTS = RNG.uniform(-6, 6, (60, 2))


def in_ellipsoid(z, y, x):
    p = np.stack(np.broadcast_arrays(z - 1, y - 0.5, x + 0.5), -1) @ TURN.T
    return (p**2 / np.array([5.0, 3.0, 1.5]) ** 2).sum(-1) <= 1


def in_capsule(start, end, radius):
    def inside(z, y, x):
        p = np.stack(np.broadcast_arrays(z, y, x), -1) - start
        d = np.subtract(end, start)
        share = np.clip(p @ d / (d @ d), 0, 1)
        return ((p - share[..., None] * d) ** 2).sum(-1) <= radius**2

    return inside


def in_barrel(z, y, x):
    return np.abs(y / 4) ** 2.5 + np.abs(x / 5) ** 2.5 + ((z - 1) / 6) ** 2 <= 1


def in_post(z, y, x):
    outline = np.abs((y - 1) / 4) ** 3 + np.abs(x / 5) ** 3 <= 1
    return outline & (np.abs(z - 2 - 0.3 * (y - 1)) <= 3)


def capsule(start, end, radius):
    return Capsules(np.array([start], float), np.array([end], float), np.array([float(radius)]))


SLANTED = ((-4.0, -3.0, 1.0), (5.0, 2.0, -2.0), 2.0)
UPRIGHT = ((-3.0, 1.0, 1.0), (4.0, 1.0, 1.0), 2.5)
FLAT = ((1.0, -4.0, 0.0), (1.0, 4.0, 0.5), 2.0)
KINDS = {
    "ellipsoid": (ellipsoid((1, 0.5, -0.5), (5, 3, 1.5), TURN), in_ellipsoid),
    "slanted capsule": (capsule(*SLANTED), in_capsule(*SLANTED)),
    "upright capsule": (capsule(*UPRIGHT), in_capsule(*UPRIGHT)),
    "flat capsule": (capsule(*FLAT), in_capsule(*FLAT)),
    "barrel": (barrel((1, 0, 0), (6, 4, 5), 2.5), in_barrel),
    "post": (column((2, 1, 0), (3, 4, 5), 3.0, 0.3), in_post),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_chord_is_what_points_along_the_line_say(kind):
    solid, inside = KINDS[kind]
    y, x = POINTS.T
    low, high = solid.chords_mm(np.zeros(len(y), int), y, x)
    hits = inside(Z[:, None], y, x)
    length = hits.sum(0) * (Z[1] - Z[0])
    assert hits.any(0).sum() > 5
    np.testing.assert_allclose(np.maximum(high - low, 0), length, atol=0.01)
    met = length > 0.05
    np.testing.assert_allclose(low[met], Z[hits.argmax(0)][met], atol=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_a_box_holds_all_of_its_solid(kind):
    solid, inside = KINDS[kind]
    points = RNG.uniform(-8, 8, (4000, 3))
    z, y, x = points.T
    y0, y1, x0, x1 = solid.boxes_mm()[0]
    held = inside(z, y, x)
    assert held.sum() > 20
    assert ((y0 <= y) & (y <= y1) & (x0 <= x) & (x <= x1))[held].all()
    np.testing.assert_array_equal(contains([solid], points), held)


@pytest.mark.parametrize("kind", KINDS)
def test_twice_the_size_is_eight_times_the_solid(kind):
    solid, inside = KINDS[kind]
    z, y, x = RNG.uniform(-12, 12, (3000, 3)).T
    doubled = contains([solid.scaled(2.0)], np.stack([z, y, x], 1))
    np.testing.assert_array_equal(doubled, inside(z / 2, y / 2, x / 2))


def test_joined_they_hold_the_same_points():
    bunches = [solid for solid, _ in KINDS.values()]
    one_a_kind, points = joined(bunches), RNG.uniform(-8, 8, (4000, 3))
    assert [len(bunch) for bunch in one_a_kind] == [1, 3, 1, 1]
    np.testing.assert_array_equal(contains(one_a_kind, points), contains(bunches, points))


def painted(z, y, x):
    """The scene of ``layers`` point by point, layer after layer."""
    top = np.where(in_barrel(z, y, x), 1, 0)
    tint = np.where(in_post(z, y, x) & (top == 1), 70.0, 0.0)
    hu = np.where(top == 1, -800.0 + tint, AIR_HU)
    vessel = in_capsule(*SLANTED)(z, y, x) | in_capsule(*UPRIGHT)(z, y, x)
    hu = np.where(vessel & (top == 1), 40.0, hu)
    return np.where(in_ellipsoid(z, y, x), 900.0, hu)


def scene_layers():
    solids = {name: solid for name, (solid, _) in KINDS.items()}
    return [
        Layer("lung", -800.0, [solids["barrel"]]),
        Tint(np.array([70.0]), solids["post"], ("lung",)),
        Layer("vessel", 40.0, [solids["slanted capsule"], solids["upright capsule"]], ("lung",)),
        Layer("bone", 900.0, [solids["ellipsoid"]]),
    ]


PLANE = Plane((6, 7), (1.9, 1.7), 2, (-5.7, -5.95))


@pytest.mark.parametrize("profile", [box(3.0), gaussian(1.25), scanner_profile(5, 1.05, 0.3)])
def test_slices_are_the_painted_scene_seen_through_the_profile(profile):
    z = np.arange(-24, 24, 0.01) + 0.005
    y, x = (v.ravel() for v in np.meshgrid(*PLANE.centres_mm(), indexing="ij"))
    truth = painted(z[:, None], y, x)
    centres = np.array([-7.0, -2.3, 0.0, 1.1, 6.0])
    seen = compose(scene_layers(), PLANE, (-30, 30)).slices(profile, centres)
    for one, centre in zip(seen, centres):
        expected = 0.01 * (profile.density(centre - z)[:, None] * truth).sum(0)
        outside = AIR_HU * (1 - 0.01 * profile.density(centre - z).sum())
        np.testing.assert_allclose(one.ravel(), expected + outside, atol=8.0)
    assert np.ptp(seen) > 900


def test_nothing_is_counted_twice_where_solids_overlap():
    twice = [Layer("a", 100.0, [ellipsoid((0, 0, 0), (4, 4, 4))] * 3)]
    seen = compose(twice, PLANE, (-30, 30)).slices(box(0.5), np.array([0.0]))
    assert seen.max() == pytest.approx(100.0, abs=1e-3)


def test_bands_of_rows_join_without_a_trace(monkeypatch):
    whole = compose(scene_layers(), PLANE, (-30, 30))
    monkeypatch.setattr(layers, "BAND", 3 * PLANE.cells[1])
    banded = compose(scene_layers(), PLANE, (-30, 30))
    assert len(whole.cell) > 100
    for name in ("cell", "z_mm", "rise_hu"):
        np.testing.assert_array_equal(getattr(banded, name), getattr(whole, name))


def test_a_nodule_s_volume_is_its_closed_form():
    nodule = Ellipsoids(np.array([[0.2, 0.1, -0.3]]), np.array([[3.0, 2.0, 2.5]]), TURN[None])
    plane = Plane((28, 28), (0.4, 0.4), 2, (-5.6, -5.6))
    lone = compose([Layer("nodule", 50.0, [nodule])], plane, (-20, 20))
    seen = plane.to_pixels(lone.slices(box(1.0), np.arange(-8, 9.0)))
    volume = ((seen - AIR_HU) / (50.0 - AIR_HU)).sum() * 0.4 * 0.4 * 1.0
    assert nodule.volumes_mm3()[0] == pytest.approx(4 / 3 * np.pi * 15)
    assert volume == pytest.approx(nodule.volumes_mm3()[0], rel=0.003)


def test_a_slice_beyond_the_known_anatomy_is_refused():
    short = compose(scene_layers(), PLANE, (-10, 10))
    with pytest.raises(ValueError, match="known over"):
        short.slices(gaussian(5.0), np.array([0.0, 4.0]))


def test_painting_over_a_layer_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="lung"):
        compose(scene_layers()[1:], PLANE, (-30, 30))


def test_off_centre_slices_are_broader_by_the_share_asked_for():
    plane = Plane((1, 41), (5.0, 5.0), 1, (-2.5, -102.5))
    edge = [Layer("step", 0.0, [column((-50, 0, 0), (50, 500, 500))])]
    z = np.arange(-4, 4, 0.02)
    seen = compose(edge, plane, (-40, 40)).slices(gaussian(1.25), z, broadening=0.07)
    response = -np.diff(seen[:, 0], axis=0)
    widths = (response > response.max(0) / 2).sum(0) * 0.02
    assert widths[20] == pytest.approx(1.25, abs=0.03)
    assert widths[0] == pytest.approx(1.25 * 1.07, abs=0.03)
