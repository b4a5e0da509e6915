"""Deformable convolution: every point of the kernel looks where it is sent, not where it lies.

``DynamicAggregation`` sends the points of a 3 x 3 kernel to where a plane's pixels were found in a
reference (``patch_matching.offsets``) and learns how far beside that to look, and how much of it to
take (``nets.c2matching``, ``nets.mrefsr``).

Source: Zhu et al. 2019 (modulated deformable convolution), as the authors of C2-Matching and MRefSR
use it. In plain torch: a package's kernel needs one more package. Differs: the map that is looked
at may have another size than the answer.

Shape suffixes: B planes, C O features, G groups of them, K the nine points of a kernel, H W axes.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import grid_sample

SIDE = 3
POINTS = SIDE**2


def looked_up(map_BCHW: Tensor, y_BHW: Tensor, x_BHW: Tensor) -> Tensor:
    """Features at places in pixels, [B, C, h, w]: linear between pixels, zero beyond the map."""
    h, w = map_BCHW.shape[-2:]
    places = torch.stack(((2 * x_BHW + 1) / w - 1, (2 * y_BHW + 1) / h - 1), -1)
    return grid_sample(map_BCHW, places, align_corners=False)


def deformed(
    map_BCHW: Tensor, weight_OCKK: Tensor, bias_O: Tensor, ways: Tensor, shares: Tensor
) -> Tensor:
    """A 3 x 3 convolution whose points look elsewhere, [B, O, h, w].

    map_BCHW   what is looked at; of one plane, it serves all
    ways       [B, G, K, 2, h, w]: pixels that a point is moved by, along rows and columns
    shares     [B, G, K, h, w] by which what is found there counts
    """
    b, groups, _, _, h, w = ways.shape
    size = map_BCHW.shape[-2:]
    map_GCHW = map_BCHW.expand(b, -1, *size).reshape(b * groups, -1, *size)
    y_H1 = torch.arange(h, device=ways.device)[:, None]
    x_W = torch.arange(w, device=ways.device)
    out_BOHW = bias_O.view(1, -1, 1, 1)
    for k in range(POINTS):
        i, j = divmod(k, SIDE)
        y_BHW = (ways[:, :, k, 0] + (y_H1 + i - 1)).flatten(0, 1)
        x_BHW = (ways[:, :, k, 1] + (x_W + j - 1)).flatten(0, 1)
        seen_GCHW = looked_up(map_GCHW, y_BHW, x_BHW) * shares[:, :, k].flatten(0, 1)[:, None]
        seen_BCHW = seen_GCHW.reshape(b, -1, h, w)
        out_BOHW = out_BOHW + torch.einsum("bchw,oc->bohw", seen_BCHW, weight_OCKK[..., i, j])
    return out_BOHW


class DynamicAggregation(nn.Module):
    """A reference's features gathered where a plane's pixels were found, and learned ways around.

    groups   of features that are moved alike; they divide ``features``
    """

    def __init__(self, features: int, groups: int = 8):
        super().__init__()
        if features % groups:
            raise ValueError(f"{groups} groups of {features} features")
        self.groups = groups
        plain = nn.Conv2d(features, features, SIDE)  # for its first weights
        self.weight, self.bias = plain.weight, nn.Parameter(torch.zeros(features))
        self.conv_offset_mask = nn.Conv2d(features, 3 * groups * POINTS, SIDE, padding=1)
        nn.init.normal_(self.conv_offset_mask.weight, std=1e-3)  # near the places found, yet
        assert self.conv_offset_mask.bias is not None
        nn.init.zeros_(self.conv_offset_mask.bias)  # what is before it learns too

    def forward(self, map_BCHW: Tensor, about_BCHW: Tensor, ways_BK2HW: Tensor) -> Tensor:
        """[B, C, h, w]

        map_BCHW     the reference's features; of one reference, they serve all planes
        about_BCHW   what ways and shares are predicted from, of the answer's size
        ways_BK2HW   to where pixels were found
        """
        predicted = self.conv_offset_mask(about_BCHW).unflatten(1, (3, self.groups, POINTS))
        # The authors' layer gives twice as many ways as shares, group by group, (row, column) each.
        pairs = predicted[:, :2].flatten(1, 3).unflatten(1, (self.groups, POINTS, 2))
        shares = predicted[:, 2].sigmoid()
        return deformed(map_BCHW, self.weight, self.bias, pairs + ways_BK2HW[:, None], shares)
