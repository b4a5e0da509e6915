"""Meta-SR is its authors' network: trunk, positions, weights made for them, and their use."""

import pytest
import torch

from support.goldens import authors_weights, golden
from support.rdn_names import TRUNK
from support.renamed import renamed
from thinslice.methods import metasr
from thinslice.nets.metasr import MetaSR, MetaWeights, Sizes, below, patches, weighted
from thinslice.nets.rdn import Trunk

SCALES = {"scale1p5": 1.5, "scale2p0": 2.0, "scale5p0": 5.0}
META = ((r"P2W\.meta_block\.(\d)", r"weights.layers.\1"),)


class Colours(torch.nn.Module):
    """The authors' network of colours, growing along both axes, of our parts."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk(2, 16, 8, 64, inputs=3)
        self.weights = MetaWeights(64, 3, 256)

    def forward(self, x, scale: float):
        rows, columns = (torch.arange(int(scale * n)) / scale for n in x.shape[2:])
        (row, down), (column, right) = below(rows[None]), below(columns[None])
        offsets = torch.cartesian_prod(down[0], right[0])
        increment = torch.full((len(offsets), 1), 1 / scale)
        position = torch.cat((increment, offsets), 1).to(x.dtype)
        seen = patches(self.trunk(x))[:, :, row[0]][..., column[0]].flatten(2)
        made = weighted(seen[..., None], self.weights(position)[None])
        return made[..., 0].unflatten(2, (len(row[0]), len(column[0])))


@pytest.mark.parametrize("case", SCALES)
def test_growing_along_both_axes_it_is_the_authors_network(case):
    meta, arrays = golden("metasr", case)
    net = Colours().eval()
    trunk = tuple((pattern, f"trunk.{ours}") for pattern, ours in TRUNK)
    net.load_state_dict(renamed(authors_weights(meta), trunk + META))
    x, y = (torch.from_numpy(arrays[name]) for name in ("lr", "output"))
    with torch.inference_mode():
        worst = float((net(x, SCALES[case]) - y).abs().max())
        assert worst <= meta["tolerance"]["output"]["advised_atol"]
        wanted = torch.from_numpy(arrays["output_f64run"])
        worst = float((net.double()(x.double(), SCALES[case]) - wanted).abs().max())
    assert worst <= 1e-6 * float(wanted.abs().max())


def test_positions_are_those_of_the_authors():
    meta, arrays = golden("metasr", "position_matrix")
    for k, call in enumerate(meta["calls"]):
        theirs = torch.from_numpy(arrays[f"pos_{k}"]).view(*arrays[f"mask_{k}"].shape, 3)
        mask = torch.from_numpy(arrays[f"mask_{k}"])
        rows = torch.arange(int(call["scale"] * call["H"])) / call["scale"]
        ours = below(rows[None])[1][0]
        expected = theirs[mask.any(1)][:, mask.any(0)][:, 0]
        torch.testing.assert_close(ours, expected[:, 1].float(), atol=1e-5, rtol=0)
        assert torch.allclose(expected[:, 0].float(), torch.tensor(1 / call["scale"]))


def test_parameters():
    """As the page of methods states them; the papers that compare with Meta-SR print none."""
    assert metasr.build().parameters() == 22_121_856


def small(corrects: bool = False) -> MetaSR:
    torch.manual_seed(0)
    return MetaSR(Sizes(1, 2, 3, 4, 8, corrects)).eval()


@torch.no_grad()
def test_slices_are_answered_one_by_one_as_together():
    net, x = small(), torch.rand(2, 1, 5, 6)
    at = torch.tensor([[0, 0.4, 1.2, 2, 2.7, 3, 3.1, 3.6, 4.0], [0.1, 0.2, 1, 1, 2, 2, 3, 3, 3.5]])
    step = torch.tensor([0.2, 0.37])
    together = net(x, at, step)
    for n in range(at.shape[1]):
        torch.testing.assert_close(together[:, :, n : n + 1], net(x, at[:, n : n + 1], step))


@torch.no_grad()
def test_a_position_just_below_a_slice_is_that_slice():
    net, x = small(), torch.rand(1, 1, 5, 6)
    near, on = (net(x, torch.tensor([[at]]), torch.tensor([0.2])) for at in (2.999999, 3.0))
    torch.testing.assert_close(near, on, atol=1e-5, rtol=0)


def test_every_parameter_learns():
    for corrects in (False, True):
        net = small(corrects)
        optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
        before = {name: p.detach().clone() for name, p in net.named_parameters()}
        for _ in range(3):  # a last layer at rest holds the others back for a step
            optimiser.zero_grad()
            y = net(torch.rand(1, 1, 4, 6), torch.tensor([[0.5, 1.2, 3]]), torch.tensor([0.2]))
            y.square().sum().backward()
            optimiser.step()
        still = [name for name, p in net.named_parameters() if torch.equal(p, before[name])]
        assert still == []
