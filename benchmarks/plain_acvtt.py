"""ACVTT as its authors structured it: references are encoded anew for every plane.

All scores of a plane and a reference are one matrix, all references are stacked. The baseline of
``acvtt_speed.py``; it shares the weights of a ``thinslice.nets.acvtt.ACVTT``.
"""

from torch import Tensor, nn
from torch.nn.functional import fold, unfold

from thinslice.nets.acvtt import ACVTT
from thinslice.nets.references import ReferenceAttention
from thinslice.nets.unet import mirrored


class PlainACVTT(nn.Module):
    """[1, 1, Z, W] and references [R, 1, Y, X] to [1, 1, Z, W]."""

    def __init__(self, net: ACVTT):
        super().__init__()
        self.net = net

    def forward(self, x_11ZW: Tensor, references_R1YX: Tensor) -> Tensor:
        unet, align = self.net.unet, self.net.align
        z, w = x_11ZW.shape[-2:]
        encoded = unet.encode(mirrored(references_R1YX, align))
        features = unet.encode(mirrored(x_11ZW, align))

        def attend(level: int, x: Tensor) -> Tensor:
            transfer = self.net.transfers[level]
            assert isinstance(transfer, ReferenceAttention)
            return attention(transfer, x, encoded[level])

        return x_11ZW + unet.decode(features, attend)[..., :z, :w]


def attention(layer: ReferenceAttention, x_1CPQ: Tensor, references_RCYX: Tensor) -> Tensor:
    """Attention of one plane to all references at once."""
    block = layer.block

    def tokens(maps: Tensor) -> Tensor:
        return unfold(maps, block, stride=block).transpose(1, 2)

    q = layer.norm_query(tokens(layer.query(x_1CPQ)))
    k = layer.norm_key(tokens(layer.key(references_RCYX)))
    v = tokens(layer.value(references_RCYX))
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(1, 2)
    shares = scores.softmax(-1)
    relevance = (shares * scores).sum(-1, keepdim=True).softmax(0)
    attended = ((shares @ v) * relevance).transpose(1, 2)
    maps = fold(attended, x_1CPQ.shape[-2:], block, stride=block)
    return x_1CPQ + layer.out(maps.sum(0, keepdim=True))
