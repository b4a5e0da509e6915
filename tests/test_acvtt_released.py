"""ACVTT as released is the authors' networks: same weights in, same planes and volumes out."""

import numpy as np
import pytest
import torch
from golden_weights import fixture, weights

from thinslice.nets.acvtt import ACVTT
from thinslice.nets.acvtt_authors import from_authors
from thinslice.nets.unet import UNet

PLAIN = ("first_conv", "encoder", "decoder", "last_conv")


@pytest.fixture(scope="module")
def golden():
    return fixture("acvtt", "released")


@pytest.fixture(scope="module")
def theirs(golden):
    """State dicts of the authors' three networks; they share most of their made-up tensors."""
    meta, _ = golden
    stage1 = {name: torch.from_numpy(w) for name, w in weights(meta).items()}
    base = {name: w for name, w in stage1.items() if name.startswith(PLAIN)}
    own = weights({**meta, "parameters": meta["fusion_parameters"]})
    fusion = {**base, **{name: torch.from_numpy(w) for name, w in own.items()}}
    return {"stage1": stage1, "base": base, "fusion": fusion}


def network(kind: str, theirs, dtype=torch.float32) -> torch.nn.Module:
    net = {
        "stage1": lambda: ACVTT(),
        "base": lambda: ACVTT(references=0),
        "fusion": lambda: UNet(inputs=2),
    }[kind]()
    net.load_state_dict(from_authors(theirs[kind], fusion=kind == "fusion"))
    return net.to(dtype).eval()


INPUTS = {"stage1": ("slice", "refs"), "base": ("slice",), "fusion": ("pair",)}
PARAMETERS = {"stage1": 9_246_401, "base": 7_819_201, "fusion": 7_819_777}
NAMES = {"stage1": "stage1_r3", "base": "base_unet", "fusion": "fusion_unet"}


@pytest.mark.parametrize("kind", NAMES)
def test_it_has_the_authors_number_of_parameters(theirs, kind):
    assert sum(p.numel() for p in network(kind, theirs).parameters()) == PARAMETERS[kind]


@pytest.mark.parametrize("kind", NAMES)
@torch.inference_mode()
def test_a_plane_comes_out_as_theirs(golden, theirs, kind):
    meta, arrays = golden
    for dtype, key in ((torch.float32, "output"), (torch.float64, "output_f64run")):
        inputs = [torch.from_numpy(arrays[f"{kind}_{name}"]).to(dtype) for name in INPUTS[kind]]
        y, want = network(kind, theirs, dtype)(*inputs).numpy(), arrays[f"{kind}_{key}"]
        tolerance = meta["tolerance"][NAMES[kind]]["output"]
        if dtype == torch.float64:
            tolerance = 1e-6 * np.abs(want).max()
        assert np.abs(y - want).max() <= tolerance
