"""One network for all factors of its pairs; others are refused."""

import numpy as np
import pytest
import torch
from torch import nn

from support.tiny_methods import RUN, THIN, pair, thick
from thinslice.families.several_factors import ByFactor
from thinslice.interfaces import Pair
from thinslice.methods import mdsr_2d, mdsr_3d
from thinslice.volume import Volume

COARSE = THIN.with_slices(n=20, increment_mm=2.0, thickness_mm=2.0, start_mm=-1.0)


def pair_of_two(seed: int) -> Pair:
    return Pair(f"two{seed}", thick(COARSE, seed=seed), pair(seed).thin)


@pytest.fixture(scope="module", params=[mdsr_2d, mdsr_3d])
def fitted(request, tmp_path_factory):
    method = request.param.build(**request.param.TINY)
    method.fit(
        [pair(0), pair_of_two(1)], [pair_of_two(2)], work=tmp_path_factory.mktemp("w"), run=RUN
    )
    return request.param, method


def test_it_serves_the_factors_of_all_its_pairs(fitted, tmp_path):
    module, method = fitted
    assert method.factors == [2, 5]
    method.save(tmp_path / "weights", {})
    loaded = module.build(**module.TINY)
    loaded.load(tmp_path / "weights")
    for grid in (COARSE, thick().grid):
        answers = [m.restore(thick(grid), THIN, run=RUN).voxels for m in (method, loaded)]
        np.testing.assert_array_equal(*answers)


def test_another_factor_is_refused_with_all_numbers(fitted):
    _, method = fitted
    third = THIN.with_slices(n=12, increment_mm=3.0, thickness_mm=3.0, start_mm=-1.0)
    with pytest.raises(ValueError, match=r"3 mm are a factor of 3, .* was fitted for 2, 5: fit it"):
        method.restore(Volume(np.zeros(third.zyx, np.float32), third), THIN, run=RUN)


def test_a_factor_in_the_settings_refuses_pairs_of_others(tmp_path):
    method = mdsr_2d.build(**{**mdsr_2d.TINY, "factor": 5})
    with pytest.raises(ValueError, match="two1 has a factor of 2, mdsr_2d is for 5"):
        method.fit([pair(0), pair_of_two(1)], [], work=tmp_path, run=RUN)


def test_a_batch_is_of_one_factor_and_factors_come_as_often_as_their_pairs():
    samplers = {f: (lambda _, f=f: (torch.full((1,), f), torch.full((1,), f))) for f in (2, 5)}
    draw, rng = ByFactor(samplers, {2: 3, 5: 1}), np.random.default_rng(0)
    factors = []
    for _ in range(400):
        x, factor, y = draw(rng)
        assert x == factor == y
        factors.append(int(factor))
    assert 0.7 < np.mean(np.array(factors) == 2) < 0.8


def test_every_branch_learns_from_its_pairs_alone(tmp_path):
    method = mdsr_2d.build(**{**mdsr_2d.TINY, "steps": 8})
    method.fit([pair(0), pair_of_two(1)], [], work=tmp_path, run=RUN)
    other = mdsr_2d.build(**{**mdsr_2d.TINY, "steps": 8})
    other.fit([pair_of_two(1)], [], work=tmp_path / "two", run=RUN)
    assert isinstance(method.net, nn.Module)
    assert set(method.net.entries) == {"2", "5"}
    assert set(other.net.entries) == {"2"}
