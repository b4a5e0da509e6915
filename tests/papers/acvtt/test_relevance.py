"""Relevance of references: what ACVTT weights them by, for looking at."""

import numpy as np
import pytest
import torch

from support.two_view_scene import RUN, TINY
from support.wave_pairs import pairs
from thinslice.methods import acvtt
from thinslice.nets import references
from thinslice.nets.acvtt import ACVTT
from thinslice.training import seeds


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


def offered(n: int = 3) -> list[references.ReferenceTokens]:
    return [
        references.ReferenceTokens(noise(11 + r, 6, seed=r), noise(11 + r, 6, seed=9 + r))
        for r in range(n)
    ]


@pytest.mark.parametrize("fusion", ["relevance", "average"])
@pytest.mark.parametrize("block_bytes", [1, 2**20])
def test_what_is_added_is_each_reference_s_answer_by_its_share(fusion, block_bytes):
    queries, each = noise(17, 6, seed=5), offered()
    tokens = references.offered(each)
    shares = references.relevance(queries, tokens, fusion, block_bytes)
    torch.testing.assert_close(shares.sum(1), torch.ones(17))
    alone = [references.attend(queries, references.offered([one]), "average") for one in each]
    expected = sum(one * shares[:, r, None] for r, one in enumerate(alone))
    torch.testing.assert_close(references.attend(queries, tokens, fusion), expected)


def test_every_pixel_of_a_plane_has_its_shares():
    with seeds.seeded(0):
        net = ACVTT(channels=2, levels=2, references=3).eval()
    pyramid = net.encode_references([noise(1, 20, 28, seed=r) for r in range(3)])
    with torch.inference_mode():
        shares = net.relevance(noise(2, 1, 13, 17), pyramid)
    assert shares.shape == (2, 3, 13, 17)
    torch.testing.assert_close(shares.sum(1), torch.ones(2, 13, 17))
    assert torch.equal(shares[..., :8, :8].amin((2, 3)), shares[..., :8, :8].amax((2, 3)))
    with pytest.raises(ValueError, match="without references"):
        ACVTT(channels=2, levels=2, references=0).relevance(noise(1, 1, 8, 8), [])


@pytest.mark.parametrize(("plane", "sides"), [("coronal", (0, 2)), ("sagittal", (0, 1))])
def test_a_method_says_which_slices_it_looks_at(plane, sides):
    (pair,) = pairs(0)
    thick, grid = pair.thick, pair.thin.grid
    method = acvtt.build(**TINY)
    shown = method.relevance(thick, grid, plane=plane, at=0.5, run=RUN)
    assert shown.plane.shape == tuple(grid.zyx[k] for k in sides)
    assert shown.shares.shape == (TINY["references"], *shown.plane.shape)
    np.testing.assert_allclose(shown.shares.sum(0), 1, rtol=1e-5)
    assert len(shown.references) == TINY["references"]
