"""Small scans and linear networks for tests of two-stage methods."""

from pathlib import Path

import numpy as np
import torch

from thinslice.degradations import imresize, profile
from thinslice.interfaces import Degradation, Pair, Run
from thinslice.methods import georgescu
from thinslice.operators.degradation import thick_of
from thinslice.volume import Grid, Volume

RUN = Run(device="cpu", progress=False, threads=1)
TILTED = ((0.0, 0.6, 0.8), (0.0, 0.8, -0.6), (1.0, 0.0, 0.0))
THIN = Grid(40, 1.0, 1.0, (28, 24), (0.7, 0.9), -3.0, (9.0, -4.0, 70.5), TILTED)
TINY = {"channels": 4, "patch": 5, "batch": 6, "validate_every": 2, "val_batches": 1}
SHORT = {**TINY, "in_plane_steps": 4, "through_plane_steps": 4}
CT = (-1024.0, 3071.0)
BOTH = imresize.build(through_plane=2, in_plane=2)
BOX5 = profile.build(shape="box", thickness_mm=5.0, increment_mm=5.0)


def volume(values: np.ndarray, grid: Grid = THIN) -> Volume:
    return Volume(np.ascontiguousarray(np.broadcast_to(values, grid.zyx), np.float32), grid)


def waves(seed: int) -> Volume:
    """Slanted waves of 9 to 14 voxels and a little noise, HU."""
    rng = np.random.default_rng(seed)
    z, y, x = np.indices(THIN.zyx)
    voxels = rng.normal(-200, 5, THIN.zyx)
    for _ in range(3):
        a, b, c = 2 * np.pi / rng.uniform(9, 14, 3) * rng.choice([-1, 1], 3)
        voxels += 150 * np.sin(a * z + b * y + c * x + rng.uniform(0, 6))
    return volume(voxels)


def pair(degradation: Degradation, seed: int = 0) -> Pair:
    thin = waves(seed)
    return Pair(f"case{seed}", thick_of(degradation, thin), thin)


class Linear(torch.nn.Module):
    """Bilinear upsampling, exact on ramps."""

    def __init__(self, scale: tuple[int, int]):
        super().__init__()
        self.scale = tuple(float(s) for s in scale)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.interpolate(
            x, scale_factor=self.scale, mode="bilinear", align_corners=False
        )


def with_interpolators(method, **factors: int):
    """Replace the networks of a method by bilinear ones, which are exact on ramps."""
    scales = {"in_plane": lambda f: (f, f), "through_plane": lambda f: (f, 1)}
    method.shape = {"factors": dict(factors)}
    method.net = torch.nn.ModuleDict({s: Linear(scales[s](f)) for s, f in factors.items()})
    return method


def slant_hu() -> np.ndarray:
    """A plane that rises along z, y and x, within the window."""
    z, y, x = np.indices(THIN.zyx)
    return 11.0 * z + 7.0 * y - 5.0 * x - 300


def long_fit(work: Path):
    """A training of both networks that takes seconds."""
    method = georgescu.build(**TINY, in_plane_steps=100, through_plane_steps=100)
    method.fit([pair(BOTH)], [pair(BOTH, 1)], work=work, run=RUN)
    return method
