"""Swin blocks by OpenVINO: equal to torch's, of any size of tile; refused where there are none."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from support.tiny_methods import RUN, THICK, thick
from thinslice.errors import Refused
from thinslice.inference.openvino_blocks import by_openvino
from thinslice.methods import eddsr, tvsrn
from thinslice.nets.swin import SwinStack
from thinslice.restoration.precision import refuse_engine


def stack() -> SwinStack:
    torch.manual_seed(0)
    net = SwinStack(16, 4, (4, 4), 2, [0.0, 0.0]).eval()
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.3)
    return net


@pytest.mark.parametrize("sides", [(8, 12), (9, 14)])  # whole windows; padded ones
def test_answers_are_those_of_torch(sides):
    pytest.importorskip("openvino")
    net = stack()
    x_BYXC = torch.randn(2, *sides, 16)
    with torch.inference_mode():
        torch.testing.assert_close(by_openvino(net, 1)(x_BYXC), net(x_BYXC), atol=1e-4, rtol=1e-4)


def test_a_network_without_swin_blocks_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", object())
    with pytest.raises(Refused, match="no Swin blocks"):
        by_openvino(nn.Conv2d(1, 1, 3), 1)


def test_a_method_without_swin_blocks_is_refused_before_any_work(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", object())
    with pytest.raises(Refused, match="no Swin blocks"):
        refuse_engine(eddsr.build(**{**eddsr.TINY, "engine": "openvino"}), RUN)
    refuse_engine(tvsrn.build(**{**tvsrn.TINY, "engine": "openvino"}), RUN)


def test_openvino_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(Refused, match="not installed"):
        by_openvino(stack(), 1)


def test_an_engine_is_refused_before_any_work(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    refuse_engine(tvsrn.build(**tvsrn.TINY), RUN)
    with pytest.raises(Refused, match="not installed"):
        refuse_engine(tvsrn.build(**{**tvsrn.TINY, "engine": "openvino"}), RUN)


def test_a_method_restores_alike_under_a_memory_cap():
    pytest.importorskip("openvino")
    run = replace(RUN, threads=1, max_memory_gib=8.0)
    restored = {}
    for engine in ("torch", "openvino"):
        method = tvsrn.build(**{**tvsrn.TINY, "engine": engine})
        method.net = method._build({"factor": 5})
        torch.manual_seed(0)
        for parameter in method.net.parameters():
            nn.init.normal_(parameter, std=0.1)
        thin = THICK.with_slices(n=36, increment_mm=1.0, thickness_mm=1.0, start_mm=-1.0)
        restored[engine] = method.restore(thick(), thin, run=run).voxels
    assert method.differences.to_json()["tiles"] >= 1
    assert np.abs(restored["openvino"] - restored["torch"]).max() < 0.3  # HU of 3072
