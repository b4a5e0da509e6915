"""SAINT's networks are the authors': same weights in, same planes out."""

import numpy as np
import pytest
import torch

from support.golden_weights import fixture, weights
from thinslice.nets import saint
from thinslice.nets.grey import AS_STORED
from thinslice.nets.saint import AtDistances, Dense, Fusion, SpacedPlanes, distances_mm

SMALL = Dense(1, 2, 3, 4)


@pytest.fixture(scope="module")
def golden():
    return fixture("saint", "released")


def theirs(meta, fusion: bool) -> dict[str, torch.Tensor]:
    if fusion:
        meta = {**meta, "parameters": meta["fusion_parameters"]}
    return {name: torch.from_numpy(w) for name, w in weights(meta).items()}


def network(meta, fusion: bool = False, dtype=torch.float32) -> torch.nn.Module:
    """The authors' network in the unit of the golden, which is [0, 1]."""
    net = Fusion() if fusion else SpacedPlanes()
    net.load_state_dict(saint.from_authors(theirs(meta, fusion), fusion=fusion))
    net.grey = AS_STORED
    return net.to(dtype).eval()


@pytest.mark.parametrize("factor", [4, 5, 6])
@torch.inference_mode()
def test_the_slices_of_a_plane_come_out_as_theirs(golden, factor):
    meta, arrays = golden
    for dtype, key in ((torch.float32, "output"), (torch.float64, "output_f64run")):
        lines, dist = (torch.from_numpy(arrays[k]).to(dtype) for k in ("lines", f"u{factor}_dist"))
        y = network(meta, dtype=dtype)(lines.mT, dist).mT.numpy()
        want = arrays[f"u{factor}_{key}"]
        atol = meta["tolerance"][f"u{factor}"]
        if dtype == torch.float64:
            atol = 1e-6 * np.abs(want).max()
        assert np.abs(y - want).max() <= atol


@torch.inference_mode()
def test_two_views_are_fused_as_theirs(golden):
    meta, arrays = golden
    for dtype, key in ((torch.float32, "output"), (torch.float64, "output_f64run")):
        y = network(meta, True, dtype)(torch.from_numpy(arrays["fusion_pair"]).to(dtype)).numpy()
        want = arrays[f"fusion_{key}"]
        atol = meta["tolerance"]["fusion"]
        if dtype == torch.float64:
            atol = 1e-6 * np.abs(want).max()
        assert np.abs(y - want).max() <= 1.01 * atol  # theirs is all of two runs' rounding


def test_distances_are_theirs(golden):
    meta, arrays = golden
    for name, (_, y_mm, z_mm), factor in meta["distance_calls"]:
        ours = distances_mm(z_mm * np.arange(factor), factor * z_mm, y_mm)
        np.testing.assert_allclose(ours, arrays[name][0, :factor], atol=1e-9)


def test_they_have_the_authors_numbers_of_parameters(golden):
    for fusion, number in ((False, 2_787_712), (True, 371_105)):
        assert sum(p.numel() for p in network(golden[0], fusion).parameters()) == number


@pytest.mark.parametrize("fusion", [False, True])
def test_weights_with_a_tensor_too_many_or_missing_are_refused(golden, fusion):
    given = theirs(golden[0], fusion)
    with pytest.raises(ValueError, match=r"no place in the released SAINT: RDBs.0.alpha"):
        saint.from_authors({**given, "RDBs.0.alpha": torch.zeros(1)}, fusion=fusion)
    given.pop("GFF.1.bias")
    with pytest.raises(RuntimeError, match="Missing key"):
        (Fusion() if fusion else SpacedPlanes()).load_state_dict(
            saint.from_authors(given, fusion=fusion)
        )


@torch.inference_mode()
def test_a_batch_of_several_spacings_is_its_planes_one_by_one():
    torch.manual_seed(0)
    net = SpacedPlanes(SMALL).eval()
    x_BCZW = torch.rand(2, 3, 5, 6)
    maps = [distances_mm(np.arange(3) * mm, 3 * mm, 0.7) for mm in (1.0, 2.5)]
    distances = torch.from_numpy(np.stack(maps)).float()
    together = net(x_BCZW, distances)
    for k in range(2):
        alone = net(x_BCZW[k, None], distances[k, None])
        torch.testing.assert_close(together[k, None], alone)


@torch.inference_mode()
def test_slices_are_put_in_order():
    """Of every thick slice all thin ones, then those of the next."""
    net = AtDistances(lambda x, d: x[:, 1, None] + d[..., :1, :1], np.arange(3.0)[:, None, None])
    x_BCZW = 10 * torch.arange(4.0).view(1, 1, 4, 1).expand(1, 3, 4, 2)
    y_B1ZW = net(x_BCZW)
    want = [0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32]
    assert y_B1ZW[0, 0, :, 0].tolist() == want


@torch.inference_mode()
def test_asked_to_start_there_an_untrained_network_is_linear_interpolation():
    x_BCZW = torch.rand(1, 3, 4, 5)
    distances = torch.from_numpy(distances_mm(np.array([0.5, 1.75]), 2.5, 0.7))[None].float()
    y_BKZW = SpacedPlanes(SMALL, start="linear")(x_BCZW, distances)
    z_W = x_BCZW[0, 1]
    torch.testing.assert_close(y_BKZW[0, 0, :3], 0.8 * z_W[:3] + 0.2 * z_W[1:])
    torch.testing.assert_close(y_BKZW[0, 1, :3], 0.3 * z_W[:3] + 0.7 * z_W[1:])
    torch.testing.assert_close(y_BKZW[0, :, 3], z_W[3].expand(2, -1))
    pair = torch.rand(1, 2, 4, 4)
    torch.testing.assert_close(Fusion(SMALL, start="linear")(pair), pair.mean(1, keepdim=True))


def test_sizes_that_are_none_and_unknown_starts_are_refused():
    with pytest.raises(ValueError, match="at least one of each"):
        Dense(0, 2, 3, 4)
    with pytest.raises(ValueError, match="learned, linear"):
        SpacedPlanes(SMALL, start="cubic")  # type: ignore[arg-type]
