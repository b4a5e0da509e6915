"""Planes to train on, from a sampler of blocks: blocks that are one pixel deep across a view.

Of each step all planes are coronal or all are sagittal, at random.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from torch import Tensor

from thinslice.training.batches import Batch, Sample
from thinslice.training.samplers.cubes import Cubes, CubeShape
from thinslice.training.samplers.positions import BlockShape, Positions

ACROSS = {"coronal": 3, "sagittal": 4}  # the axis of [B, 1, Z, Y, X] that is one pixel deep


class EitherView:
    """Draws from the sampler of one view, drops the pixel across it, and flips at random.

    make    builds the sampler of blocks whose sides (y, x) are these
    width   pixels of a plane
    """

    def __init__(self, make: Callable[[tuple[int, int]], Sample], width: int, flips: bool):
        self.flips = flips
        self.views = [(ACROSS["coronal"], make((1, width))), (ACROSS["sagittal"], make((width, 1)))]

    def __call__(self, rng: np.random.Generator) -> Batch:
        """The sampler's tensors, those of blocks as planes [B, 1, Z, W]."""
        across, draw = self.views[int(rng.integers(2))]
        flip = self.flips and rng.random() < 0.5
        return tuple(_plane(tensor, across, flip) for tensor in draw(rng))


def _plane(tensor: Tensor, across: int, flip: bool) -> Tensor:
    if tensor.ndim <= across:
        return tensor
    plane_B1ZW = tensor.squeeze(across)
    return plane_B1ZW.flip(-1) if flip else plane_B1ZW


def cube_planes(pairs: Any, shape: CubeShape, batch: int, *, flips: bool, **how: Any) -> EitherView:
    """``Cubes`` as planes as wide as the shape's last side."""

    def make(side: tuple[int, int]) -> Sample:
        return Cubes(pairs, replace(shape, side=side), batch, flips=False, **how)

    return EitherView(make, shape.side[1], flips)


def position_planes(
    pairs: Any, shape: BlockShape, batch: int, *, flips: bool, **how: Any
) -> EitherView:
    """``Positions`` as planes as wide as the shape's last side."""

    def make(side: tuple[int, int]) -> Sample:
        return Positions(pairs, replace(shape, side=side), batch, flips=False, **how)

    return EitherView(make, shape.side[1], flips)
