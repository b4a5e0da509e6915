"""Spheres of known size: the measured thickness is the profile's, and thick slices lose nodules."""

import numpy as np
import pytest

from support.spheres import LUNG_HU, NODULE_HU, grid_of, rendered
from thinslice.metrics.known_solids import (
    Contrast,
    Sphere,
    contrast_of,
    effective_thickness,
    spheres_of,
    volume_error,
)
from thinslice.operators import profiles

TRUE = Contrast(NODULE_HU, LUNG_HU)


def sphere(diameter_mm: float, z_mm: float = 0.3) -> Sphere:
    return Sphere(1.1, -0.6, z_mm, diameter_mm, NODULE_HU)


@pytest.mark.parametrize("fwhm_mm", [1.0, 2.5, 5.0])
@pytest.mark.parametrize(("shape", "of_fwhm"), [(profiles.gaussian, 1.0), (profiles.box, 0.76)])
def test_the_width_of_the_edge_is_that_of_the_profile(shape, of_fwhm, fwhm_mm):
    ball = sphere(20.0)
    volume = rendered(grid_of(1.0), [ball], shape(fwhm_mm))
    width_mm, n = effective_thickness(volume, [(ball, TRUE)])
    assert n == 1
    assert width_mm == pytest.approx(of_fwhm * fwhm_mm, abs=0.25)


def test_spheres_at_several_phases_make_one_finely_sampled_edge():
    places = [(-10.0, -10.0), (-10.0, 10.0), (10.0, -10.0), (10.0, 10.0)]
    for first_mm in (0.0, 0.2):
        balls = [Sphere(x, y, first_mm + 0.4 * k, 8.0) for k, (x, y) in enumerate(places)]
        volume = rendered(grid_of(1.5), balls, profiles.gaussian(1.5))
        width_mm, n = effective_thickness(volume, [(ball, TRUE) for ball in balls])
        assert n == 4
        assert width_mm == pytest.approx(1.5, abs=0.25)


def test_a_sphere_without_a_plateau_is_not_measured():
    ball = sphere(6.0)
    volume = rendered(grid_of(3.0), [ball], profiles.gaussian(3.0))
    width_mm, n = effective_thickness(volume, [(ball, TRUE)])
    assert np.isnan(width_mm)
    assert n == 0


def test_the_error_of_a_small_nodule_grows_with_the_thickness_until_it_is_gone():
    errors = []
    for mm in (0.75, 1.5, 3.0, 5.0):
        by_phase = []
        for z_mm in np.linspace(0, mm, 5, endpoint=False):
            ball = sphere(5.0, float(z_mm))
            volume = rendered(grid_of(mm, 45.0), [ball], profiles.gaussian(mm))
            by_phase.append(volume_error(volume, ball, TRUE))
        errors.append(float(np.mean(np.abs(by_phase))))
    assert errors[0] < 5
    assert errors == sorted(errors)
    assert errors[-1] > 25


def test_of_large_nodules_thin_slices_are_right_within_two_percent():
    ball = sphere(20.0)
    volume = rendered(grid_of(0.75), [ball], profiles.gaussian(0.75))
    assert abs(volume_error(volume, ball, TRUE)) < 2


def test_the_contrast_is_read_from_the_thin_scan_where_it_is_not_stated():
    ball = sphere(10.0)._replace(hu=None)
    thin = rendered(grid_of(0.75), [ball], profiles.gaussian(0.75))
    assert contrast_of(thin, ball) == pytest.approx(TRUE, abs=1)


def test_a_sphere_at_the_end_of_the_scan_is_left_out():
    ball = sphere(10.0, 28.0)
    thin = rendered(grid_of(0.75), [ball], profiles.gaussian(0.75))
    assert contrast_of(thin, ball) is None
    assert np.isnan(volume_error(thin, ball, TRUE))


def test_a_source_states_its_spheres():
    stated = {"x_mm": 1.0, "y_mm": 2.0, "z_mm": 3.0, "diameter_mm": 8.0, "hu": None}
    assert spheres_of({"solids": [stated]}) == [Sphere(1.0, 2.0, 3.0, 8.0)]
    assert spheres_of({}) == []
