"""A conditioned network that changes what it sees, tiny; and a scan with a body in air."""

from pathlib import Path

import numpy as np
import torch

from thinslice.families.conditioned import ConditionedMethod
from thinslice.methods import conditioned_unet
from thinslice.operators.grids import thin_grid
from thinslice.volume import Grid, Volume

SIZES = {"channels": 4, "levels": 2, "neighbours": 1}
CARD = {"name": "conditioned_unet", "settings": {**SIZES, "restore_precision": "fp32"}}
DOMAIN = {
    **{"n": 1, "modality": ["CT"], "kernel": [], "thickness_mm": [1.5, 10.0]},
    **{"increment_share": [0.4, 1.2], "thin_thickness_mm": [0.6, 2.0], "pixel_mm": [0.4, 1.6]},
    "noise": [0.0, 60.0],
}
GRID = Grid(9, 4.0, 4.0, (90, 110), (1.2, 1.2))


def method(**settings) -> ConditionedMethod:
    """Random weights, of a size that corrects by some hundred HU."""
    built = conditioned_unet.build(**{**CARD["settings"], **settings})
    torch.manual_seed(0)
    for p in built._fitted().parameters():
        torch.nn.init.normal_(p, std=0.9 * p[0].numel() ** -0.5 if p.ndim > 1 else 0.05)
    return built


def scan(grid: Grid = GRID) -> Volume:
    """An ellipse of noisy tissue in air, with a shell of a table below it, open to the sides."""
    rng = np.random.default_rng(1)
    y, x = np.ogrid[: grid.shape[0], : grid.shape[1]]
    body = ((y - 30) / 18) ** 2 + ((x - 60) / 22) ** 2 < 1
    voxels = rng.normal(-1000, 8, grid.zyx)
    voxels[:, body] = rng.normal(40, 60, (grid.n, int(body.sum())))
    voxels[:, 66] = 150
    return Volume(voxels.astype(np.float32), grid)


def wanted() -> Grid:
    """Thin slices of the scan."""
    return thin_grid(GRID, 1.0, 1.0)


def weights_file(folder: Path, **settings) -> Path:
    """The method's weights, as the package has its own."""
    path = folder / "conditioned_unet.safetensors"
    card = {**CARD, "settings": {**CARD["settings"], **settings}}
    method(**settings).save(path, {"card": card, "fitted_on": DOMAIN})
    return path
