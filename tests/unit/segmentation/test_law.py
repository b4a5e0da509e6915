"""Fitted on virtual patients, a segmenter finds more in thin scans than in interpolated ones."""

from pathlib import Path
from statistics import mean

import pytest

from thinslice.datasets import phantom
from thinslice.degradations import profile
from thinslice.interfaces import Run
from thinslice.methods import interpolation
from thinslice.operators.degradation import thick_of
from thinslice.segmentation.crops import Labelled
from thinslice.segmentation.scores import scores
from thinslice.segmentation.segmenter import Segmenter
from thinslice.segmentation.settings import Settings

pytestmark = pytest.mark.slow
RUN = Run(device="cpu", progress=False, threads=1)
COARSE = {"shape": [40, 56], "pixel_mm": [3.2, 3.2]}  # of the same chests, a quarter of the voxels
SHORT = Settings(side=(16, 24, 32), steps=240, validate_every=60, val_batches=4)
BOX5 = profile.build(shape="box", thickness_mm=5.0, increment_mm=5.0)
LINEAR = interpolation.build(kind="linear")


@pytest.fixture(scope="module")
def patients() -> dict[str, list[Labelled]]:
    made = phantom.build(patients={"train": 6, "val": 1, "test": 3}, seed=2026, **COARSE)
    labels, found = made.labels(Path()), {"train": [], "val": [], "test": []}
    for case in made.cases(Path()):
        assert case.thin is not None
        found[case.split].append(Labelled(case.name, case.thin, labels[case.name](case.thin.grid)))
    return found


def test_thin_scans_show_a_segmenter_more_than_linear_interpolation_of_thick_slices(
    patients, tmp_path
):
    segmenter = Segmenter(phantom.STRUCTURES, SHORT)
    segmenter.fit(patients["train"], patients["val"], work=tmp_path, run=RUN)
    values: dict[str, list[float]] = {}
    for _, thin, labels in patients["test"]:
        restored = LINEAR.restore(thick_of(BOX5, thin), thin.grid)
        for row in scores(segmenter, restored, thin, labels, 1.0):
            values.setdefault(row.metric, []).append(row.value)
    found = {metric: mean(rows) for metric, rows in values.items()}
    assert found["dice_heart_thin"] > 0.6, found
    assert found["dice_heart_thin"] > found["dice_heart"], found
    assert found["nsd_heart_thin"] > found["nsd_heart"], found
