"""What Fang's views learn from thick scans alone helps a new patient."""

from pathlib import Path

import pytest

from thinslice.datasets import phantom
from thinslice.interfaces import Pair, Run, ScoringInput
from thinslice.methods import fang
from thinslice.operators.interpolation import resample_z
from thinslice.protocols._scored_region import scored_region
from thinslice.protocols.v1 import differences
from thinslice.volume import Volume

RUN = Run(device="cpu", threads=1, progress=False)
SHORT = {
    **{"loss": "mse", "blocks": 2, "channels": 16, "depth": 3, "side": 24, "batch": 1},
    **{"patch": [9, 48], "patches": 4, "steps": 300, "steps_further": 20, "lr": 2e-3},
    **{"schedule": "cosine", "warmup": 20, "validate_every": 1000},
}


def rmse(restored: Volume, pair: Pair) -> float:
    """Protocol v1's, in HU."""
    assert isinstance(pair.thin, Volume)
    assert isinstance(pair.thick, Volume)
    scores = differences(scored_region(ScoringInput(restored, pair.thin, pair.thick)))
    return next(s.value for s in scores if s.metric == "rmse_hu")


@pytest.mark.slow
def test_seconds_of_training_beat_interpolation_by_a_twelfth(tmp_path):
    """Truth every 10 mm, of slices as thick as before, brought a hundredth in minutes."""
    cases = phantom.build(seed=1, patients={"train": 2, "val": 0, "test": 1}).cases(Path())
    scans = [(case.name, case.thick, case.thin) for case in cases]
    *train, test = [Pair(name, thick, thin) for name, thick, thin in scans if thick and thin]
    assert isinstance(test.thick, Volume)
    assert isinstance(test.thin, Volume)
    method = fang.build(**SHORT)
    method.fit(train, [], work=tmp_path, run=RUN)
    thick, grid = test.thick, test.thin.grid
    restored = rmse(method.restore(thick, grid, run=RUN), test)
    assert restored < 11 / 12 * rmse(resample_z(thick, grid, "cubic"), test)
