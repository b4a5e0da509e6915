"""Inversion of a block: it goes towards the thick slices, and its noise belongs to places."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from support.tiny_methods import THIN, thick
from thinslice.inference.latent_inversion import Inversion, Probe, inverted, noise_at
from thinslice.inference.tensor_memory import peak_bytes
from thinslice.nets.autoencoder import Autoencoder
from thinslice.nets.latent_prior import LatentPrior
from thinslice.operators.interpolation import resample_z
from thinslice.operators.measured_slices import Measured
from thinslice.volume import Window

WINDOW = Window(-1024.0, 3071.0)
HOW = Inversion([1.0, 0.5, 0.2] * 5, lr=0.05, prior_weight=0.01, seed=3)
AT = (np.arange(40), np.arange(12), np.arange(20))
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def prior() -> LatentPrior:
    torch.manual_seed(0)
    return LatentPrior(Autoencoder(4, 1, 4), 4, 1).eval()


def block() -> tuple[np.ndarray, Measured]:
    start = WINDOW.to_unit(resample_z(thick(), THIN, "cubic").voxels)[:40]
    return start, Measured.of(thick(), THIN, WINDOW)


def off(x: np.ndarray, measured: Measured) -> float:
    """What the thick slices say against ``x``."""
    rows = measured.within(AT[0])
    weights, values, _ = measured.block(rows, AT)
    return float(np.abs(np.einsum("kz,zyx->kyx", weights, x) - values).mean())


def test_the_restored_block_agrees_better_and_repeats(prior):
    start, measured = block()
    change = inverted(prior, start, AT, measured, HOW, CPU)
    assert off(start + change, measured) < 0.95 * off(start, measured)
    with torch.inference_mode():
        np.testing.assert_array_equal(inverted(prior, start, AT, measured, HOW, CPU), change)
    other = inverted(prior, start, AT, measured, replace(HOW, seed=4), CPU)
    assert not np.array_equal(other, change)


def test_nothing_is_added_where_nothing_was_measured(prior):
    start, measured = block()
    few = (np.arange(2), *AT[1:])
    assert not inverted(prior, start[:2], few, measured, HOW, CPU).any()


def test_weights_are_left_alone_and_memory_can_be_foreseen(prior):
    start, measured = block()
    before = {k: v.clone() for k, v in prior.state_dict().items()}
    inverted(prior, start, AT, measured, HOW, CPU)
    for name, tensor in prior.state_dict().items():
        assert torch.equal(tensor, before[name])
    small, large = (peak_bytes(Probe(prior, HOW), torch.zeros(1, 1, n, 8, 8)) for n in (8, 16))
    assert large > 1.5 * small > 0


def test_a_place_has_the_same_noise_in_every_block():
    net = Autoencoder(2, 1, 3)
    whole = noise_at((np.arange(80), np.arange(12), np.arange(20)), net, (1, 2))
    part = noise_at((np.arange(8, 24), np.arange(4, 12), np.arange(6, 20)), net, (1, 2))
    np.testing.assert_array_equal(part, whole[:, :, 4:12, 2:6, 3:10])
    assert whole.std() == pytest.approx(1.0, abs=0.05)
