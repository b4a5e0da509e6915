"""Numbers of restoring: near float32 and measured, refused where wrong, part of the card."""

import json

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from support.tiny_methods import RUN, THIN, thick
from thinslice import plugins
from thinslice.errors import Refused
from thinslice.families import rounding
from thinslice.training.precision import cpu_has_bf16
from thinslice.workflow import cards

CPU = torch.device("cpu")
WITH_UNITS = pytest.mark.skipif(not cpu_has_bf16(), reason="this CPU has no units for bfloat16")


def method(name: str, **settings):
    """A tiny method whose last layers are not zero, so that it corrects something."""
    module = plugins.module("methods", {"name": name})
    built = module.build(**{**module.TINY, **settings})
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in built.net.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return built


@WITH_UNITS
@pytest.mark.parametrize("name", ["plane_unet", "acvtt"])
def test_bfloat16_differs_from_float32_by_what_it_states(name):
    exact, by = method(name), method(name, restore_precision="bf16")
    expected = exact.restore(thick(), THIN, run=RUN).voxels
    restored = by.restore(thick(), THIN, run=RUN).voxels
    apart = by.differences.to_json()
    assert exact.differences is None
    assert 0 < np.abs(restored - expected).max() < 4 * apart["max"] < 40
    assert apart["tiles"] >= 1
    assert (exact.precision_on(CPU), by.precision_on(CPU)) == ("fp32", "bf16")


class Wrong(nn.Module):
    """A convolution as some CPUs have computed it in bfloat16: 1 of 4 terms."""

    def forward(self, x):
        return x / 4 if torch.is_autocast_enabled("cpu") else x


def test_a_tile_that_is_wrong_is_refused():
    net = rounding.Compared(Wrong(), "bf16", rounding.Differences(4095.0, "bf16"))
    with pytest.raises(Refused, match="restore in fp32 by torch"):
        net(torch.ones(1, 1, 4, 4))


def test_ever_rarer_tiles_are_compared():
    differences = rounding.Differences(1.0, "bf16")
    assert [n for n in range(1, 70) if differences.due()] == [1, 2, 4, 16, 64]


class Products(nn.Module):
    """Notes whether a GPU's convolutions would round to TF32."""

    def forward(self, x):
        self.tf32 = torch.backends.cudnn.allow_tf32
        return x


@pytest.mark.parametrize(("numbers", "rounds"), [("fp32", False), ("tf32", True)])
def test_tf32_is_turned_on_within_a_restoring_in_float32(numbers, rounds):
    net = Products()
    with rounding.precision.matmuls("fp32"):  # as ``NetworkMethod.restore``
        rounding.InPrecision(net, numbers)(torch.ones(1, 1, 2, 2))
    assert net.tf32 == rounds


class Counted(nn.Module):
    """Counts how often it is asked in float32."""

    exact = 0

    def forward(self, x):
        self.exact += not torch.is_autocast_enabled("cpu")
        return x


def test_the_first_tile_of_every_view_is_compared():
    differences = rounding.Differences(1.0, "bf16")
    views = [rounding.Compared(Counted(), "bf16", differences) for _ in range(2)]
    for view, tiles in zip(views, (5, 1)):  # tiles number 1, 2 and 4; then the sixth
        for _ in range(tiles):
            view(torch.rand(1, 1, 2, 2))
    assert [view.net.exact for view in views] == [3, 1]


@WITH_UNITS
@torch.inference_mode()
def test_what_references_offer_is_rounded_once_and_compared_unrounded():
    net = method("acvtt").net.transfer.eval()
    references = list(torch.rand(3, 1, 16, 16))
    exact, x = net.with_references(references), torch.rand(1, 1, 16, 16)
    differences = rounding.Differences(1.0, "bf16")
    referenced = rounding.Compared(net, "bf16", differences).with_references(references)
    answer = referenced(x)
    assert torch.equal(answer, rounding.InPrecision(exact, "bf16")(x))
    assert {b.dtype for b in referenced.net.buffers()} == {torch.bfloat16}
    assert differences.to_json()["max"] == float((answer - exact(x)).abs().max()) > 0


def test_numbers_without_units_are_refused(monkeypatch):
    with pytest.raises(Refused, match="tf32"):
        method("plane_unet", restore_precision="tf32").restore(thick(), THIN, run=RUN)
    with pytest.raises(ValueError, match="MS-D"):
        method("msd_supervised", restore_precision="bf16")
    monkeypatch.setattr(rounding.precision, "cpu_has_bf16", lambda: False)
    with pytest.raises(Refused, match="slower in it"):
        method("plane_unet", restore_precision="bf16").restore(thick(), THIN, run=RUN)


def test_of_an_engine_the_first_tile_and_the_middle_of_later_ones_are_compared():
    seen = []

    class Net(nn.Identity):
        def forward(self, input: Tensor) -> Tensor:
            seen.append(tuple(input.shape[-2:]))
            return input

    differences = rounding.Differences(1000.0, "openvino")
    net = rounding.ByEngine(nn.Identity(), Net(), differences)
    for side in (300, 200, 200, 100):
        net(torch.rand(1, 1, 4, side, 150))
    assert seen == [(300, 150), (128, 128), (100, 128)]  # tiles 1, 2 and 4
    assert differences.to_json() == {"rms": 0.0, "max": 0.0, "tiles": 3}
    off = rounding.ByEngine(nn.Hardtanh(0, 0.5), Net(), rounding.Differences(1000.0, "openvino"))
    off(torch.zeros(1, 1, 4, 300, 150))
    with pytest.raises(Refused, match="root mean square"):
        off(torch.rand(1, 1, 4, 300, 150))


def test_a_training_is_not_told_how_is_restored():
    line = {"fit": "population", "env": "torch", "module": "plane_unet"}
    config = {
        "datasets": {"d": {}},
        "methods": {
            "by": {**line, "settings": {"restore_precision": "bf16"}},
            "plain": line,
        },
    }
    by, plain = (json.loads(cards.training_card(config, n, "d")) for n in ("by", "plain"))
    assert {**by, "name": ""} == {**plain, "name": ""}
    restoring = json.loads(cards.method_card(config, "by", "d"))
    assert restoring["settings"] == {"restore_precision": "bf16"}


def test_a_label_names_the_numbers():
    about = plugins.build("methods", {"name": "acvtt"}).about
    assert about.fidelity_of({"restore_precision": "bf16"}) == "as-published, bf16"
    assert about.fidelity_of({"restore_precision": "fp32", "engine": "torch"}) == "as-published"
