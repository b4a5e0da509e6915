"""Features of grey planes are VGG's, with weights of a file or random ones."""

import pytest
import torch
from torch import nn

from thinslice.errors import Refused
from thinslice.nets.grey import STRETCHED
from thinslice.nets.vgg import LAYERS, VGG

NAMES = list(LAYERS)


def torchvision_like(widths=(64, 128, 256)) -> nn.Sequential:
    """The first layers of VGG under torchvision's numbers."""
    fine, middle, coarse = widths
    layers: list[nn.Module] = []
    for inputs, outputs in ((3, fine), (fine, fine), (fine, middle), (middle, middle)):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
        if inputs == outputs:
            layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Conv2d(middle, coarse, 3, padding=1), nn.ReLU())


@torch.inference_mode()
def test_with_weights_of_photographs_grey_stands_for_every_colour():
    torch.manual_seed(0)
    theirs = torchvision_like()
    weights = {f"features.{name}": tensor for name, tensor in theirs.state_dict().items()}
    net = VGG()
    net.use({**weights, "classifier.0.weight": torch.zeros(1)})
    x_B1PQ = torch.rand(2, 1, 16, 24)
    seen = STRETCHED.seen(x_B1PQ).expand(-1, 3, -1, -1)
    for features, layers in zip(net(x_B1PQ), (2, 7, 12)):
        torch.testing.assert_close(features, theirs[:layers](seen), rtol=1e-4, atol=1e-5)
    assert not list(net.parameters())


def test_weights_that_do_not_fit_are_refused_by_name():
    weights = {f"features.{name}": w for name, w in torchvision_like().state_dict().items()}
    left = {name: w for name, w in weights.items() if "10" not in name}
    with pytest.raises(Refused, match=r"vgg.safetensors: found nothing as features.10.weight"):
        VGG().use(left, "vgg.safetensors")
    with pytest.raises(Refused, match=r"expected \[8, 3, 3, 3\].*vgg_widths"):
        VGG((8, 8, 8)).use(weights)


def test_random_features_are_those_of_the_seed_and_neither_vanish_nor_explode():
    nets = []
    for _ in range(2):
        torch.manual_seed(3)
        nets.append(VGG((8, 16, 32)))
    x_B1PQ = 0.25 + 0.1 * torch.randn(1, 1, 32, 32)
    for one, other in zip(nets[0](x_B1PQ), nets[1](x_B1PQ)):
        assert torch.equal(one, other)
        assert 0.1 < one.std() < 10
