"""SAINT's networks are the authors': same weights in, same planes out."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from support import authors_names
from support.goldens import assert_like_the_authors, authors_weights, described, golden
from thinslice.nets.grey import AS_STORED
from thinslice.nets.saint import (
    FUSION,
    VIEWS,
    AtDistances,
    Dense,
    Fusion,
    SpacedPlanes,
    distances_mm,
    from_authors,
)

SMALL = Dense(1, 2, 3, 4)


class Turned(nn.Module):
    """Planes with z along columns, as theirs, at the distances of a golden."""

    def __init__(self, net: SpacedPlanes, distances: np.ndarray):
        super().__init__()
        self.net = net
        self.register_buffer("distances", torch.from_numpy(distances))

    def forward(self, x_BCWZ: torch.Tensor) -> torch.Tensor:
        return self.net(x_BCWZ.mT, self.distances).mT


@pytest.mark.parametrize("factor", [4, 5, 6])
def test_the_slices_of_a_plane_come_out_as_theirs(factor):
    meta, arrays = golden("saint", f"stage1_u{factor}")
    net = SpacedPlanes()
    net.load_state_dict(from_authors(authors_weights(meta)))
    net.grey = AS_STORED  # the unit of the golden is [0, 1]
    arrays["input"] = arrays["lines"]
    assert_like_the_authors(Turned(net, arrays["dist"]), meta, arrays)


def test_two_views_are_fused_as_theirs():
    meta, arrays = golden("saint", "fusion")
    net = Fusion()
    net.load_state_dict(from_authors(authors_weights(meta), fusion=True))
    net.grey = AS_STORED
    meta["tolerance"]["output"]["advised_atol"] *= 1.01  # theirs is all of two runs' rounding
    arrays["input"] = arrays["pair"]
    assert_like_the_authors(net, meta, arrays)


def test_distances_are_theirs():
    meta, arrays = golden("saint", "get_dist")
    for call in meta["calls"]:
        factor, (_, y_mm, z_mm) = call["factor"], call["spacing"]
        ours = distances_mm(z_mm * np.arange(factor), factor * z_mm, y_mm)
        np.testing.assert_allclose(ours, arrays[call["array"]][0, :factor], atol=1e-9)


def test_they_have_the_authors_numbers_of_parameters():
    for net, number in ((SpacedPlanes(), 2_787_712), (Fusion(), 371_105)):
        assert sum(p.numel() for p in net.parameters()) == number


@pytest.mark.parametrize("fusion", [False, True])
def test_every_tensor_of_the_authors_has_its_place_and_others_are_refused(fusion):
    net, names = (
        (Fusion(SMALL), authors_names.saint(SMALL, True))
        if fusion
        else (SpacedPlanes(SMALL), authors_names.saint(SMALL, False))
    )
    rename = partial(from_authors, fusion=fusion)
    given = authors_names.made_up(net, names, rename)
    net.load_state_dict(rename(given))
    with pytest.raises(ValueError, match=r"no place in the released SAINT: RDBs.0.alpha"):
        rename({**given, "RDBs.0.alpha": torch.zeros(1)})
    given.pop("GFF.1.bias")
    with pytest.raises(RuntimeError, match="Missing key"):
        net.load_state_dict(rename(given))


@pytest.mark.parametrize(
    ("case", "sizes"), [("stage1_u5", VIEWS), ("fusion", FUSION)], ids=["views", "fusion"]
)
def test_the_names_that_tests_use_are_the_authors(case, sizes):
    names = [row["name"] for row in described("saint", case)["parameters"]]
    assert sorted(names) == sorted(authors_names.saint(sizes, case == "fusion"))


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
