"""Weights of VGG come from a safetensors file, or the file is refused by name."""

import numpy as np
import pytest

from thinslice.errors import Refused
from thinslice.families.learned_features import features_of
from thinslice.nets.srntt import PlanesOfSRNTT
from thinslice.nets.vgg import LAYERS, WIDTHS
from thinslice.training import safetensors_file


def layers() -> dict[str, np.ndarray]:
    fine, middle, coarse = WIDTHS
    shapes = [(fine, 3), (fine, fine), (middle, fine), (middle, middle), (coarse, middle)]
    rng, made = np.random.default_rng(0), {}
    for name, shape in zip(LAYERS, shapes):
        made[f"{name}.weight"] = rng.normal(size=(*shape, 3, 3)).astype(np.float32)
        made[f"{name}.bias"] = rng.normal(size=shape[0]).astype(np.float32)
    return made


def test_a_network_has_the_features_of_the_file(tmp_path):
    path, given = tmp_path / "vgg.safetensors", layers()
    safetensors_file.write(path, given, {})
    net = PlanesOfSRNTT(4, 1, WIDTHS, False)
    prepare = features_of(str(path))
    assert prepare is not None
    prepare(net)
    learned = {name: array.numpy() for name, array in net.seen.state_dict().items()}
    np.testing.assert_array_equal(learned["weight_4"], given["features.10.weight"])
    expected = given["features.0.weight"].sum(1, keepdims=True)
    np.testing.assert_allclose(learned["weight_0"], expected, atol=1e-5)
    assert features_of(None) is None


def test_files_that_hold_no_features_are_refused(tmp_path):
    path, net = tmp_path / "vgg.safetensors", PlanesOfSRNTT(4, 1, (4, 4, 8), False)
    prepare = features_of(str(path))
    assert prepare is not None
    with pytest.raises(Refused, match=r"vgg .*vgg.safetensors: No such file.*leave vgg out"):
        prepare(net)
    path.write_bytes(b"PK pickle")
    with pytest.raises(Refused, match=r"vgg.safetensors: .*expected a .safetensors file"):
        prepare(net)
    safetensors_file.write(path, layers(), {})
    with pytest.raises(Refused, match=r"expected \[4, 3, 3, 3\].*vgg_widths"):
        prepare(net)
