"""A network can learn one crop by heart, and needs all of itself for it.

The crop is of ``textured_pairs``: only texture in-plane tells what the slices between hold. With
everything but the last layer frozen at its first weights it must not get there: a last layer alone
filters what random features let through. TVSRN's laws of this kind: ``test_first_weights`` and
``papers/tvsrn/test_method``.
"""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from support.quick import slow_but
from support.textured_pairs import textured
from thinslice.nets.edsr import EDSR
from thinslice.nets.msd import MSD
from thinslice.nets.plane_unet import PlaneUNet
from thinslice.operators.interpolation import resample_z

STEPS, BY_HEART = 250, 0.4  # of the RMSE of what goes in


def crop() -> tuple[Tensor, Tensor]:
    """Sagittal planes, interpolated linearly and true, as x_B1ZW and y_B1ZW in [0, 1]."""
    pair = textured(0)
    start = resample_z(pair.thick, pair.thin.grid, "linear")
    x, y = (
        torch.from_numpy(v.voxels + 1024).permute(2, 0, 1)[:6, None] / 4096
        for v in (start, pair.thin)
    )
    return x[..., :16].contiguous(), y[..., :16].contiguous()


def msd() -> MSD:
    x, y = crop()
    net = MSD(12)
    net.normalise(mean=(float(x.mean()), float(y.mean())), std=(float(x.std()), float(y.std())))
    net.start_from_input()
    return net


NETWORKS = {
    "edsr": (lambda: EDSR(2, 8), ("tail",)),
    "plane_unet": (lambda: PlaneUNet(8, 2), ("unet.tail",)),
    "msd": (msd, ("last", "last_bias")),
}


def rmse_after(net: nn.Module, steps: int) -> float:
    """RMSE on the crop over that of what went in, after so many steps."""
    x, y = crop()
    optimiser = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=5e-3)
    for _ in range(steps):
        optimiser.zero_grad()
        mse_loss(net(x), y).backward()
        optimiser.step()
    with torch.no_grad():
        return float((mse_loss(net(x), y) / mse_loss(x, y)).sqrt())


@pytest.mark.parametrize("name", slow_but(["edsr", "plane_unet"], NETWORKS))
def test_one_crop_is_learned_by_heart_and_not_by_the_last_layer_alone(name):
    make, last = NETWORKS[name]
    torch.manual_seed(0)
    net = make()
    assert rmse_after(net, STEPS) < BY_HEART
    torch.manual_seed(0)
    frozen = make()
    for parameter, p in frozen.named_parameters():
        p.requires_grad_(parameter.startswith(last))
    assert rmse_after(frozen, STEPS) > BY_HEART
