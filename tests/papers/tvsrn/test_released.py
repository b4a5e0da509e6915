"""TVSRN as released is the authors' network: same weights in, same slices out."""

import numpy as np
import pytest
import torch

from support.golden_weights import fixture, weights
from thinslice.nets.tvsrn import both_views, stack_slices, unstack_slices
from thinslice.nets.tvsrn_released import CHANNELS, FOLD, SLICES, TVSRNReleased, from_authors


@pytest.fixture(scope="module")
def golden():
    return fixture("tvsrn", "released")


@pytest.fixture(scope="module")
def theirs(golden):
    return {name: torch.from_numpy(w) for name, w in weights(golden[0]).items()}


@pytest.fixture(scope="module")
def network(theirs):
    net = TVSRNReleased()
    net.load_state_dict(from_authors(theirs))
    return net.eval()


@torch.inference_mode()
def run(net, x: np.ndarray, dtype=torch.float32) -> np.ndarray:
    return net.to(dtype)(torch.from_numpy(x).to(dtype)).numpy()


def test_it_has_the_authors_number_of_parameters(network):
    assert sum(p.numel() for p in network.parameters()) == 2_387_489


def test_a_rectangle_comes_out_as_theirs(golden, network):
    meta, arrays = golden
    worst = np.abs(run(network, arrays["rect_input"]) - arrays["rect_output"]).max()
    assert worst <= meta["tolerance"]["rect32x48"]["advised_atol"]


def test_a_square_comes_out_as_theirs(golden, network):
    meta, arrays = golden
    y = run(network, arrays["square_input"])[..., ::4, :]
    tolerance = meta["tolerance"]["square64"]["advised_atol"]
    assert np.abs(y - arrays["square_output"]).max() <= tolerance


@pytest.mark.parametrize("case", ["rect", "square"])
def test_in_double_precision_they_agree_to_a_millionth(golden, theirs, case):
    net = TVSRNReleased()
    net.load_state_dict(from_authors(theirs))
    y = run(net.eval(), golden[1][f"{case}_input"], torch.float64)
    want = golden[1][f"{case}_output_f64run"]
    y = y if case == "rect" else y[..., ::4, :]
    assert np.abs(y - want).max() <= 1e-6 * np.abs(want).max()


@torch.inference_mode()
def test_it_agrees_on_the_way_too(golden, network):
    meta, arrays = golden
    x = torch.from_numpy(arrays["rect_input"])
    embedded = network.embed(x)
    encoded = network.encoder(embedded) + embedded
    tokens = network.tokens(encoded)
    state = stack_slices(both_views(network.tab, tokens, FOLD) + tokens)
    decoded = network.decoder(state) + state
    misread = (
        (decoded + stack_slices(tokens)).unflatten(3, (CHANNELS, SLICES)).permute(0, 3, 4, 1, 2)
    )
    ours = {
        "after_embedding": embedded.permute(0, 3, 1, 2),
        "after_encoder": encoded.permute(0, 3, 1, 2),
        "decoder_I_input": state.permute(0, 3, 1, 2),
        "after_decoder": decoded.permute(0, 3, 1, 2),
        "head_input": misread,
        "all_16_slices": network.head(misread),
    }
    for name, tensor in ours.items():
        worst = np.abs(tensor.numpy()[..., ::8, ::8] - arrays[f"inside_{name}"]).max()
        assert worst <= meta["inside_tolerance"][name], name


def test_weights_with_a_tensor_too_many_are_refused(theirs):
    with pytest.raises(ValueError, match="no place in the released TVSRN: x_patch_mask"):
        from_authors({**theirs, "x_patch_mask": torch.zeros(1)})


def test_weights_with_a_layer_too_many_are_refused(theirs):
    stranger = "Encoder.layers.0.residual_group.blocks.4.attn.qkv.bias"
    with pytest.raises(RuntimeError, match="Unexpected key"):
        TVSRNReleased().load_state_dict(from_authors({**theirs, stranger: torch.zeros(96)}))


def test_weights_with_a_tensor_missing_are_refused(theirs):
    short = {name: w for name, w in theirs.items() if name != "LP.bias"}
    with pytest.raises(RuntimeError, match="Missing key"):
        TVSRNReleased().load_state_dict(from_authors(short))


def test_tables_the_architecture_fixes_are_passed_over(theirs):
    table = "Encoder.layers.0.residual_group.blocks.1.attn_mask"
    assert from_authors({**theirs, table: torch.zeros(1)}).keys() == from_authors(theirs).keys()


def test_a_batch_is_its_members_one_by_one(golden, network):
    x = golden[1]["rect_input"]
    two = np.concatenate((x, x[..., ::-1]))
    together = run(network, two)
    alone = [run(network, np.ascontiguousarray(x)) for x in (two[:1], two[1:])]
    np.testing.assert_allclose(together, np.concatenate(alone), atol=2e-5)


def test_views_put_every_voxel_back():
    x = torch.arange(2 * 3 * 16 * 24 * 2.0).view(2, 3, 16, 24, 2)
    assert torch.equal(both_views(torch.nn.Identity(), x, FOLD), 2 * x)
    assert torch.equal(unstack_slices(stack_slices(x), 3), x)
