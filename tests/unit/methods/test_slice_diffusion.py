"""What the score model adds to a coarse answer, on patients that neither learned from."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from support.paths import BENCHMARKS, ROOT
from thinslice.datasets import phantom
from thinslice.interfaces import Pair, Run, ScoringInput
from thinslice.methods import slice_diffusion
from thinslice.protocols._scored_region import scored_region
from thinslice.protocols.v1 import differences

RUN = Run(device="cpu", threads=1, progress=False)
DEMO = yaml.safe_load((ROOT / "config.yaml").read_text())["datasets"]["phantom"]["settings"]
SMALL = yaml.safe_load((BENCHMARKS / "small_methods.yaml").read_text())["slice_diffusion_small"]


def scans(split: str) -> list[Pair]:
    """Patients of the demo's phantom as acquired."""
    cases = phantom.build(**DEMO).cases(Path())
    return [Pair(c.name, c.thick, c.thin) for c in cases if c.split == split]


def rmse_hu(restore, pairs: list[Pair]) -> np.ndarray:
    """Protocol v1's, of each patient."""
    regions = (
        scored_region(ScoringInput(restore(p.thick, p.thin.grid, run=RUN), p.thin, p.thick))
        for p in pairs
    )
    return np.array(
        [next(s.value for s in differences(r) if s.metric == "rmse_hu") for r in regions]
    )


@pytest.mark.slow
def test_a_trained_score_model_is_nearer_the_truth_than_the_coarse_answer_and_one_untrained(
    tmp_path,
):
    """The untrained one adds next to nothing: the same step towards the thick slices is left."""
    method = slice_diffusion.build(**SMALL["settings"], steps=700, validate_every=300)
    method.fit(scans("train"), scans("val"), work=tmp_path, run=RUN)
    new = scans("test")
    coarse, refined = rmse_hu(method.coarse().restore, new), rmse_hu(method.restore, new)
    method.net.score.denoiser.net = method.recipe.score().denoiser.net
    joined = rmse_hu(method.restore, new)
    assert (refined < coarse).all()
    assert (refined < joined).all()
