"""Quantum noise of the virtual scanner against its closed forms."""

from dataclasses import replace

import numpy as np
import pytest

from thinslice.operators.profiles import box, gaussian, scanner_profile, trapezoid
from thinslice.phantom.kernel import filtered, mtf
from thinslice.phantom.lattice import Plane
from thinslice.phantom.layers import Layer, compose
from thinslice.phantom.noise import expose
from thinslice.phantom.reconstruction import Reconstruction, acquire
from thinslice.phantom.solids import column
from thinslice.volume import Grid

GRID = Grid(n=60, increment_mm=1.0, thickness_mm=1.0, shape=(40, 48), pixel_mm=(1.2, 1.0))
WATER = compose(
    [Layer("water", 0.0, [column((0, 0, 0), (500, 500, 500))])], Plane.of(GRID, 2), (-30, 90)
)
NOISE = expose(WATER, (0.0, 59.0), (7,), 60.0)


def seen(read, increment_mm=1.0, n=60, noise=NOISE):
    grid = GRID.with_slices(n=n, increment_mm=increment_mm, thickness_mm=1.0, start_mm=0.0)
    return acquire(WATER, noise, read, grid).voxels.astype(float)


def correlation(a, b):
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


@pytest.mark.parametrize(
    ("profile", "mtf50"),
    [
        (gaussian(1.25), 0.7),
        (gaussian(1.25), 0.35),
        (trapezoid(5, 1.2), 0.35),
        (gaussian(5.0), 0.45),
    ],
)
def test_sd_is_the_closed_form(profile, mtf50):
    read = Reconstruction(profile, mtf50)
    expected = NOISE.density_hu * np.sqrt(read.energy(WATER.plane))
    assert seen(read).std() == pytest.approx(expected, rel=0.03)


def test_thick_to_thin_ratio_is_the_closed_form():
    thin, thick = (
        Reconstruction(gaussian(1.15), 0.7),
        Reconstruction(scanner_profile(5, 1.05, 0.3), 0.35),
    )
    ratio = seen(thick, 5.0, 12).std() / seen(thin).std()
    energies = thick.energy(WATER.plane) / thin.energy(WATER.plane)
    assert ratio == pytest.approx(np.sqrt(energies), rel=0.03)
    assert ratio < 0.4


def test_thin_slices_a_millimetre_apart_share_two_fifths_of_their_noise():
    thin = seen(Reconstruction(gaussian(1.25), 0.7))
    assert correlation(thin[:-1], thin[1:]) == pytest.approx(0.41, abs=0.02)
    means = thin.reshape(12, 5, *GRID.shape).mean(1)
    assert means.std() / thin.std() == pytest.approx(0.58, abs=0.01)


def test_control_mean_of_five_has_the_noise_of_the_thick_read():
    thin, thick = Reconstruction(gaussian(1.25), 0.7), Reconstruction(trapezoid(5.0, 1.2), 0.7)
    means = seen(thin).reshape(12, 5, *GRID.shape).mean(1)
    grid = GRID.with_slices(n=12, increment_mm=5.0, thickness_mm=5.0, start_mm=2.0)
    sd_hu = acquire(WATER, NOISE, thick, grid).voxels.std()
    assert means.std() == pytest.approx(sd_hu, rel=0.02)
    soft = acquire(WATER, NOISE, Reconstruction(trapezoid(5.0, 1.2), 0.35), grid).voxels.std()
    assert means.std() > 1.5 * soft


def test_noise_falls_off_as_the_frequency_ramp_times_the_kernel():
    slices = seen(Reconstruction(box(1.0), 0.35))
    power = (np.abs(np.fft.rfft2(slices)) ** 2).mean(0)
    f = np.hypot(np.fft.fftfreq(40, 1.2)[:, None], np.fft.rfftfreq(48, 1.0)[None])
    low, middle = ((f > a) & (f < b) for a, b in ((0.03, 0.06), (0.2, 0.25)))
    expected = (f * mtf(f, 0.35) ** 2)[middle].mean() / (f * mtf(f, 0.35) ** 2)[low].mean()
    assert power[middle].mean() / power[low].mean() == pytest.approx(expected, rel=0.25)
    assert expected > 1.5


def test_two_equal_reads_see_the_same_quanta():
    read = Reconstruction(gaussian(1.25), 0.7)
    np.testing.assert_array_equal(seen(read), seen(read))
    part = GRID.with_slices(n=7, increment_mm=1.0, thickness_mm=1.0, start_mm=21.0)
    np.testing.assert_array_equal(acquire(WATER, NOISE, read, part).voxels, seen(read)[21:28])


def test_what_is_kept_of_a_read_changes_no_bit(monkeypatch):
    reads = [Reconstruction(gaussian(1.25), 0.7), Reconstruction(gaussian(5.0), 0.45)]
    row_bytes = 4 * 80 * 96
    results = []
    for kept in (0, 5, 10_000):
        monkeypatch.setattr("thinslice.phantom.noise.KEPT_BYTES", kept * row_bytes)
        noise = expose(WATER, (0.0, 59.0), (7,), 60.0)
        results.append([seen(read, noise=noise) for read in reads])
        assert min(kept, 200) <= len(noise._kept) <= kept
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_a_copy_with_another_seed_takes_nothing_that_was_kept():
    read = Reconstruction(gaussian(1.25), 0.7)
    seen(read)
    other = expose(WATER, (0.0, 59.0), (8,), 60.0)
    np.testing.assert_array_equal(
        seen(read, noise=replace(NOISE, seed=(8,))), seen(read, noise=other)
    )


def test_another_seed_is_other_noise():
    read = Reconstruction(gaussian(1.25), 0.7)
    other = seen(read, noise=expose(WATER, (0.0, 59.0), (8,), 60.0))
    assert abs(correlation(other, seen(read))) < 0.02


def test_thick_noise_is_in_the_thin_slices_below_it():
    thin = seen(Reconstruction(box(1.0), 0.7))
    grid = GRID.with_slices(n=12, increment_mm=5.0, thickness_mm=5.0, start_mm=2.0)
    thick = acquire(WATER, NOISE, Reconstruction(box(5.0), 0.7), grid).voxels
    np.testing.assert_allclose(thin.reshape(12, 5, *GRID.shape).mean(1), thick, atol=1.01)


def test_more_tissue_on_the_way_is_more_noise():
    plane = Plane.of(GRID, 1)
    y, x = plane.centres_mm()
    water = Layer("water", 0.0, [column((0, y.mean(), x.mean()), (500, 6, 500))])
    steps = compose([water], plane, (-30, 90))
    dose = expose(steps, (0.0, 59.0), (1,), 1.0).dose
    amplitude = dose.amplitude(30.0)
    inside = np.abs(y - y.mean()) <= 6
    wide, narrow = (0.019 * n for n in (48 * 1.0, inside.sum() * 1.2))
    expected = np.sqrt((np.exp(wide) + np.exp(narrow)) / (1 + np.exp(narrow)))
    assert amplitude[20, 5] / amplitude[0, 5] == pytest.approx(expected, rel=1e-4)
    assert (amplitude[inside] ** 2).mean() == pytest.approx(1.0, rel=1e-4)


def test_a_kernel_halves_contrast_at_its_frequency():
    plane = Plane((32, 40), (1.0, 1.0), 2, (0.0, 0.0))
    x = plane.centres_mm()[1]
    wave = np.cos(2 * np.pi * 0.35 * x)[None, None] * np.ones((1, 64, 1))
    out = filtered(wave, mtf(plane.frequencies_per_mm(), 0.35))
    assert np.ptp(out) / np.ptp(wave) == pytest.approx(0.5, abs=0.001)


def test_iterative_reconstruction_smooths_noise_and_keeps_edges():
    plain, damped = (
        Reconstruction(gaussian(1.25), 0.7),
        Reconstruction(gaussian(1.25), 0.7, iterative=0.6),
    )
    assert seen(damped, n=8).std() < 0.7 * seen(plain, n=8).std()
    half = [Layer("half", 0.0, [column((0, 20, -20), (500, 500, 40))])]
    steps = compose(half, WATER.plane, (-30, 90))
    grid = GRID.with_slices(n=8, increment_mm=1.0, thickness_mm=1.0, start_mm=0.0)
    noise = expose(steps, (0.0, 8.0), (7,), 5.0)
    edges = [acquire(steps, noise, r, grid).voxels.mean((0, 1)) for r in (plain, damped)]
    steepest = [np.abs(np.diff(e)).max() for e in edges]
    assert steepest[1] == pytest.approx(steepest[0], rel=0.02)


def test_a_lattice_coarser_than_a_detector_is_refused():
    with pytest.raises(ValueError, match=r"0\.625"):
        expose(WATER, (0.0, 59.0), (1,), 1.0, pitch_mm=1.0)
