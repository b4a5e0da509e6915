"""CIMR starts as interpolation; with one match it is SRNTT's way, with more all of them count."""

import pytest
import torch

from thinslice.methods import cimr
from thinslice.nets.cimr import PlanesOfCIMR, Width, together
from thinslice.nets.patch_matching import Match


def planes(best: int = 4) -> PlanesOfCIMR:
    torch.manual_seed(0)
    return PlanesOfCIMR(Width(8, 1, best), (4, 6, 8))


@torch.inference_mode()
def test_untrained_it_changes_nothing():
    x_B1ZW, references = torch.rand(2, 1, 20, 33), torch.rand(3, 2, 18, 40)
    assert torch.equal(planes()(x_B1ZW, references), x_B1ZW)


@torch.inference_mode()
def test_better_matches_count_more_and_all_together_one():
    scores = torch.tensor([0.9, 0.85, 0.2]).view(3, 1, 1, 1)
    shares = planes().shares([Match(torch.zeros(1), score) for score in scores])
    torch.testing.assert_close(shares.sum(0), torch.ones(1, 1, 1))
    torch.testing.assert_close(
        shares[0] / shares[1], torch.full((1, 1, 1), 2.71828), rtol=1e-3, atol=0
    )
    assert shares[2] < 1e-5


@torch.inference_mode()
def test_more_matches_are_another_answer_and_few_patches_suffice():
    answers, x_B1ZW, references = [], torch.rand(1, 1, 16, 16), torch.rand(1, 2, 16, 16)
    for best in (1, 4, 9):  # a slice of 16 x 16 has four patches
        net = planes(best)
        for p in list(net.net.parameters()):
            p.copy_(0.2 * torch.randn(p.shape, generator=torch.Generator().manual_seed(p.numel())))
        answers.append(net(x_B1ZW, references))
    assert (answers[0] - answers[1]).abs().max() > 1e-4
    assert torch.equal(answers[1], answers[2])


def test_features_of_every_resolution_count_alike():
    features = planes().seen(torch.rand(1, 1, 16, 16))
    found = together(features)
    assert found.shape == (1, 18, 4, 4)
    for part in found.split((8, 6, 4), 1):
        torch.testing.assert_close(part.norm(dim=1), torch.ones(1, 4, 4))
    with pytest.raises(ValueError, match="best starts at 1"):
        cimr.build(best=0)
