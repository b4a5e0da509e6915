"""Every method as a config names it, with its module's ``TINY`` settings: trained in a moment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from support.cards import cards, module_of, one_of_each, with_settings
from support.quick import first_of_each
from thinslice import plugins
from thinslice.interfaces import Pair, Run
from thinslice.restoration.methods import fit_of
from thinslice.volume import Grid, Volume

RUN = Run(device="cpu", progress=False)
ALL = cards("methods")
TILTED = ((0.0, 0.6, 0.8), (0.0, 0.8, -0.6), (1.0, 0.0, 0.0))
THIN = Grid(41, 1.0, 1.25, (12, 20), (0.7, 0.9), -3.0, (9.0, -4.0, 700.5), TILTED)
THICK = THIN.with_slices(n=8, increment_mm=5.0, thickness_mm=5.0, start_mm=-1.0)


def tiny(card: Mapping[str, Any]) -> dict[str, Any]:
    """The card as its config has it, with the settings that make it fast over its own."""
    return with_settings(card, **getattr(plugins.module("methods", card), "TINY", {}))


def design(card: Mapping[str, Any]) -> tuple[str, str]:
    """What a card is a variant of: a module, and which of its methods by their titles."""
    return module_of(card), plugins.build("methods", tiny(card)).about.title


CARDS = one_of_each(ALL, design)
FITS = {name: fit_of(plugins.build("methods", tiny(card))) for name, card in CARDS.items()}
FITTED = [name for name, fit in FITS.items() if fit == "population"]


def family(name: str) -> str:
    """The module of ``thinslice/families`` that a method is written on, or its own module."""
    kinds = type(plugins.build("methods", tiny(CARDS[name]))).__mro__
    rooms = (kind.__module__ for kind in kinds)
    return next((room for room in rooms if ".families." in room), module_of(CARDS[name]))


A_FAMILY_EACH = first_of_each(CARDS, family)  # every run; the others by check-method and slow
A_FITTED_FAMILY_EACH = first_of_each(FITTED, family)


def thick(grid: Grid = THICK, modality="CT", seed: int = 0) -> Volume:
    """Noise on a wave; HU, or a scanner's own large numbers; a second contrast, which few see."""
    rng = np.random.default_rng(seed)
    wave = 300 * np.sin(grid.centres_mm() / 4)[:, None, None]
    voxels = wave + rng.normal(-200, 100, grid.zyx)
    voxels = voxels if modality == "CT" else 17 * (voxels + 900)
    grey = np.random.default_rng((seed, 1)).normal(50, 9, THIN.zyx).astype(np.float32)
    return Volume(voxels.astype(np.float32), grid, modality, second=Volume(grey, THIN, "MR"))


def pair(seed: int) -> Pair:
    thin = thick(THIN, seed=seed)
    return Pair(f"case{seed}", thick(seed=seed), thin)


def built(name: str):
    """The method, tiny, with a batch that can be parted."""
    return plugins.build("methods", with_settings(tiny(ALL[name]), batch=4))


def fit_all(folder: Path, run: Run) -> None:
    """Fit all, one after the other; the first process keeps the weights and curves."""
    for name in FITTED:
        method = built(name)
        work = folder / name / "work"
        curve = method.fit([pair(0), pair(1)], [pair(2)], work=work, run=run)
        method.save(folder / name / f"weights{run.rank}", {})
        if run.rank == 0:
            (folder / name / "curve.csv").write_bytes(curve.read_bytes())
