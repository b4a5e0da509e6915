"""Training patches that are made coarse one by one: what the two-stage CNN is taught on.

A patch of a thin scan's plane is the truth; shrunk (antialiased bicubic, ``shrinking``), alone and
without what surrounds it, it is what the network sees. Half of what it sees is blurred a little,
each patch by its own width, so that a network meets sharper and softer scans: the coarse patch, as
in the paper, or the fine one before it is shrunk, as in the authors' code. Values are grey levels,
0 to 255; what shrinking throws beyond is cut.

Source: Georgescu et al. 2020, section III.C.
Shape suffixes: B patches, 1 channel, P and Q the patch's axes (z first where one is z), Z Y X the
scan's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from thinslice.interfaces import Pair, Scan
from thinslice.operators import imresize
from thinslice.training.samplers.crops import filled, place, window
from thinslice.volume import Window

LEVELS = 255.0
TRIES = 20  # draws after which a dark patch is taken all the same
Patch = tuple[np.ndarray, np.ndarray]  # coarse, fine
# What else is done to the stacked patches [B, P, Q], e.g. turning them.
Finish = Callable[[np.ndarray, np.ndarray, np.random.Generator], Patch]
BLURS = ("random", "fixed", "none")


@dataclass(frozen=True)
class Blur:
    """A Gaussian of 3 x 3 taps, on every second patch that a network sees."""

    kind: Literal["random", "fixed", "none"] = "random"
    sigma: float = 0.5  # pixels: the largest of "random", the only one of "fixed"
    of: Literal["coarse", "fine"] = "coarse"  # patch: as the network sees it, or before it shrinks
    border: Literal["edge", "constant"] = "edge"  # past the patch: its edge, or zeros

    def __post_init__(self) -> None:
        if self.kind not in BLURS:
            raise ValueError(f"blur {self.kind!r} is none of {', '.join(BLURS)}")
        if not self.sigma > 0:
            raise ValueError(f"blur_sigma must be positive, found {self.sigma}")

    def sigmas(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """One width per patch; 0 leaves a patch as it is."""
        share = 1 - rng.random(n) if self.kind == "random" else np.ones(n)
        return self.sigma * share * (rng.random(n) < 0.5) * (self.kind != "none")

    def __call__(self, y_BPQ: np.ndarray, sigmas: np.ndarray) -> np.ndarray:
        """The patches, each blurred by its own width."""
        with np.errstate(divide="ignore"):
            side = np.exp(-0.5 / sigmas**2)[:, None, None]
        for axis in (1, 2):
            pads = [(0, 0), (int(axis == 1),) * 2, (int(axis == 2),) * 2]
            wide = np.moveaxis(np.pad(y_BPQ, pads, mode=self.border), axis, 0)
            blurred = (wide[1:-1] + side[:, 0] * (wide[:-2] + wide[2:])) / (1 + 2 * side[:, 0])
            y_BPQ = np.moveaxis(blurred, 0, axis)
        return y_BPQ


@dataclass(frozen=True)
class PatchShape:
    """What a network sees of a plane, and what it gives."""

    side: int  # coarse pixels
    scale: tuple[int, int]  # fine pixels per coarse one
    views: tuple[int, ...]  # the axes that planes are stacked along, taken in turn

    @property
    def fine(self) -> tuple[int, int]:
        """Pixels of the truth."""
        return self.side * self.scale[0], self.side * self.scale[1]


def as_they_are(x_BPQ: np.ndarray, y_BPQ: np.ndarray, rng: np.random.Generator) -> Patch:
    """No more is done to the patches."""
    return x_BPQ, y_BPQ


class ShrunkPatches:
    """Draws batches of (coarse patch, thin patch) from the thin scans of pairs.

    least    patches darker than this grey level everywhere are drawn again
    finish   see ``Finish``
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        shape: PatchShape,
        batch: int,
        ct: tuple[float, float],
        blur: Blur,
        least: float = 0.0,
        finish: Finish = as_they_are,
    ):
        self.scans = [pair.thin for pair in pairs]
        self.windows = [window(pair, ct) for pair in pairs]
        self.shape, self.batch, self.blur = shape, batch, blur
        self.least, self.finish = least, finish
        self.shrink = [
            imresize.weights(fine, factor, shape.side).toarray()
            for fine, factor in zip(shape.fine, shape.scale)
        ]

    def __len__(self) -> int:
        """Patches of an epoch: as many as cover the planes side by side, at least one a plane."""
        return sum(side_by_side(scan.grid.zyx, self.shape, self.shape.fine) for scan in self.scans)

    def __call__(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """x_B1PQ of ``side`` pixels and y_B1PQ of ``scale`` times as many."""
        y_BPQ = np.stack([self._patch(b, rng) for b in range(self.batch)])
        sigmas = self.blur.sigmas(self.batch, rng)
        fine_BPQ = self.blur(y_BPQ, sigmas) if self.blur.of == "fine" else y_BPQ
        x_BPQ = (self.shrink[0] @ fine_BPQ @ self.shrink[1].T).clip(0, LEVELS)
        if self.blur.of == "coarse":
            x_BPQ = self.blur(x_BPQ, sigmas)
        return tensors(*self.finish(x_BPQ, y_BPQ, rng))

    def _patch(self, b: int, rng: np.random.Generator) -> np.ndarray:
        view = self.shape.views[b % len(self.shape.views)]

        def draw() -> Patch:
            i = int(rng.integers(len(self.scans)))
            fine = plane_patch(self.scans[i], self.windows[i], view, self.shape.fine, rng)
            return fine, fine

        return bright(draw, self.least)[1]


def side_by_side(zyx: tuple[int, int, int], shape: PatchShape, sides: tuple[int, int]) -> int:
    """How many patches of these sides fit on all planes of all views, one for a smaller plane."""
    count = 0
    for view in shape.views:
        plane = [n for axis, n in enumerate(zyx) if axis != view]
        count += zyx[view] * prod(max(n // side, 1) for n, side in zip(plane, sides))
    return count


def plane_patch(
    scan: Scan, window: Window, view: int, sides: tuple[int, int], rng: np.random.Generator
) -> np.ndarray:
    """A random patch [P, Q] of a random plane stacked along axis ``view``, in grey levels."""
    wanted = list(sides)
    wanted.insert(view, 1)
    block_ZYX = scan.read(*(place(n, side, rng) for n, side in zip(scan.grid.zyx, wanted)))
    return filled(LEVELS * window.to_unit(block_ZYX.take(0, view)), sides)


def bright(draw: Callable[[], Patch], least: float) -> Patch:
    """The first patch drawn whose truth reaches the grey level ``least``, or the last tried."""
    for _ in range(TRIES):
        patch = draw()
        if patch[1].max() >= least:
            break
    return patch


def tensors(x_BPQ: np.ndarray, y_BPQ: np.ndarray) -> tuple[Tensor, Tensor]:
    """Batches as a network takes them, float32 [B, 1, P, Q]."""
    x, y = (np.ascontiguousarray(part[:, None], np.float32) for part in (x_BPQ, y_BPQ))
    return torch.from_numpy(x), torch.from_numpy(y)
