"""Training batches for a network that is told how slices were acquired.

A fine plane is drawn and varied, thick slices are drawn and made of it, and interpolated back. The
planes beside it go the same way. The network learns the rows of the middle plane.

Shape suffixes: B crops, C channels (planes, then as many maps of distance), Z rows, W columns,
K conditions; L fine rows, N neighbouring planes.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from thinslice.errors import Refused
from thinslice.nets.conditioned_unet import Conditions
from thinslice.training.samplers.crops import filled
from thinslice.training.samplers.drawn_slices import Draw, Slices
from thinslice.training.samplers.fine_planes import FinePlanes, Slab
from thinslice.training.samplers.row_noise import row_noise
from thinslice.training.samplers.varied_planes import varied
from thinslice.volume import Window

SHAPE_KNOWN = 0.3  # share of crops whose slice profile the network is told
NOISE_FACTOR = 0.3  # log sd of the error of the noise it is told
TRIES = 50  # draws for each crop of a batch, at most
EASY_HU = 10.0  # error of interpolation below which a crop counts no more


class Crop(NamedTuple):
    """One training example; see the module docstring."""

    x: np.ndarray  # [C, Z, W]
    conditions: np.ndarray  # [K]
    y: np.ndarray  # [1, Z, W]
    weight: np.ndarray  # [1, Z, W], of each voxel's squared error; 0 where it does not count


class ConditionedPlanes:
    """Draws batches (x_BCZW, conditions_BK, y_B1ZW, weight_B1ZW).

    Crops count by the square root of how well interpolation does: in full, thick slices would
    drown thin ones, and alike, crops that are nearly right would decide.
    """

    def __init__(self, planes: FinePlanes, batch: int, draw: Draw, window: Window):
        self.planes, self.batch, self.draw, self.window = planes, batch, draw, window

    def __call__(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        crops: list[Crop] = []
        for _ in range(TRIES * self.batch):
            if len(crops) == self.batch:
                break
            slab = self.planes.draw(rng)
            slices = self.draw(slab.rows, self.planes.side, rng)
            if slices is not None:
                crops.append(self._crop(slab, slices, rng))
        if len(crops) < self.batch:
            raise Refused(
                f"hardly any crop of {self.planes.side} rows holds thick slices as they are drawn: "
                "learn from longer scans, or thinner slices"
            )
        x, conditions, y, weight = (torch.from_numpy(np.stack(part)) for part in zip(*crops))
        return x.to(memory_format=torch.channels_last), conditions, y, weight

    def _crop(self, slab: Slab, slices: Slices, rng: np.random.Generator) -> Crop:
        fine_LWN = varied(slab.voxels, rng)
        thick = slices.thick @ fine_LWN.reshape(len(fine_LWN), -1)
        seen = (slices.interpolated @ thick).reshape(-1, *fine_LWN.shape[1:])
        middle = self.planes.neighbours
        truth_ZW = slices.thin @ fine_LWN[..., middle]
        noise_hu = row_noise(thick.reshape(len(thick), *fine_LWN.shape[1:])[..., middle])
        conditions = _conditions(slab, slices, noise_hu, rng)
        side = self.planes.side
        shape = (side, side)
        x_NZW = self.window.to_unit(np.moveaxis(seen, -1, 0))
        y_ZW = self.window.to_unit(truth_ZW)
        weight_ZW = np.zeros(shape, np.float32)
        weight_ZW[: len(y_ZW), : y_ZW.shape[1]] = slices.covered[:, None]
        weight_ZW *= self._counts(x_NZW[middle], y_ZW, slices.covered)
        distance_ZW = np.broadcast_to(slices.distance[:, None], y_ZW.shape)
        channels = [*x_NZW, *[distance_ZW] * len(x_NZW)]
        x_CZW = np.stack([filled(channel, shape) for channel in channels])
        y_1ZW = filled(y_ZW, shape)[None]
        numbers = np.array(conditions.numbers(), np.float32)
        return Crop(x_CZW.astype(np.float32), numbers, y_1ZW.astype(np.float32), weight_ZW[None])

    def _counts(self, x_ZW: np.ndarray, y_ZW: np.ndarray, covered_Z: np.ndarray) -> float:
        easy = EASY_HU / (self.window.high - self.window.low)
        missed = np.mean((x_ZW - y_ZW)[covered_Z] ** 2) if covered_Z.any() else 0.0
        return float(1 / np.sqrt(missed + easy**2))


def _conditions(
    slab: Slab, slices: Slices, noise_hu: float, rng: np.random.Generator
) -> Conditions:
    known = rng.random() < SHAPE_KNOWN
    return Conditions(
        slices.thickness_mm,
        slices.increment_mm,
        slices.thin_thickness_mm,
        slices.thin_increment_mm,
        slab.pixel_mm,
        noise_hu * float(np.exp(rng.normal(0, NOISE_FACTOR))),
        slices.bell if known else None,
    )
