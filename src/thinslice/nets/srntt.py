"""SRNTT: textures of references are swapped into a plane's features, at three resolutions.

A content network works at a quarter of the plane's size. Patches of the plane are looked for in the
references (``patch_matching``), by features of VGG, and the references' own features are laid out
as the plane would have them; at a quarter, at half and at full size residual blocks merge them with
the content. If asked to, the network learns how far to trust a match by its score.

Source: Zhang et al., "Image super-resolution by neural texture transfer", CVPR 2019; ``SRNTT`` is
the network of its port to PyTorch, and tests compare the two. ``PlanesOfSRNTT`` is it for our
planes: theirs makes photographs four times finer, here the plane has its size from the start, so
its 16 pixels of each coarse one are the content's channels, the answer is one grey value, and the
planes themselves are what it is added to. Patches are looked for in axial slices made as coarse as
planes are (``nets.matched``). All references are one pool. The content network has no answer of its
own, which theirs is first trained by.

Shape suffixes: B planes, C channels or features, h w the coarse axes, H W the plane's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad, pixel_unshuffle

from thinslice.nets import matched, vgg
from thinslice.nets.grey import STRETCHED
from thinslice.nets.matched import RATIOS, MatchedNet
from thinslice.nets.mdsr import Residual
from thinslice.nets.referenced import Encoded

SCALES = ("small", "medium", "large")
SLOPE = 0.1  # of a leaky ReLU
CELL = 4  # pixels of a plane along a side of a coarse one


@dataclass(frozen=True)
class Sizes:
    """What shapes the network; the defaults are the authors', for colours and a finer answer."""

    channels: int = 64
    blocks: int = 16  # residual blocks of the content network, and of each resolution
    maps: tuple[int, int, int] = vgg.WIDTHS  # features of references, the finest first
    inputs: int = 3
    outputs: int = 3
    content_answers: bool = True  # the content network has an answer of its own, for training
    weighted: bool = False  # matches count by their score


def lrelu() -> nn.Module:
    return nn.LeakyReLU(SLOPE)


def conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def finer(channels: int) -> list[nn.Module]:
    """Layers to twice as many pixels along each axis."""
    return [conv(channels, 4 * channels), nn.PixelShuffle(2), lrelu()]


class Content(nn.Module):
    """Features of what is to be made finer; with ``answers`` also an answer without references."""

    def __init__(self, s: Sizes):
        super().__init__()
        self.head = nn.Sequential(conv(s.inputs, s.channels), lrelu())
        self.body = nn.Sequential(*(Residual(2, s.channels, 3) for _ in range(s.blocks)))
        self.tail = nn.Sequential(
            *finer(s.channels),
            *finer(s.channels),
            *(conv(s.channels, s.channels), lrelu(), conv(s.channels, s.outputs)),
        )
        if not s.content_answers:
            del self.tail

    def forward(self, x_BChw: Tensor) -> Tensor:
        head_BChw = self.head(x_BChw)
        return head_BChw + self.body(head_BChw)


class Transfer(nn.Module):
    """Content merged with the references' map of the same size, at one resolution."""

    def __init__(self, s: Sizes, maps: int, last: bool):
        super().__init__()
        c = s.channels
        self.head = nn.Sequential(conv(c + maps, c), lrelu())
        self.body = nn.Sequential(*(Residual(2, c, 3) for _ in range(s.blocks)))
        made = [conv(c, c // 2), lrelu(), conv(c // 2, s.outputs)]
        self.tail = nn.Sequential(*(made if last else finer(c)))

    def forward(self, x_BChw: Tensor, map_BChw: Tensor) -> Tensor:
        merged_BChw = self.head(torch.cat((x_BChw, map_BChw), 1))
        return self.tail(x_BChw + self.body(merged_BChw))


class SRNTT(nn.Module):
    """Coarse x_BChw and maps of references to what is added to an interpolated answer."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        self.content = Content(sizes)
        widths = dict(zip(SCALES, reversed(sizes.maps)))
        self.transfers = nn.ModuleDict(
            {name: Transfer(sizes, width, name == SCALES[-1]) for name, width in widths.items()}
        )
        if sizes.weighted:
            self.gain, self.bias = nn.Parameter(torch.ones(3)), nn.Parameter(torch.zeros(3))
        self.weighted = sizes.weighted

    def forward(
        self, x_BChw: Tensor, maps: Sequence[Tensor], score_Bhw: Tensor | None = None
    ) -> Tensor:
        """[B, outputs, 4 h, 4 w]

        maps        of references, laid out as the answer: [B, C, h, w], then two and four times it
        score_Bhw   of the matches, [B, h - 2, w - 2]; where the network weighs them
        """
        features = self.content(x_BChw)
        for k, (transfer, map_BChw) in enumerate(zip(self.transfers.values(), maps)):
            if self.weighted:
                assert score_Bhw is not None
                map_BChw = map_BChw * self._share(k, score_Bhw)
            features = transfer(features, map_BChw)
        return features

    def _share(self, k: int, score_Bhw: Tensor) -> Tensor:
        """How much of the maps of a resolution counts, [B, 1, H, W]."""
        score_B1hw = pad(score_Bhw[:, None], (1, 1, 1, 1), mode="replicate")
        if RATIOS[k] > 1:
            size = [n * RATIOS[k] for n in score_B1hw.shape[-2:]]
            score_B1hw = interpolate(score_B1hw, size, mode="bicubic", align_corners=True)
        return (self.gain[k] * score_B1hw + self.bias[k]).sigmoid()


class PlanesOfSRNTT(MatchedNet):
    """Interpolated planes and axial slices to corrected planes; see the module docstring."""

    def __init__(self, channels: int, blocks: int, maps: tuple[int, int, int], weighted: bool):
        super().__init__(maps)
        self.blocks = blocks
        self.net = SRNTT(Sizes(channels, blocks, maps, CELL**2, 1, False, weighted))
        rest(self.net.transfers)

    @property
    def reach(self) -> int:
        """Pixels: of convolutions at three resolutions, and of what is found."""
        body = 2 * self.blocks
        return 4 * (3 + 2 * body) + 2 * (2 + body) + (3 + body) + matched.REACH

    def correction(self, x_B1ZW: Tensor, references: Sequence[Encoded]) -> Tensor:
        laid = self.laid_out(x_B1ZW, references)
        coarse_BChw = pixel_unshuffle(STRETCHED.seen(x_B1ZW), CELL)
        return STRETCHED.correction(self.net(coarse_BChw, laid.maps, laid.score))


def rest(transfers: nn.ModuleDict) -> None:
    """Initialise so that the last layer of the finest resolution gives zero."""
    last = transfers[SCALES[-1]].get_submodule("tail.2")
    assert isinstance(last, nn.Conv2d)
    assert last.bias is not None
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
