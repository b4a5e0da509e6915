"""Find for every piece of a plane the piece of a reference that looks most like it.

Pieces are patches of 3 x 3 features; alike is the cosine of all their numbers. What was found is
used in two ways: the reference's patches are laid where they were found to fit and averaged where
they overlap (``swapped``), or the way from each pixel to where it was found is handed to a
deformable convolution (``offsets``). Patches of several references may be searched as one pool.

Source: texture swapping of Zhang et al. (SRNTT, CVPR 2019) and the correspondences of Jiang et al.
(C2-Matching, CVPR 2021); written from a description, tests compare with the authors' outputs.
Differs: planes and references need not have one size; scores are made for as many patches at a
time as ``BLOCK_BYTES`` allow.

Shape suffixes: B planes, C features, H W a map's axes, D numbers of a patch, M patches of
references, P pixels of references, K the nine pixels of a patch, row by row.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad, pixel_shuffle, pixel_unshuffle, unfold

Pick = Callable[[Tensor], tuple[Tensor, Tensor]]  # scores_NM: the best, and their numbers
SIDE = 3  # of a patch
EPSILON = 1e-5  # added to norms
BLOCK_BYTES = 64 * 2**20  # bound of a matrix of scores


class Match(NamedTuple):
    """Of every patch of planes the best patch of references."""

    index: Tensor  # [B, H - 2, W - 2]: its number, row by row and reference by reference
    score: Tensor  # likewise: the cosine


def unit_patches(features_1CHW: Tensor) -> Tensor:
    """Patches of a reference as columns of length one, [D, M]."""
    patches_DM = unfold(features_1CHW, SIDE)[0]
    return patches_DM / (patches_DM.norm(dim=0) + EPSILON)


def pixels_of_patches(h: int, w: int, device: torch.device | None = None) -> Tensor:
    """Numbers [K, M] of the pixels of each patch of an [H, W] map, row by row."""
    numbers_HW = torch.arange(h * w, device=device).view(h, w)
    rows, columns = h - SIDE + 1, w - SIDE + 1
    return torch.stack(
        [
            numbers_HW[i : i + rows, j : j + columns].flatten()
            for i in range(SIDE)
            for j in range(SIDE)
        ]
    )


def best_match(features_BCHW: Tensor, patches_DM: Tensor) -> Match:
    """The best of ``patches_DM`` for every patch of the features; of equal ones the first."""
    index, score = _matched(features_BCHW, patches_DM, lambda scores_NM: scores_NM.max(1, True))
    return Match(index[0], score[0])


def best_matches(features_BCHW: Tensor, patches_DM: Tensor, count: int) -> list[Match]:
    """The ``count`` best of ``patches_DM``, or as many as there are, the best first."""
    count = min(count, patches_DM.shape[1])
    ranked = _matched(features_BCHW, patches_DM, lambda scores_NM: scores_NM.topk(count, 1))
    return [Match(index, score) for index, score in zip(*ranked)]


@torch.no_grad()
def _matched(features_BCHW: Tensor, patches_DM: Tensor, pick: Pick) -> Match:
    """Numbers and scores of the patches that ``pick`` takes, [count, B, H - 2, W - 2] each."""
    h, w = (n - SIDE + 1 for n in features_BCHW.shape[-2:])
    rows = max(1, BLOCK_BYTES // (patches_DM.shape[1] * patches_DM.element_size()))
    scores, indices = [], []
    with torch.autocast(features_BCHW.device.type, enabled=False):
        for plane_CHW in features_BCHW.to(patches_DM.dtype):
            for some_ND in unfold(plane_CHW[None], SIDE)[0].T.split(rows):
                best_NR, index_NR = pick(some_ND @ patches_DM)
                scores.append(best_NR / (some_ND.norm(dim=1, keepdim=True) + EPSILON))
                indices.append(index_NR)
    size = (len(features_BCHW), h, w, -1)
    return Match(*(torch.cat(part).view(size).movedim(-1, 0) for part in (indices, scores)))


def as_blocks(map_1CHW: Tensor, ratio: int) -> Tensor:
    """A map ``ratio`` times as fine as the matching, as pixels of the coarse one, [C', P]."""
    return pixel_unshuffle(map_1CHW, ratio)[0].flatten(1)


def swapped(
    blocks_CP: Tensor,
    pixels_KM: Tensor,
    index_BHW: Tensor,
    ratio: int,
    share_BHW: Tensor | None = None,
) -> Tensor:
    """A map of planes made of the references' best patches, [B, C, H * ratio, W * ratio].

    blocks_CP   of the references' maps (``as_blocks``), side by side
    pixels_KM   of the patches that were searched (``pixels_of_patches``), numbered alike
    index_BHW   of a ``Match``
    share_BHW   by which each patch counts; None: whole
    """
    b, h, w = index_BHW.shape
    sum_BCHW = blocks_CP.new_zeros(b, len(blocks_CP), h + SIDE - 1, w + SIDE - 1)
    times_HW = blocks_CP.new_zeros(h + SIDE - 1, w + SIDE - 1)
    for k, pixels_M in enumerate(pixels_KM):
        i, j = divmod(k, SIDE)
        laid_CBHW = blocks_CP[:, pixels_M[index_BHW]]
        if share_BHW is not None:
            laid_CBHW = laid_CBHW * share_BHW
        sum_BCHW[..., i : i + h, j : j + w] += laid_CBHW.movedim(0, 1)
        times_HW[i : i + h, j : j + w] += 1
    return pixel_shuffle(sum_BCHW / times_HW, ratio)


def offsets(index_BHW: Tensor, width: int, ratio: int = 1) -> Tensor:
    """Ways from pixels of planes to where they were found, [B, K, 2, H, W]: rows, columns.

    Each pixel lies in up to nine patches: number k says where the patch was found of which it is
    the pixel k, zero where there is none.

    width   of the reference's coarse map, in pixels
    ratio   pixels of the map that is to be moved, for one of the coarse map
    """
    h, w = index_BHW.shape[1:]
    columns = width - SIDE + 1
    y_H1 = torch.arange(h, device=index_BHW.device)[:, None]
    x_W = torch.arange(w, device=index_BHW.device)
    ways = [index_BHW // columns - y_H1, index_BHW % columns - x_W]
    ways_B2HW = torch.stack(ways, 1)
    last = SIDE - 1
    shifted = [pad(ways_B2HW, (j, last - j, i, last - i)) for i in range(SIDE) for j in range(SIDE)]
    coarse_BK2HW = torch.stack(shifted, 1) * ratio
    return coarse_BK2HW.repeat_interleave(ratio, -2).repeat_interleave(ratio, -1)
