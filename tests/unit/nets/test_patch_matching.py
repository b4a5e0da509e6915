"""Pieces of planes are found again in references."""

import pytest
import torch

from thinslice.nets import patch_matching
from thinslice.nets.patch_matching import (
    as_blocks,
    best_match,
    best_matches,
    offsets,
    pixels_of_patches,
    swapped,
    unit_patches,
)


@pytest.fixture
def reference():
    torch.manual_seed(0)
    return torch.rand(1, 6, 9, 11)


def test_a_part_of_a_reference_is_found_where_it_is(reference):
    part = 3 * reference[..., 2:8, 4:11]
    match = best_match(part, unit_patches(reference))
    torch.testing.assert_close(match.score, torch.ones(1, 4, 5), atol=1e-4, rtol=0)
    rows, columns = match.index // 9, match.index % 9
    assert rows[0, :, 0].tolist() == [2, 3, 4, 5]
    assert columns[0, 0].tolist() == [4, 5, 6, 7, 8]


@pytest.mark.parametrize("ratio", [1, 2, 4])
def test_a_map_made_of_the_best_patches_is_that_part_of_the_reference(reference, ratio):
    match = best_match(reference[..., 2:8, 4:11], unit_patches(reference))
    fine = torch.rand(1, 5, 9 * ratio, 11 * ratio)
    made = swapped(as_blocks(fine, ratio), pixels_of_patches(9, 11), match.index, ratio)
    expected = fine[..., 2 * ratio : 8 * ratio, 4 * ratio : 11 * ratio]
    torch.testing.assert_close(made, expected)


def test_several_references_of_any_size_are_one_pool(reference):
    other = torch.rand(1, 6, 5, 8)
    patches = [unit_patches(reference), unit_patches(other)]
    pixels = [pixels_of_patches(9, 11), 99 + pixels_of_patches(5, 8)]
    blocks = [as_blocks(reference, 1), as_blocks(other, 1)]
    planes = torch.cat([reference[..., 4:9, :8], other])
    match = best_match(planes, torch.cat(patches, 1))
    made = swapped(torch.cat(blocks, 1), torch.cat(pixels, 1), match.index, 1)
    torch.testing.assert_close(made, planes)


def test_few_scores_at_a_time_are_the_same_scores(reference, monkeypatch):
    planes, patches = torch.rand(2, 6, 7, 5), unit_patches(reference)
    whole = best_match(planes, patches)
    monkeypatch.setattr(patch_matching, "BLOCK_BYTES", 1)
    parts = best_match(planes, patches)
    assert torch.equal(whole.index, parts.index)
    torch.testing.assert_close(whole.score, parts.score)


def test_offsets_lead_from_every_pixel_to_where_its_patches_were_found(reference):
    """A plane that is the reference moved by (2, 4): every patch says so of each of its pixels."""
    match = best_match(reference[..., 2:8, 4:11], unit_patches(reference))
    ways = offsets(match.index, 11, ratio=2)
    assert ways.shape == (1, 9, 2, 12, 14)
    inside = ways[..., 4:-4, 4:-4]
    assert (inside[:, :, 0] == 2 * 2).all()
    assert (inside[:, :, 1] == 2 * 4).all()
    assert (ways[:, 8, :, :4] == 0).all()  # the first rows are the last pixel of no patch


def test_the_best_matches_are_ranked_and_shares_mix_them(reference):
    planes, patches = torch.rand(2, 6, 7, 5), unit_patches(reference)
    best, ranked = best_match(planes, patches), best_matches(planes, patches, 3)
    assert len(ranked) == 3
    assert torch.equal(ranked[0].index, best.index)
    scores = torch.stack([match.score for match in ranked])
    assert (scores.diff(dim=0) <= 0).all()
    assert len(best_matches(planes, patches, 1000)) == patches.shape[1]
    share = torch.rand(2, 5, 3)
    arguments = (as_blocks(reference, 1), pixels_of_patches(9, 11), best.index, 1)
    mixed = swapped(*arguments, share) + swapped(*arguments, 1 - share)
    torch.testing.assert_close(mixed, swapped(*arguments))
