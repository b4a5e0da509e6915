"""A network is worth its training only above the best linear filter: on new patients too.

The filter (``benchmarks/linear_filter.py``) sees 6 thick slices of 7 x 7 pixels and is fitted by
ridge regression on the very pairs that the networks learn from.
"""

import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from support.paths import BENCHMARKS, ROOT
from support.quick import slow_but
from support.textured_pairs import textured
from thinslice import plugins
from thinslice.datasets import phantom
from thinslice.interfaces import Pair, Run, ScoringInput
from thinslice.operators.interpolation import resample_z
from thinslice.protocols._scored_region import scored_region
from thinslice.protocols.v1 import differences
from thinslice.volume import Volume

sys.path.insert(0, str(BENCHMARKS))
from linear_filter import LinearFilter

RUN = Run(device="cpu", threads=1, progress=False)
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
SHORT = {
    "plane_unet": {"channels": 8, "neighbours": 0, "patch": [32, 32], "steps": 300, "lr": 3e-3},
    "edsr_planes": {"blocks": 3, "channels": 16, "patch": [32, 32], "steps": 200, "lr": 2e-3},
    "tvsrn": {
        **CONFIG["methods"]["tvsrn_small"]["settings"],
        **{"side": 24, "steps": 300, "validate_every": 300},
    },
}


def split(settings: dict) -> tuple[list[Pair], list[Pair], list[Pair]]:
    """Training, validation and test patients of a phantom as acquired."""
    found: dict[str, list[Pair]] = {"train": [], "val": [], "test": []}
    for case in phantom.build(**settings).cases(Path()):
        found[case.split].append(Pair(case.name, case.thick, case.thin))
    return found["train"], found["val"], found["test"]


def rmse(restored: Volume, pair: Pair) -> float:
    """Protocol v1's, in HU."""
    scores = differences(scored_region(ScoringInput(restored, pair.thin, pair.thick)))
    return next(s.value for s in scores if s.metric == "rmse_hu")


def mean_rmse(restore, pairs: list[Pair]) -> float:
    return float(
        np.mean([rmse(restore(pair.thick, pair.thin.grid, run=RUN), pair) for pair in pairs])
    )


@pytest.fixture(scope="module")
def small():
    """Five patients, four to learn from, and the filter's RMSE on the fifth."""
    size = {"shape": [48, 64], "pixel_mm": [2.6, 2.6], "length_mm": 64.0}
    train, _, test = split({"seed": 1, "patients": {"train": 4, "val": 0, "test": 1}, **size})
    return train, test, mean_rmse(LinearFilter.fit(train, every=1).restore, test)


def test_the_filter_itself_beats_interpolation(small):
    _, test, best = small

    def cubic(thick, grid, run):
        return resample_z(thick, grid, "cubic")

    assert best < 0.95 * mean_rmse(cubic, test)


def test_the_filter_is_the_linear_one_where_that_is_the_truth():
    """Least squares: what lies in its window's reach it finds to rounding."""
    thick = textured(0).thick
    thin = resample_z(thick, textured(0).thin.grid, "linear")
    restored = LinearFilter.fit([Pair("case", thick, thin)], every=1).restore(thick, thin.grid)
    inner = slice(5, -5)
    np.testing.assert_allclose(restored.voxels[inner], thin.voxels[inner], atol=3)


@pytest.mark.parametrize("module", slow_but(["plane_unet", "tvsrn"], SHORT))
def test_seconds_of_training_beat_the_best_linear_filter_on_a_new_patient(module, small, tmp_path):
    train, test, best = small
    method = plugins.build("methods", {"name": module, "settings": SHORT[module]})
    method.fit(train, [], work=tmp_path, run=RUN)
    assert mean_rmse(method.restore, test) < 0.97 * best


@pytest.fixture(scope="module")
def demo():
    """The demo's phantom, and the filter's RMSE on its test patients: 72.5 HU."""
    train, val, test = split(CONFIG["datasets"]["phantom"]["settings"])
    return train, val, test, mean_rmse(LinearFilter.fit(train).restore, test)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["edsr_small", "tvsrn_small", "plane_unet"])
def test_the_demos_networks_beat_it_on_the_demos_patients(name, demo, tmp_path):
    train, val, test, best = demo
    method = plugins.build("methods", {"name": name, **CONFIG["methods"][name]})
    method.fit(train, val, work=tmp_path, run=RUN)
    assert 70 < best < 75
    assert mean_rmse(method.restore, test) < 0.95 * best
