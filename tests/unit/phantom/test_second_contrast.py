"""The second contrast of a phantom shows its anatomy, and nothing else of the thin scan."""

import numpy as np

from thinslice.datasets import phantom

SMALL = {"shape": [24, 32], "pixel_mm": [5.0, 5.0], "length_mm": 40.0, "cells": 1, "second": True}
PATIENTS = {"train": 0, "val": 0, "test": 1}


def test_noise_of_the_thin_scan_is_not_in_it():
    loud, quiet = (
        phantom.build(**SMALL, patients=PATIENTS, noise_hu=noise_hu).case("test", 0)
        for noise_hu in (30.0, 0.0)
    )
    assert np.abs(loud.thin.voxels - quiet.thin.voxels).max() > 30
    np.testing.assert_array_equal(loud.thin.second.voxels, quiet.thin.second.voxels)
    np.testing.assert_array_equal(loud.thick.second.voxels, loud.thin.second.voxels)
    assert quiet.thin.second.voxels.std() > 50
