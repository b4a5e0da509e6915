"""Features in which a coarse plane and a fine slice of the same tissue look alike.

Two copies of VGG16's first layers, up to conv3_1, one for planes and one for references. A teacher
learns on pairs that are both fine: an image and the same image turned, scaled and bent, so that the
place of every pixel is known. Features of a pixel and of its place are to be nearer, by a margin,
than those of any other place. A student whose turned image is coarse along rows then learns the
same, and to see the likeness of all pixels as the teacher does.

Source: Jiang et al., "Robust reference-based super-resolution via C2-Matching", CVPR 2021:
contrastive correspondence and teacher-student correlation distillation, in the sizes of the
released code; written from a description. Differs: first weights are random where theirs learned on
photographs, and a student starts from its teacher; grey values are moved and stretched.

Shape suffixes: B images, C features, P Q an image's axes, H W a quarter of them, N pixels of H W.
"""

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import kl_div, normalize, relu

from thinslice.nets.grey import STRETCHED

SHRINKS = 4  # pixels for one of the features, along an axis
MARGIN = 1.0
SAFE = 4  # pixels of features: places nearer than that are no other place
TEMPERATURE = 0.15  # of correlations
DISTILLED = 15.0  # how much the teacher's correlations count
WIDTHS = (64, 128, 256)


class Extractor(nn.Sequential):
    """x_B1PQ in [0, 1] to features of length one, [B, C, P / 4, Q / 4]."""

    def __init__(self, widths: tuple[int, int, int]):
        a, b, c = widths
        pairs = ((1, a), (a, a), (a, b), (b, b), (b, c))
        first, second, third, fourth, last = (nn.Conv2d(n, m, 3, padding=1) for n, m in pairs)
        super().__init__(
            *(first, nn.ReLU(), second, nn.ReLU(), nn.MaxPool2d(2)),
            *(third, nn.ReLU(), fourth, nn.ReLU(), nn.MaxPool2d(2)),
            last,
        )
        for layer in (first, second, third, fourth, last):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, x_B1PQ: Tensor) -> Tensor:
        return normalize(super().forward(STRETCHED.seen(x_B1PQ)), dim=1)


class Extractors(nn.Module):
    """Planes and references of one size to their features."""

    def __init__(self, widths: tuple[int, int, int] = WIDTHS):
        super().__init__()
        self.plane, self.reference = Extractor(widths), Extractor(widths)

    def forward(self, plane_B1PQ: Tensor, reference_B1PQ: Tensor) -> tuple[Tensor, Tensor]:
        return self.plane(plane_B1PQ), self.reference(reference_B1PQ)


class Frozen(nn.Module):
    """Extractors that learn no more: their weights are saved, and are none of the parameters."""

    def __init__(self, extractors: Extractors):
        super().__init__()
        self._layers = [extractors.requires_grad_(False)]  # in a list: not a part of this module
        for name, weight in extractors.named_parameters():
            self.register_buffer(name.replace(".", "_"), weight.detach().clone())

    def use(self, extractors: Extractors) -> None:
        """Take these weights."""
        with torch.no_grad():
            for name, weight in extractors.named_parameters():
                getattr(self, name.replace(".", "_")).copy_(weight)

    @torch.no_grad()
    def forward(self, which: str, x_B1PQ: Tensor) -> Tensor:
        """Features by the extractor of a ``plane``, or of a ``reference``."""
        layers = getattr(self._layers[0], which)
        weights = {
            name: getattr(self, f"{which}_{name.replace('.', '_')}")
            for name, _ in layers.named_parameters()
        }
        return functional_call(layers, weights, (x_B1PQ,))


def correlation(plane_BCHW: Tensor, reference_BCHW: Tensor) -> Tensor:
    """Products of all pixels' features, [B, N, N], a row for each of the plane's."""
    return plane_BCHW.flatten(2).mT @ reference_BCHW.flatten(2)


def margin_loss(products_BNN: Tensor, numbers_BHW: Tensor) -> Tensor:
    """By how much a pixel's place is not nearer than the nearest other place, a margin apart.

    The mean over images of the mean over pixels, so that shares of a batch count alike.

    numbers_BHW   the place of each pixel, row by row; below zero where it is outside
    """
    w = numbers_BHW.shape[-1]
    place_BN = numbers_BHW.flatten(1)
    known_BN = place_BN >= 0
    at_BN = place_BN.clip(0)
    pixels_N = torch.arange(place_BN.shape[1], device=place_BN.device)
    distance_BNN = 2 - 2 * products_BNN  # squared, between features of length one
    right_BN = distance_BNN.gather(2, at_BN[..., None])[..., 0]
    near_BNN = _near(at_BN[..., None], pixels_N, w)
    others_BN = distance_BNN.masked_fill(near_BNN, 9).amin(2)
    around_BNN = _near(pixels_N[:, None], pixels_N, w)  # by distance between the plane's pixels
    columns_BNN = distance_BNN.gather(2, at_BN[:, None].expand_as(distance_BNN)).mT
    back_BN = columns_BNN.masked_fill(around_BNN, 9).amin(2)
    missed_BN = relu(MARGIN + right_BN - torch.minimum(others_BN, back_BN))
    return ((missed_BN * known_BN).sum(1) / known_BN.sum(1).clip(1)).mean()


def distillation(student_BNN: Tensor, teacher_BNN: Tensor) -> Tensor:
    """Divergence of the student's correlations from the teacher's, a mean over pixels."""
    log = (student_BNN / TEMPERATURE).log_softmax(2).flatten(0, 1)
    return kl_div(log, (teacher_BNN / TEMPERATURE).softmax(2).flatten(0, 1), reduction="batchmean")


def _near(a: Tensor, b: Tensor, w: int) -> Tensor:
    """Whether pixels are within the safe radius of each other, along both axes."""
    rows = (a.div(w, rounding_mode="floor") - b.div(w, rounding_mode="floor")).abs()
    return torch.maximum(rows, (a % w - b % w).abs()) < SAFE
