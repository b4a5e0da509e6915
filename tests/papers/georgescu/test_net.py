"""The two-stage CNN's networks are the authors': same weights in, same planes out."""

import numpy as np
import pytest
import torch

from support.golden_weights import fixture, weights
from thinslice.inference.self_ensemble import EIGHT, FOUR, ONE, SelfEnsemble
from thinslice.methods.georgescu_released import turned
from thinslice.nets import georgescu
from thinslice.nets.georgescu import REACH, Sizes, from_authors, in_plane, through_plane

CASES = ["d_x2", "d_x4", "d_x5", "hw_x2", "hw_x3"]
MERGES = {"ensemble_median": "median", "ensemble_mean": "mean"}


def network(case: str, factor: int) -> georgescu.TwoBlocks:
    return (through_plane if case.startswith("d") else in_plane)(factor, Sizes()).eval()


def as_ours(case: str, plane: np.ndarray) -> np.ndarray:
    """The authors' through-plane network has z along the columns, ours along the rows."""
    return plane.T if case.startswith("d") else plane


@pytest.mark.parametrize("case", CASES)
@torch.inference_mode()
def test_planes_and_self_ensembles_come_out_as_theirs(case):
    meta, arrays = fixture("georgescu", case)
    net = network(case, meta["scale"])
    theirs = {name: torch.from_numpy(w) for name, w in weights(meta).items()}
    net.load_state_dict(from_authors(theirs, net.scale))
    x = torch.from_numpy(as_ours(case, arrays["input"]).copy())[None, None].float()
    final, intermediate = net.planes(x)
    found = {"O": final, "P": intermediate}
    for name, merge in MERGES.items():
        symmetries = FOUR if case.startswith("d") else EIGHT
        found[name] = SelfEnsemble(net, symmetries, merge, georgescu.LEVELS)(x)
    for name, plane in found.items():
        worst = np.abs(plane[0, 0].numpy() - as_ours(case, arrays[name])).max()
        assert worst <= meta["tolerance"][name], name


def test_weights_left_over_or_missing_are_refused():
    meta, _ = fixture("georgescu", "hw_x2")
    theirs = {name: torch.from_numpy(w) for name, w in weights(meta).items()}
    with pytest.raises(ValueError, match="stranger"):
        from_authors({**theirs, "stranger": torch.zeros(1)}, (2, 2))
    theirs.pop("last_layer_5/bias")
    with pytest.raises(ValueError, match="last_layer_5/bias"):
        from_authors(theirs, (2, 2))


@pytest.mark.parametrize(
    ("net", "count"),
    [
        (in_plane(2, Sizes()), 57_573),
        (through_plane(2, Sizes()), 56_995),
        (through_plane(4, Sizes()), 57_573),
        (through_plane(5, Sizes()), 57_862),
    ],
)
def test_it_has_the_authors_number_of_parameters(net, count):
    assert sum(p.numel() for p in net.parameters()) == count


@pytest.mark.parametrize("scale", [(2, 2), (4, 4), (2, 1), (5, 1)])
def test_no_pixel_sees_further_than_its_reach_and_nothing_is_dead_at_birth(scale):
    torch.manual_seed(0)
    net = georgescu.TwoBlocks(scale, Sizes(channels=8)).double()
    x = torch.rand(1, 1, 41, 37, dtype=torch.double) * 255
    y = net(x)
    assert y.shape == (1, 1, 41 * scale[0], 37 * scale[1])
    assert (y > 0).double().mean() > 0.9
    x[0, 0, 20, 18] += 50
    moved = (net(x) - y).abs()[0, 0] > 0
    rows, columns = (np.flatnonzero(moved.any(axis).numpy()) for axis in (1, 0))
    for found, middle, s in ((rows, 20, scale[0]), (columns, 18, scale[1])):
        assert found.min() >= (middle - REACH) * s
        assert found.max() < (middle + REACH + 1) * s


@pytest.mark.parametrize(
    "ablated", [{"second_block": False}, {"short_skip": False}, {"long_skip": False}]
)
def test_every_ablation_changes_the_plane(ablated):
    def plane(**sizes) -> torch.Tensor:
        torch.manual_seed(0)
        net = in_plane(2, Sizes(channels=8, **sizes))
        return net(torch.linspace(0, 255, 144).view(1, 1, 12, 12))

    assert not torch.allclose(plane(**ablated), plane())


def test_without_a_second_block_the_final_plane_is_the_intermediate_one():
    final, intermediate = in_plane(2, Sizes(second_block=False)).planes(torch.rand(1, 1, 5, 6))
    assert torch.equal(final, intermediate)


class Nearest(torch.nn.Module):
    """Alike in all directions, and one call after the other."""

    def __init__(self, scale: tuple[int, int]):
        super().__init__()
        self.scale = scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.repeat_interleave(self.scale[0], 2).repeat_interleave(self.scale[1], 3)


@pytest.mark.parametrize("merge", ["median", "mean", "none"])
@pytest.mark.parametrize(("symmetries", "scale"), [(EIGHT, (3, 3)), (FOUR, (5, 1)), (ONE, (2, 2))])
def test_the_ensemble_of_a_network_alike_in_all_directions_is_the_network(merge, symmetries, scale):
    x = torch.rand(2, 1, 6, 9, dtype=torch.double) * 255
    net = Nearest(scale)
    assert torch.allclose(SelfEnsemble(net, symmetries, merge, 255.0)(x), net(x), atol=1e-9)


def test_answers_above_white_are_cut_before_they_are_merged():
    class Ever300(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.full_like(x, 300.0)

    assert (SelfEnsemble(Ever300(), EIGHT, "mean", 255.0)(torch.zeros(1, 1, 3, 3)) == 255).all()
    with pytest.raises(ValueError, match="'mode'"):
        SelfEnsemble(Ever300(), EIGHT, "mode", 255.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("side", [7, 14])
@pytest.mark.parametrize(("turns", "name"), [(1, "rot90"), (2, "rot180"), (3, "rot270")])
def test_the_released_turn_is_a_pixel_aside_as_theirs(side, turns, name):
    _, arrays = fixture("georgescu", "functions")
    image = arrays[f"image_{side}"].astype(int)
    assert np.abs(turned(image, turns) - arrays[f"{name}_{side}"]).max() <= 1
    assert np.array_equal(turned(image, 0), image)
