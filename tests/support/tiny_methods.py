"""Every method as a config names it, with the smallest network and two steps of training."""

from pathlib import Path
from typing import Any

import numpy as np

from support.cards import cards, module_of, one_of_each, with_settings
from thinslice import plugins
from thinslice.interfaces import Pair, Run
from thinslice.volume import Grid, Volume

RUN = Run(device="cpu", progress=False)
ALL = cards("methods")
CARDS = one_of_each(ALL)
TILES = {"side": 16, "tile": 32, "halo": 4, "blend": 4, "val_batches": 1}
FEW = {"steps": 2, "warmup": 0, "validate_every": 1}
TWO_VIEWS = {"channels": 2, "levels": 2, "side": 16, "val_batches": 1, "steps_fusion": 2}
TWO_STAGE = {
    "in_plane_steps": 2, "through_plane_steps": 2, "validate_every": 1, "val_batches": 1,
    "channels": 4, "patch": 4, "batch": 4,
}  # fmt: skip
TINY: dict[str, dict[str, Any]] = {  # for each module that is fitted, what makes it fast
    "acvtt": {**FEW, **TWO_VIEWS},
    "acvtt_released": {**FEW, **TWO_VIEWS},
    "edsr_planes": {
        **FEW, "blocks": 1, "channels": 4, "patch": [16, 12], "batch": 2, "validation_batches": 1,
    },
    "georgescu": TWO_STAGE,
    "georgescu_released": TWO_STAGE,
    "msd_supervised": {
        "depth": 2, "dilations": 2, "steps": 2, "patch": [16, 12], "batch": 2,
        "validate_every": 1, "validation_batches": 1,
    },
    "tvsrn": {
        **FEW, **TILES, "channels": 4, "heads": 2, "window": 4, "fold": 4,
        "encoder_blocks": 1, "tab_blocks": 1, "plane_blocks": 2,
    },
    "tvsrn_encoder": {**FEW, **TILES, "channels": 4, "heads": 2, "window": 4, "encoder_blocks": 1},
    "tvsrn_no_tab": {
        **FEW, **TILES, "channels": 4, "heads": 2, "window": 4, "fold": 4,
        "encoder_blocks": 1, "plane_blocks": 2,
    },
    "tvsrn_released": {**FEW, **TILES, "halo": 0, "blend": 0, "steps": 1},  # has one size
    "tvsrn_vit": {**FEW, **TILES, "patch": 4, "channels": 8, "heads": 2, "blocks": 1},
}  # fmt: skip
ALONE = {"depth": 3, "steps": 2, "crop": 8, "batch": 2}
TINY_ALONE: dict[str, dict[str, Any]] = {  # for each module that learns from the scan it restores
    "smore": ALONE, "sr4zct": ALONE, "sr4zct_released": ALONE,
}  # fmt: skip
TILTED = ((0.0, 0.6, 0.8), (0.0, 0.8, -0.6), (1.0, 0.0, 0.0))
THIN = Grid(41, 1.0, 1.25, (12, 20), (0.7, 0.9), -3.0, (9.0, -4.0, 700.5), TILTED)
THICK = THIN.with_slices(n=8, increment_mm=5.0, thickness_mm=5.0, start_mm=-1.0)
TRAINED = [name for name in CARDS if module_of(CARDS[name]) in TINY]


def thick(grid: Grid = THICK, modality="CT", seed: int = 0) -> Volume:
    """Noise on a wave; HU, or a scanner's own large numbers."""
    rng = np.random.default_rng(seed)
    wave = 300 * np.sin(grid.centres_mm() / 4)[:, None, None]
    voxels = wave + rng.normal(-200, 100, grid.zyx)
    voxels = voxels if modality == "CT" else 17 * (voxels + 900)
    return Volume(voxels.astype(np.float32), grid, modality)


def pair(seed: int) -> Pair:
    thin = thick(THIN, seed=seed)
    return Pair(f"case{seed}", thick(seed=seed), thin)


def settled(name: str) -> dict[str, Any]:
    """The card as its config has it, but tiny."""
    card = ALL[name]
    return with_settings(card, **{**TINY, **TINY_ALONE}.get(module_of(card), {}))


def built(name: str):
    """The method, tiny, with a batch that can be parted."""
    card = settled(name)
    shared = {**card.get("settings", {}), "batch": 4}
    return plugins.build("methods", {**card, "settings": shared})


def fit_all(folder: Path, run: Run) -> None:
    """Fit all, one after the other; the first process keeps the weights and curves."""
    for name in TRAINED:
        method = built(name)
        work = folder / name / "work"
        curve = method.fit([pair(0), pair(1)], [pair(2)], work=work, run=run)
        method.save(folder / name / f"weights{run.rank}", {})
        if run.rank == 0:
            (folder / name / "curve.csv").write_bytes(curve.read_bytes())
