"""CrossNet: a reference image, moved onto the plane by an estimated flow, lends it its detail.

One encoder sees the plane, made larger by some other method, and the reference. A flow network
(FlowNetS) sees the plane as it was interpolated, and the reference; the reference's features are
moved by its flow at four scales, and a decoder makes the plane of both.

Source: Zheng et al., "CrossNet: an end-to-end reference-based super resolution network using
cross-scale warping", ECCV 2018, written from a description of the released code; tests compare the
network with the outputs of that code: 35,183,841 parameters, of which 102,464 belong to a layer
that the code computes and never uses, left out here. Differs, in ``OfPlanes``: one grey value for
three colours; the plane as it was interpolated is also the image that another method made larger;
the reference is an axial slice, whose middle is taken, or which is mirrored out, to the plane's
size; and what is made is added to the plane, from zero, where theirs is the answer. First weights
are ours.

Shape suffixes: B planes, C colours or features, P Q a plane's axes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import grid_sample, leaky_relu, selu

from thinslice.nets.grey import STRETCHED
from thinslice.nets.referenced import Encoded, ReferencedNet

SCALES = 6  # of the flow network, each half of the one before
ALIGN = 2**SCALES


@dataclass(frozen=True)
class Sizes:
    """Architecture; the defaults are the authors' but for the colours."""

    colours: int = 1
    flow: int = 64  # features of the flow network's finest scale
    channels: int = 64  # features of encoder and decoder


class Flow(nn.Module):
    """Plane and reference to the flow in pixels (x, y) at full, half, quarter and eighth size."""

    def __init__(self, colours: int, width: int):
        super().__init__()
        widths = [width * k for k in (1, 2, 4, 8, 8, 16)]
        lifted = [width * k for k in (1, 1, 1, 2, 4, 4)]
        inputs = [2 * colours, *widths]
        self.down = nn.ModuleList(
            _stage(inputs[k], widths[k], side, again=k > 1)
            for k, side in enumerate((7, 5, 5, 3, 3, 3))
        )
        seen = [widths[k] + lifted[k + 1] + 2 for k in range(SCALES - 1)] + [widths[-1]]
        self.heads = nn.ModuleList(nn.Conv2d(n, 2, 3, padding=1) for n in seen)
        self.enlarge = nn.ModuleList(_doubling(2, 2) for _ in seen)
        self.lift = nn.ModuleList(_doubling(n, k) for n, k in zip(seen, lifted))
        fine = max(width // 4, 1)
        self.refine = nn.ModuleList(
            (_same(colours + lifted[0] + 2, fine, 7), _same(fine, fine, 7), _same(fine, 2, 3))
        )

    def forward(self, plane_BCPQ: Tensor, reference_BCPQ: Tensor) -> list[Tensor]:
        """Sides are multiples of 64; the finest flow first."""
        x, features = torch.cat([plane_BCPQ, reference_BCPQ], 1), [reference_BCPQ]
        for stage in self.down:
            x = stage(x)
            features.append(x)
        flows = []
        for k in reversed(range(SCALES)):
            flow = self.heads[k](x)
            flows.insert(0, flow)
            lifted = leaky_relu(self.lift[k](x), 0.1)
            x = torch.cat([features[k], lifted, self.enlarge[k](flow)], 1)
        for layer in self.refine[:2]:
            x = selu(layer(x))
        return [self.refine[2](x), *flows[:3]]


class Encoder(nn.Module):
    """An image to features at full, half, quarter and eighth size."""

    def __init__(self, colours: int, channels: int):
        super().__init__()
        self.layers = nn.ModuleList(
            _same(n, channels, 5, stride)
            for n, stride in zip((colours, *4 * [channels]), (1, 1, 2, 2, 2))
        )

    def forward(self, x_BCPQ: Tensor) -> list[Tensor]:
        features = []
        for layer in self.layers:
            x_BCPQ = selu(layer(x_BCPQ))
            features.append(x_BCPQ)
        return features[1:]


class Decoder(nn.Module):
    """Features of the plane and moved ones of the reference, at four scales, to an image."""

    def __init__(self, colours: int, channels: int):
        super().__init__()
        c = channels
        self.up = nn.ModuleList(_doubling(n, c) for n in (3 * c, 3 * c, 2 * c))  # finest first
        self.fuse = _same(3 * c, c, 5)
        self.last = _same(c, colours, 5)

    def forward(self, plane: Sequence[Tensor], moved: Sequence[Tensor]) -> Tensor:
        x: list[Tensor] = []
        for k in (3, 2, 1):
            x = [selu(self.up[k - 1](torch.cat([*x, plane[k], moved[k]], 1)))]
        return self.last(selu(self.fuse(torch.cat([*x, plane[0], moved[0]], 1))))


class CrossNet(nn.Module):
    """Plane, plane made larger and reference of the same size to the plane restored."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        s = sizes
        self.flow = Flow(s.colours, s.flow)
        self.encoder = Encoder(s.colours, s.channels)
        self.decoder = Decoder(s.colours, s.channels)

    def forward(self, plane_BCPQ: Tensor, larger_BCPQ: Tensor, reference_BCPQ: Tensor) -> Tensor:
        """Sides are multiples of ``ALIGN``."""
        flows = self.flow(plane_BCPQ, reference_BCPQ)
        moved = [warped(x, flow) for x, flow in zip(self.encoder(reference_BCPQ), flows)]
        return self.decoder(self.encoder(larger_BCPQ), moved)


class OfPlanes(ReferencedNet):
    """Planes and one axial slice to corrected planes; the flow sees the whole of a tile."""

    align = ALIGN
    sees_whole_tile = True  # the flow does, and the middle of the slice is laid over it

    def __init__(self, sizes: Sizes):
        super().__init__()
        self.net = CrossNet(sizes)
        even_weights(self.net)
        nn.init.zeros_(self.net.decoder.last.weight)
        nn.init.zeros_(self.net.decoder.last.bias)  # type: ignore[arg-type]

    @property
    def reach(self) -> int:
        """Pixels to each side, of encoder and decoder; the flow sees further."""
        return ALIGN

    def encode(self, reference_1CYX: Tensor) -> Encoded:
        """The slice as it is."""
        return (STRETCHED.seen(reference_1CYX[:, :1]),)

    def correction(self, x_B1ZW: Tensor, references: Sequence[Encoded]) -> Tensor:
        """ValueError unless there is one reference."""
        if len(references) != 1:
            raise ValueError(f"CrossNet takes one reference, found {len(references)}")
        [(reference_11YX,)] = references
        seen_B1ZW = STRETCHED.seen(x_B1ZW)
        like_B1ZW = as_large(reference_11YX, x_B1ZW.shape[-2:]).expand_as(x_B1ZW)
        return STRETCHED.correction(self.net(seen_B1ZW, seen_B1ZW, like_B1ZW))


@torch.no_grad()
def even_weights(net: CrossNet) -> None:
    """First weights with which features neither fade nor grow from layer to layer.

    With PyTorch's, a twentieth of them is left behind ten layers. Flows begin at a tenth of a
    pixel or so: larger ones would tear the reference's features apart before any is learned.
    """
    for name, layer in net.named_modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            up = isinstance(layer, nn.ConvTranspose2d)
            inputs = layer.weight[:, 0].numel() / 4 if up else layer.weight[0].numel()
            leaky = name.startswith(("flow.down", "flow.lift"))
            nn.init.normal_(layer.weight, std=((2 if leaky else 1) / inputs) ** 0.5)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    for layer in (*net.flow.heads, net.flow.refine[-1]):
        layer.weight *= 0.1  # type: ignore[operator]


def as_large(x_BCYX: Tensor, size: Sequence[int]) -> Tensor:
    """The middle of an image where that is larger, mirrored out at far edges where smaller."""
    for axis, want in zip((-2, -1), size):
        n = x_BCYX.shape[axis]
        at = torch.arange(want, device=x_BCYX.device) + max((n - want) // 2, 0)
        fold = at % max(2 * (n - 1), 1)
        x_BCYX = x_BCYX.index_select(axis, torch.minimum(fold, (2 * (n - 1) - fold).abs()))
    return x_BCYX


def warped(x_BCPQ: Tensor, flow_B2PQ: Tensor) -> Tensor:
    """The image seen at each pixel plus the flow (x, y), at the nearest edge where that is out."""
    p, q = x_BCPQ.shape[-2:]
    like = {"dtype": flow_B2PQ.dtype, "device": flow_B2PQ.device}
    columns = torch.arange(q, **like) + flow_B2PQ[:, 0]
    rows = torch.arange(p, **like)[:, None] + flow_B2PQ[:, 1]
    grid_BPQ2 = torch.stack([(2 * columns + 1) / q - 1, (2 * rows + 1) / p - 1], -1)
    return grid_sample(x_BCPQ, grid_BPQ2, padding_mode="border", align_corners=False)


def _same(inputs: int, outputs: int, side: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, side, stride, padding=side // 2)


def _doubling(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)


def _stage(inputs: int, outputs: int, side: int, *, again: bool) -> nn.Sequential:
    """To half the size, and with ``again`` a convolution more."""
    layers = [_same(inputs, outputs, side, 2), nn.LeakyReLU(0.1, inplace=True)]
    if again:
        layers += [_same(outputs, outputs, 3), nn.LeakyReLU(0.1, inplace=True)]
    return nn.Sequential(*layers)
