"""The window of HU that a network sees as 0 and 1: a setting that fitting and restoring share."""

import numpy as np
import pytest

from support.cards import with_settings
from support.tiny_methods import (
    A_FITTED_FAMILY_EACH,
    ALL,
    FITTED,
    RUN,
    THICK,
    THIN,
    pair,
    thick,
    tiny,
)
from thinslice import plugins
from thinslice.interfaces import Pair
from thinslice.volume import Volume
from thinslice.workflow import plugin_source

LOW, HIGH = -1024.0, 2048.0
TIMES, MORE = 2.0, 300.0  # exact in float32
CLOSE = 0.02  # of the values in other units
COARSE = {  # methods that know more of the units than the window
    "saint": 2.0,  # answers are rounded to whole grey levels
    "conditioned_unet": 2.0,  # told how noisy a scan is, in HU
}
SMOOTH = {"fang": {"loss": "mse"}}  # views begin alike: the sign of l1 would be that of rounding


def stretched(volume: Volume) -> Volume:
    return volume.with_voxels(volume.voxels * np.float32(TIMES) + np.float32(MORE))


def built(name: str, low: float, high: float):
    settings = {"ct": [low, high], **SMOOTH.get(name, {})}
    return plugins.build("methods", with_settings(tiny(ALL[name]), **settings))


def fitted(name: str, work, low: float, high: float, change=lambda volume: volume):
    method = built(name, low, high)
    pairs = [
        Pair(case, change(coarse), change(fine))
        for case, coarse, fine in map(pair, range(3))
        if isinstance(coarse, Volume) and isinstance(fine, Volume)
    ]
    method.fit(pairs[:2], pairs[2:], work=work, run=RUN)
    return method


@pytest.mark.parametrize("name", FITTED)
def test_every_fitted_method_takes_the_window_of_the_data(name):
    known = plugin_source.settings(plugins.module_name("methods", ALL[name]))
    assert known
    assert "ct" in known


@pytest.mark.parametrize("name", A_FITTED_FAMILY_EACH)
def test_the_window_is_all_that_fixes_the_scale(name, tmp_path):
    """Other units with a window in the same units: the same network, the same answer in them."""
    plain = fitted(name, tmp_path / "a", LOW, HIGH)
    ends = (LOW * TIMES + MORE, HIGH * TIMES + MORE)
    other = fitted(name, tmp_path / "b", *ends, change=stretched)
    want = stretched(plain.restore(thick(), THIN, run=RUN)).voxels
    got = other.restore(stretched(thick(THICK)), THIN, run=RUN).voxels
    np.testing.assert_allclose(got, want, atol=COARSE.get(name, CLOSE), rtol=0)


@pytest.mark.parametrize("name", FITTED)
def test_weights_of_one_window_are_refused_for_another(name, tmp_path):
    fitted(name, tmp_path / "work", LOW, HIGH).save(tmp_path / "w", {})
    built(name, LOW, HIGH).load(tmp_path / "w")
    with pytest.raises(ValueError, match="ct"):
        built(name, LOW, 3000.0).load(tmp_path / "w")
