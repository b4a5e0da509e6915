"""SAINT: planes of thick slices become planes of thin ones by kernels predicted from distances.

A residual dense network makes features of a coronal or sagittal plane, seen with the plane to
either side of it as channels. For every slice that is asked for between two thick slices a second,
small network turns the distances in mm between that slice and the 3 x 3 pixels around it into a
kernel, and the features under the kernel are the answer: spacing is an input, no factor is built
in. A third network, residual dense again, corrects the mean of the two views, axial plane by axial
plane.

Source: Peng et al., "SAINT: spatially aware interpolation network for medical slice synthesis",
CVPR 2020, and its released code: 2,787,712 parameters, 371,105 of the fusion. As there, the map of
distances has z along its rows and the features under the kernel have z along their columns, so that
kernels lie across the pixels whose distances made them. ``start="linear"`` is ours: the kernels
answer what linear interpolation lacks, and an untrained network is linear interpolation; grey
values are then stretched (``nets.grey``).

Shape suffixes: B planes, C channels or features, K slices per thick increment, Z slices (thick in
the input), W columns or rows, P and Q the axes of any plane.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, relu

from thinslice.nets.grey import STRETCHED, Grey
from thinslice.nets.rdn import Trunk

Start = Literal["learned", "linear"]
RAW = Grey(0.0, 4000.0)  # the authors' unit: HU from -1024 on, over a window of 4000
KERNEL_WIDTHS = (1, 32, 64, 64, 64)  # of the layers that make a kernel; the last makes features
TRUNK = {
    "SFENet1": "first",
    "SFENet2": "second",
    "GFF.0": "fuse.0",
    "GFF.1": "fuse.1",
    "UPNet.0": "tail",
}
BLOCK = re.compile(r"RDBs\.(\d+)\.(?:convs\.(\d+)\.conv\.0|(LFF))")
KERNEL = re.compile(r"GW\.meta_block\.(\d+)")


@dataclass(frozen=True)
class Dense:
    """Sizes of a residual dense network (``nets.rdn``)."""

    blocks: int
    layers: int  # of a block
    growth: int  # features that a layer adds
    channels: int  # features between blocks

    def __post_init__(self) -> None:
        if min(self.blocks, self.layers, self.growth, self.channels) < 1:
            raise ValueError(f"a residual dense network needs at least one of each, found {self}")

    @property
    def reach(self) -> int:
        """Receptive field, pixels to each side."""
        return 2 + self.blocks * self.layers + 1

    def trunk(self, inputs: int) -> Trunk:
        """The network, of planes with ``inputs`` channels."""
        return Trunk(2, self.blocks, self.layers, self.growth, self.channels, inputs)


VIEWS = Dense(blocks=6, layers=8, growth=32, channels=64)
FUSION = Dense(blocks=4, layers=6, growth=12, channels=64)


class SpacedPlanes(nn.Module):
    """x_BCZW and distances_BKPQ to y_BKZW: K thin slices from every thick one on.

    Channels are a plane between its neighbours. Distances are those of ``distances_mm``, one map
    for each plane of the batch, or one for all.
    """

    def __init__(self, sizes: Dense = VIEWS, neighbours: int = 1, start: Start = "learned"):
        super().__init__()
        if start not in get_args(Start):
            raise ValueError(f"start {start!r} is none of {', '.join(get_args(Start))}")
        self.start, self.grey = start, RAW if start == "learned" else STRETCHED
        self.reach = sizes.reach + 1  # and the kernel
        self.trunk = sizes.trunk(2 * neighbours + 1)
        widths = [*KERNEL_WIDTHS, sizes.channels]
        self.kernel = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(widths))
        if start == "linear":
            _zero(self.kernel[-1])

    def forward(self, x_BCZW: Tensor, distances_BKPQ: Tensor) -> Tensor:
        return self.answered_by(self.kernel, x_BCZW, distances_BKPQ)

    def answered_by(
        self, head: Iterable[nn.Module], x_BCZW: Tensor, distances_BKPQ: Tensor
    ) -> Tensor:
        """The answer with the kernels that the layers of ``head`` make of distances."""
        features = self.trunk(self.grey.seen(x_BCZW))
        sets, n = distances_BKPQ.shape[:2]
        kernels = distances_BKPQ.flatten(0, 1)[:, None]
        for k, layer in enumerate(head):
            kernels = layer(relu(kernels) if k else kernels)
        kernels = kernels.mT  # as in the released code; see the module
        # One set of kernels is a convolution; a set for each plane is one of as many groups.
        grouped = features.reshape(len(features) // sets, -1, *features.shape[2:])
        answer = conv2d(grouped, kernels, padding=1, groups=sets)
        change_BKZW = self.grey.correction(answer.view(-1, n, *answer.shape[2:]))
        if self.start == "learned":
            return change_BKZW
        return _linear(x_BCZW, distances_BKPQ) + change_BKZW


class AtDistances(nn.Module):
    """x_BCZW to y_B1ZW with K slices for each thick one, in order: one spacing, any planes."""

    def __init__(self, net: nn.Module, distances_KPQ: np.ndarray):
        super().__init__()
        self.net = net
        distances = torch.from_numpy(distances_KPQ.astype(np.float32))[None]
        self.register_buffer("distances", distances, persistent=False)

    def forward(self, x_BCZW: Tensor) -> Tensor:
        y_BKZW = self.net(x_BCZW, self.distances)
        return y_BKZW.transpose(1, 2).flatten(1, 2)[:, None]


class Fusion(nn.Module):
    """x_BVYX, the sagittal and the coronal answer, to y_B1YX: their mean, corrected."""

    def __init__(self, sizes: Dense = FUSION, start: Start = "learned"):
        super().__init__()
        self.grey = RAW if start == "learned" else STRETCHED
        self.reach = sizes.reach + 1
        self.trunk = sizes.trunk(2)
        self.tail = nn.Conv2d(sizes.channels, 1, 3, padding=1)
        if start == "linear":
            _zero(self.tail)

    def forward(self, x_BVYX: Tensor) -> Tensor:
        change_B1YX = self.tail(self.trunk(self.grey.seen(x_BVYX)))
        return x_BVYX.mean(1, keepdim=True) + self.grey.correction(change_B1YX)


def distances_mm(offsets_mm: np.ndarray, increment_mm: float, pixel_mm: float) -> np.ndarray:
    """Distances [K, 3, 3] of slices from the pixels around them, z along rows.

    offsets_mm    of each slice from the thick slice below it, [K]
    increment_mm  of the thick slices
    pixel_mm      along the plane
    """
    beside = np.arange(3) - 1
    along_z = np.asarray(offsets_mm, float)[:, None] - increment_mm * beside
    return np.hypot(along_z[:, :, None], pixel_mm * beside)


def from_authors(theirs: Mapping[str, Tensor], fusion: bool = False) -> dict[str, Tensor]:
    """Weights by our names, of ``SpacedPlanes`` or of ``Fusion``; ValueError for unknown names.

    Their first stage has z along the columns of a plane, ours along the rows.
    """
    made = {}
    for name, weight in theirs.items():
        layer, _, part = name.rpartition(".")
        turned = weight.ndim == 4 and not fusion and not layer.startswith("GW.")
        made[f"{_name(layer, name)}.{part}"] = weight.mT.contiguous() if turned else weight
    return made


def _name(layer: str, whole: str) -> str:
    if layer in TRUNK:
        ours = TRUNK[layer]
        return ours if ours == "tail" else f"trunk.{ours}"
    if match := BLOCK.fullmatch(layer):
        block, index, local = match.groups()
        return f"trunk.blocks.{block}." + ("fuse" if local else f"layers.{index}")
    if match := KERNEL.fullmatch(layer):
        return f"kernel.{int(match[1]) // 2}"
    raise ValueError(f"no place in the released SAINT: {whole}")


def _linear(x_BCZW: Tensor, distances_BKPQ: Tensor) -> Tensor:
    """Linear interpolation of the middle plane at these distances, its last slice held."""
    here_B1ZW = x_BCZW[:, x_BCZW.shape[1] // 2, None]
    next_B1ZW = torch.cat((here_B1ZW[:, :, 1:], here_B1ZW[:, :, -1:]), 2)
    below, above = distances_BKPQ[..., 1, 1], distances_BKPQ[..., 2, 1]
    share_BK11 = (below / (below + above))[..., None, None]
    return here_B1ZW + share_BK11 * (next_B1ZW - here_B1ZW)


def _zero(layer: nn.Module) -> None:
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
