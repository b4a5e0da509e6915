"""ArSSR is its authors' network with each of their encoders."""

import numpy as np
import pytest
import torch

from support.goldens import authors_weights, golden
from thinslice.methods import arssr
from thinslice.nets import arssr as nets
from thinslice.nets.arssr import ArSSR, Sizes, from_authors, places

PARAMETERS = {"rdn": 6_283_460, "rescnn": 2_579_588, "srresnet": 4_682_052}


def authors(case: str) -> tuple[ArSSR, dict, dict[str, torch.Tensor]]:
    meta, arrays = golden("arssr", case)
    method = arssr.build(encoder=case)
    method.use(authors_weights(meta))
    net = method.net
    assert isinstance(net, ArSSR)
    return net.eval(), meta, {name: torch.from_numpy(array) for name, array in arrays.items()}


def answers(net: ArSSR, arrays: dict[str, torch.Tensor], dtype: torch.dtype) -> dict:
    net, lr, xyz = net.to(dtype), arrays["lr"].to(dtype), arrays["xyz"].to(dtype)
    with torch.inference_mode():
        features = net.encoder(lr)
        pre_relu = net.values(features, xyz)[..., None]
    return {"features": features[:, ::16], "pre_relu": pre_relu, "output": pre_relu.relu()}


@pytest.mark.parametrize("case", PARAMETERS)
def test_it_answers_as_the_authors_does(case):
    net, meta, arrays = authors(case)
    for name, ours in answers(net, arrays, torch.float32).items():
        worst = float((ours - arrays[name]).abs().max())
        assert worst <= meta["tolerance"][name]["advised_atol"], name
    for name, ours in answers(net, arrays, torch.float64).items():
        wanted = arrays[f"{name}_f64run"]
        assert float((ours - wanted).abs().max()) <= 1e-6 * float(wanted.abs().max()), name


@pytest.mark.parametrize("case", PARAMETERS)
def test_parameters_are_the_authors(case):
    assert arssr.build(encoder=case).parameters() == PARAMETERS[case]


def test_weights_left_over_on_either_side_are_refused():
    method = arssr.build(**arssr.TINY)
    with pytest.raises(ValueError, match=r"decoder\.stage_three\.0\.bias has no place"):
        method.use({"decoder.stage_three.0.bias": torch.zeros(1)})
    with pytest.raises(RuntimeError, match="Missing key"):
        method.use({"decoder.stage_one.0.bias": torch.zeros(8)})
    assert method.net is None


def test_every_tensor_of_the_authors_gets_a_name_of_its_own():
    names = ["encoder.sfe1.bias", "encoder.block3.10.weight", "encoder.features.7.m.1.0.bias"]
    assert list(from_authors(dict.fromkeys(names, torch.zeros(1)))) == [
        "encoder.trunk.first.bias",
        "encoder.runs.2.10.weight",
        "encoder.layers.7.body.2.bias",
    ]


def small(**sizes) -> ArSSR:
    torch.manual_seed(0)
    return ArSSR(Sizes(**{"depth": (1, 2), "width": 4, "features": 6, "hidden": 8, **sizes})).eval()


@torch.no_grad()
def test_on_a_slice_it_sees_the_features_there():
    net, x = small(), torch.rand(1, 1, 4, 5, 6)
    at = places(torch.tensor([[1.0]]), 4, 5, 6)
    seen = torch.nn.functional.grid_sample(
        x, at.flip(-1)[:, :, None, None], align_corners=False
    ).view(5, 6)
    torch.testing.assert_close(seen, x[0, 0, 1], atol=1e-6, rtol=0)
    assert net(x, torch.tensor([[1.0]]), torch.tensor([0.2])).shape == (1, 1, 1, 5, 6)


@torch.no_grad()
def test_decoding_in_parts_changes_nothing(monkeypatch):
    net, x, at = small(), torch.rand(2, 1, 4, 5, 6), torch.tensor([[0.0, 0.3, 2.9]] * 2)
    whole = net(x, at, torch.tensor([0.2, 0.2]))
    monkeypatch.setattr(nets, "POINTS", 7)
    torch.testing.assert_close(net(x, at, torch.tensor([0.2, 0.2])), whole, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("encoder", "depth"), [("rdn", (1, 2)), ("rescnn", (2, 2)), ("srresnet", (2,))]
)
@pytest.mark.parametrize("corrects", [False, True])
def test_every_parameter_learns(encoder, depth, corrects):
    net = small(encoder=encoder, depth=depth, corrects=corrects).train()
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    before = {name: p.detach().clone() for name, p in net.named_parameters()}
    for _ in range(4):  # a last layer at rest holds the others back for a step
        optimiser.zero_grad()
        y = net(torch.rand(1, 1, 4, 6, 5), torch.tensor([[0.5, 1.2, 3]]), torch.tensor([0.2]))
        (y - 2).square().sum().backward()
        optimiser.step()
    assert [name for name, p in net.named_parameters() if torch.equal(p, before[name])] == []


def test_another_encoder_is_refused():
    with pytest.raises(ValueError, match="encoder 'unet' is none of rdn, rescnn, srresnet"):
        arssr.build(encoder="unet")
    with pytest.raises(ValueError, match=r"takes 1 numbers like \[18\]"):
        arssr.build(encoder="srresnet", encoder_depth=[8, 3])


def test_nothing_is_answered_below_zero():
    net = small()
    torch.nn.init.constant_(net.stage_two[-1].bias, -5.0)
    y = net(torch.rand(1, 1, 4, 5, 6), torch.tensor([[1.5]]), torch.tensor([0.2]))
    assert np.array_equal(y.detach().numpy(), np.zeros((1, 1, 1, 5, 6), np.float32))
