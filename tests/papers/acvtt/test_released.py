"""ACVTT as released is the authors' networks: same weights in, same planes and volumes out."""

import numpy as np
import pytest
import torch

from support.golden_weights import fixture, weights
from thinslice.inference import reference_views
from thinslice.inference.reference_views import references_of
from thinslice.interfaces import Run
from thinslice.methods import acvtt_released
from thinslice.nets.acvtt import ACVTT
from thinslice.nets.acvtt_authors import from_authors
from thinslice.nets.unet import UNet
from thinslice.operators.interpolation import resample_z_array
from thinslice.volume import Grid, Volume, Window

QUIET = Run(device="cpu", progress=False)
CT = (-1024.0, 3071.0)
THICK = Grid(4, 5.0, 5.0, (20, 24), (0.7, 0.7))
THIN = THICK.with_slices(n=16, increment_mm=1.0, thickness_mm=1.0, start_mm=0.0)
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


@pytest.fixture(scope="module")
def views(golden, theirs):
    """The authors' small volume through our driver, with their choice of references."""
    thick_ZYX = golden[1]["volume_lr"][0, 0]
    unit_ZYX = resample_z_array(thick_ZYX, 5.0 * np.arange(4), np.arange(16.0), "linear")
    references = references_of(thick_ZYX, acvtt_released.every_part, 3, None)
    net = network("stage1", theirs)
    return reference_views.restore_views(net, unit_ZYX, references, tile=1024, batch=5, run=QUIET)


def test_a_volume_comes_out_as_theirs(golden, views):
    meta, arrays = golden
    for got, name in zip((*views, (views[0] + views[1]) / 2), ("out_cor", "out_sag", "out_avg")):
        worst = np.abs(got - arrays[f"volume_{name}"][0, 0]).max()
        assert worst <= meta["tolerance"]["volume_r3"][name], name


def scan(golden) -> Volume:
    unit_ZYX = golden[1]["volume_lr"][0, 0]
    return Volume(Window(*CT).from_unit(unit_ZYX).astype(np.float32), THICK)


def test_their_weights_restore_a_scan_as_they_do_cut_to_the_window(golden, theirs):
    method = acvtt_released.build()
    method.use(theirs["stage1"])
    restored = method.restore(scan(golden), THIN, run=QUIET)
    want = Window(*CT).from_unit(golden[1]["volume_out_avg"][0, 0].clip(0, 1))
    tolerance = 4095 * golden[0]["tolerance"]["volume_r3"]["out_avg"]
    assert np.abs(restored.voxels - want).max() <= tolerance
    assert method.parameters() == PARAMETERS["stage1"]


@torch.inference_mode()
def test_with_the_second_stage_the_two_views_are_fused(golden, theirs, views):
    method = acvtt_released.build()
    method.use(theirs["stage1"], theirs["fusion"])
    assert method.parameters() == PARAMETERS["stage1"] + PARAMETERS["fusion"]
    restored = method.restore(scan(golden), THIN, run=QUIET)
    pair = torch.from_numpy(np.stack([view[7] for view in views])[None])
    want = network("fusion", theirs)(pair)[0, 0].numpy().clip(0, 1)
    assert np.abs(restored.voxels[7] - Window(*CT).from_unit(want)).max() <= 0.2


@pytest.mark.parametrize("kind", NAMES)
def test_weights_with_a_tensor_too_many_or_missing_are_refused(theirs, kind):
    fusion, stranger = kind == "fusion", "transfer_blocks.0.alpha.weight"
    with pytest.raises(ValueError, match=f"no place in the released ACVTT: {stranger}"):
        from_authors({**theirs[kind], stranger: torch.zeros(1)}, fusion=fusion)
    method = acvtt_released.build(references=0 if kind == "base" else 3)
    short = {name: w for name, w in theirs[kind].items() if name != "last_conv.bias"}
    with pytest.raises(RuntimeError, match="Missing key"):
        method.use(*((theirs["stage1"], short) if fusion else (short,)))
    if not fusion:
        layer = "encoder.0.blocks.2.conv.weight"
        with pytest.raises((ValueError, RuntimeError), match=r"no place|Unexpected"):
            method.use({**theirs[kind], layer: torch.zeros(64, 64, 3, 3)})
