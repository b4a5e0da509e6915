"""Outputs of authors' networks that lie beside the repository; a test skips without them."""

import json

import numpy as np
import pytest
import torch

from support.golden_weights import draw
from support.paths import GOLDENS


def described(system: str, case: str) -> dict:
    """JSON of one case."""
    path = GOLDENS / system / f"{case}.json"
    if not path.exists():
        pytest.skip(f"no golden {system}/{case} beside the repository")
    return json.loads(path.read_text())


def golden(system: str, case: str) -> tuple[dict, dict[str, np.ndarray]]:
    """JSON and arrays of one case."""
    meta = described(system, case)
    with np.load(GOLDENS / system / f"{case}.npz") as arrays:
        return meta, dict(arrays)


def authors_weights(meta: dict) -> dict[str, torch.Tensor]:
    """The tensors of a golden by the authors' names, rebuilt by its rule."""
    return {
        row["name"]: torch.from_numpy(
            draw(row["name"], row["shape"], row["mean"], row["std"], meta["seed"])
        )
        for row in meta["parameters"]
    }


def assert_like_the_authors(net: torch.nn.Module, meta: dict, arrays: dict) -> None:
    """In float32 within the golden's tolerance, in float64 to a millionth."""
    net.eval()
    with torch.inference_mode():
        x = torch.from_numpy(arrays["input"])
        worst = np.abs(net(x).numpy() - arrays["output"]).max()
        assert worst <= meta["tolerance"]["output"]["advised_atol"]
        expected = arrays["output_f64run"]
        worst = np.abs(net.double()(x.double()).numpy() - expected).max()
    assert worst <= 1e-6 * np.abs(expected).max()
