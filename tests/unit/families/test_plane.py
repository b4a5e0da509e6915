"""Plane methods: how many steps epochs are, networks by view, and what lies beyond the window."""

from dataclasses import replace

import numpy as np
import pytest
from torch import nn

from support.tiny_methods import RUN, THIN, pair, thick
from thinslice.families.plane import PlaneMethod, PlaneRecipe, PlaneSettings
from thinslice.interfaces import About
from thinslice.operators.interpolation import resample_z

ABOUT = About("Scaled", "from-abstract", "", "A plane times a number.")
SETTINGS = PlaneSettings(patch=(16, 12), batch=2, steps=2, validate_every=1)


class Scaled(nn.Module):
    """x_B1ZW times a number that is one at first."""

    reach = 0

    def __init__(self, factor: float = 1.0):
        super().__init__()
        self.layer = nn.Conv2d(1, 1, 1, bias=False)
        nn.init.constant_(self.layer.weight, factor)

    def forward(self, x):
        return self.layer(x)


def recipe(**changes) -> PlaneRecipe:
    return replace(PlaneRecipe("scaled", ABOUT, SETTINGS, Scaled), **changes)


def test_epochs_are_passes_over_the_planes_unless_steps_are_given():
    settings = replace(SETTINGS, steps=None, epochs=3, batch=4)
    assert settings.plan(14).steps == 11
    assert replace(settings, steps=5).plan(14).steps == 5
    with pytest.raises(ValueError, match="one at a time"):
        PlaneSettings(patch=None, batch=2)


@pytest.mark.parametrize("corrects", [True, False])
def test_a_network_that_changes_nothing_keeps_hu_beyond_the_window(corrects):
    scan = thick()
    scan = scan.with_voxels(scan.voxels * 10)
    start = resample_z(scan, THIN, "cubic").voxels
    assert start.max() > SETTINGS.ct[1]
    restored = PlaneMethod(recipe(corrects=corrects)).restore(scan, THIN, run=RUN).voxels
    np.testing.assert_allclose(restored, start, atol=1e-2)


def test_one_network_for_all_views_or_one_for_each(tmp_path):
    one = PlaneMethod(recipe())
    each = PlaneMethod(recipe(per_view=True))
    assert (one.parameters(), each.parameters()) == (1, 2)
    for method, stages in ((one, set()), (each, {"coronal", "sagittal"})):
        folder = tmp_path / str(method.parameters())
        method.fit([pair(0)], [pair(1)], work=folder, run=RUN)
        assert {path.name for path in folder.iterdir() if path.is_dir()} == stages


def test_only_the_views_of_the_recipe_are_restored_and_views_are_averaged():
    scan, unit = thick(), resample_z(thick(), THIN, "cubic").voxels
    answers = {}
    for views in (("coronal",), ("sagittal",), ("coronal", "sagittal")):
        method = PlaneMethod(recipe(views=views, per_view=True))
        for view, factor in (("coronal", 2.0), ("sagittal", 4.0)):
            if view in views:
                nn.init.constant_(method.net[view].layer.weight, factor)
        answers[views] = method.restore(scan, THIN, run=RUN).voxels - unit
    mean = (answers[("coronal",)] + answers[("sagittal",)]) / 2
    np.testing.assert_allclose(answers[("coronal", "sagittal")], mean, atol=0.05)
    assert np.abs(answers[("coronal",)] - answers[("sagittal",)]).max() > 100


def test_an_untrained_network_is_prepared_by_training_batches_alone(tmp_path):
    shown = []
    method = PlaneMethod(recipe(prepare=lambda net, batches: shown.append((net, len(batches)))))
    method.fit([pair(0)], [pair(1)], work=tmp_path, run=RUN)
    assert shown == [(method.net, 64)]
