"""Synthetic weights of any network from the names and shapes of its tensors, numpy only.

w = mean + std * N(0, 1), drawn by PCG64 seeded with crc32(name) + seed in float64, cast last. Both
the authors' code and ours were run on such weights, so no trained weights need to be stored.
"""

import json
import zlib

import numpy as np

from support.paths import FIXTURES


def draw(name: str, shape: list[int], mean: float, std: float, seed: int) -> np.ndarray:
    """The tensor of this name, float32."""
    rng = np.random.default_rng(zlib.crc32(name.encode()) + seed)
    return (mean + std * rng.standard_normal(tuple(shape))).astype(np.float32)


def weights(meta: dict) -> dict[str, np.ndarray]:
    """All tensors of a fixture by the authors' names; rows are name, shape, mean, std."""
    return {row[0]: draw(*row, seed=meta["seed"]) for row in meta["parameters"]}


def fixture(folder: str, case: str) -> tuple[dict, dict[str, np.ndarray]]:
    """A fixture's JSON and arrays."""
    meta = json.loads((FIXTURES / folder / f"{case}.json").read_text())
    with np.load(FIXTURES / folder / f"{case}.npz") as arrays:
        return meta, dict(arrays)
