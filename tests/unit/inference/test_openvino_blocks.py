"""Swin blocks by OpenVINO: equal to torch's, of any size of tile; refused where there are none."""

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from support.tiny_methods import RUN, THICK, thick
from thinslice.errors import Refused
from thinslice.families.cube import CubeMethod
from thinslice.inference import openvino_blocks
from thinslice.inference.openvino_blocks import by_openvino
from thinslice.inference.openvino_chunk import CompiledChunk, all_windows, put_rows
from thinslice.methods import cthnet, eddsr, tdafd, tvsrn
from thinslice.nets.swin import SwinStack
from thinslice.nets.windows import windows_of
from thinslice.restoration.precision import refuse_engine
from thinslice.training import precision

THIN = THICK.with_slices(n=36, increment_mm=1.0, thickness_mm=1.0, start_mm=-1.0)
WITH_UNITS = pytest.mark.skipif(not precision.cpu_has_bf16(), reason="no units for bfloat16")


def stack(window: tuple[int, int] = (4, 4)) -> SwinStack:
    torch.manual_seed(0)
    net = SwinStack(16, 4, window, 2, [0.0, 0.0]).eval()
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.3)
    return net


def fitted(std: float, **settings: Any) -> CubeMethod:
    """A small TVSRN with random weights."""
    method = tvsrn.build(**{**tvsrn.TINY, **settings})
    method.net = method._build({"factor": 5})
    torch.manual_seed(0)
    for parameter in method.net.parameters():
        nn.init.normal_(parameter, std=std)
    return method


def assert_as_torch(engine: nn.Module, net: SwinStack, shape: tuple[int, ...]) -> None:
    x_BYXC = torch.randn(*shape, 16)
    with torch.inference_mode():
        torch.testing.assert_close(engine(x_BYXC), net(x_BYXC), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("window", "shape"),
    [
        ((4, 4), (2, 8, 12)),  # whole windows
        ((4, 4), (3, 9, 14)),  # padded ones
        ((2, 4), (1, 2, 12)),  # an axis of one window is not shifted
        ((4, 4), (1, 3, 4)),  # one window, padded
    ],
)
@pytest.mark.parametrize("tokens", [64, 1024])  # ragged ends; all windows, and room left
def test_answers_are_those_of_torch(window, shape, tokens, monkeypatch):
    pytest.importorskip("openvino")
    monkeypatch.setitem(openvino_blocks.TOKENS_AT_A_TIME, "cpu", tokens)
    net = stack(window)
    assert_as_torch(by_openvino(net, 1), net, shape)


def test_windows_without_a_mask_come_before_those_with_one():
    windows = windows_of((9, 14), (4, 4), (2, 2), torch.device("cpu"))
    rows_WR, kind_W, masked_W = all_windows(windows, 2, 12 * 16)
    assert masked_W.tolist() == [False] * 6 + [True] * 18  # of 3 x 4 of a grid, 3 are whole
    tokens_WT = windows.run * rows_WR[:, :, None] + torch.arange(windows.run)
    assert sorted(tokens_WT.flatten().tolist()) == list(range(2 * 12 * 16))
    for tokens_T, kind, masked in zip(tokens_WT.flatten(1), kind_W, masked_W):
        place_T = tokens_T % (12 * 16)
        assert (windows.tokens_WT[kind] == place_T).all(1).any()
        assert masked == windows.masks_KTT[kind].any()


@pytest.mark.parametrize("threads", [1, 2])
def test_values_are_put_in_their_rows_and_nowhere_else(threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        x, values, rows = torch.randn(7, 3), torch.randn(2, 3), torch.tensor([5, 2])
        expected = torch.stack([*x[:2], values[1], *x[3:5], values[0], x[6]])
        put_rows(x, rows, values)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(x, expected)


def test_only_windows_with_a_mask_take_the_graph_with_masks(monkeypatch):
    pytest.importorskip("openvino")
    monkeypatch.setitem(openvino_blocks.TOKENS_AT_A_TIME, "cpu", 64)  # four windows
    ran = []
    run = CompiledChunk.run

    def noted(chunk: CompiledChunk, *given: Any) -> None:
        ran.append(chunk.mask_WTT is not None)
        run(chunk, *given)

    monkeypatch.setattr(CompiledChunk, "run", noted)
    net = stack()
    assert_as_torch(by_openvino(net, 1), net, (1, 20, 20))
    # 25 windows: 7 chunks without a shift; shifted, 16 windows are whole and 9 are cut
    assert ran == [False] * 7 + [False] * 4 + [True] * 3


def test_one_network_takes_tiles_of_several_sizes():
    pytest.importorskip("openvino")
    net = stack()
    engine = by_openvino(net, 2)
    for shape in ((1, 16, 16), (2, 4, 8), (1, 9, 14), (1, 4, 4), (1, 16, 16)):
        assert_as_torch(engine, net, shape)


def test_threads_are_bound_to_no_core():
    """By default a request of one thread runs on the first core, as those of all other jobs do."""
    pytest.importorskip("openvino")
    (block, _) = by_openvino(stack(), 1).get_submodule("blocks").children()
    chunk: Any = block.chunk
    compiled = chunk(masked=False).request.get_compiled_model()
    assert compiled.get_property("ENABLE_CPU_PINNING") is False
    assert compiled.get_property("INFERENCE_NUM_THREADS") == 1


def test_an_answer_is_not_overwritten_by_the_next():
    pytest.importorskip("openvino")
    engine, x_BYXC = by_openvino(stack(), 1), torch.randn(1, 8, 8, 16)
    with torch.inference_mode():
        first = engine(x_BYXC)
        before = first.clone()
        engine(x_BYXC + 1)
    assert torch.equal(first, before)


@pytest.mark.parametrize("first", [torch.inference_mode, torch.no_grad])
def test_a_call_in_one_mode_may_follow_a_call_in_the_other(first):
    pytest.importorskip("openvino")
    engine, x_BYXC = by_openvino(stack(), 1), torch.randn(1, 9, 9, 16)
    with first():
        before = engine(x_BYXC)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            assert torch.equal(engine(x_BYXC), before)


def test_a_network_without_swin_blocks_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", object())
    with pytest.raises(Refused, match="no Swin blocks"):
        by_openvino(nn.Conv2d(1, 1, 3), 1)


@pytest.mark.parametrize("other", [eddsr, cthnet, tdafd])  # two have blocks, and run them otherwise
def test_a_method_without_swin_stacks_is_refused_before_any_work(other, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", object())
    with pytest.raises(Refused, match="no Swin blocks"):
        refuse_engine(other.build(**{**other.TINY, "engine": "openvino"}), RUN)
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


@WITH_UNITS
def test_in_bfloat16_answers_differ_a_little():
    pytest.importorskip("openvino")
    net, x_BYXC = stack(), torch.randn(2, 9, 14, 16)
    with torch.inference_mode():
        expected = net(x_BYXC)
        apart = (by_openvino(net, 1, bf16=True)(x_BYXC) - expected).abs()
    assert 1e-4 < apart.max() < 0.1 * expected.std()


@WITH_UNITS
def test_a_method_in_bfloat16_states_how_far_it_is_from_float32():
    pytest.importorskip("openvino")
    method = fitted(std=0.05, engine="openvino", restore_precision="bf16")
    method.restore(thick(), THIN, run=replace(RUN, threads=1))
    assert method.differences is not None
    assert 0 < method.differences.to_json()["rms"] < 1.6  # HU of 3072
    assert method.precision_on("cpu") == "bf16"


@pytest.mark.parametrize(
    "settings",
    [
        {"restore_precision": "bf16"},
        {"restore_precision": "tf32", "engine": "openvino"},
        {"engine": "Torch"},  # would run by openvino
    ],
)
def test_engines_that_are_none_and_numbers_that_none_has_are_refused(settings):
    with pytest.raises(ValueError, match="expected fp32 with torch or openvino, or bf16 with open"):
        tvsrn.build(**{**tvsrn.TINY, **settings})


def test_a_method_restores_alike_under_a_memory_cap():
    pytest.importorskip("openvino")
    run = replace(RUN, threads=1, max_memory_gib=8.0)
    restored = {}
    for engine in ("torch", "openvino"):
        method = fitted(std=0.1, engine=engine)
        restored[engine] = method.restore(thick(), THIN, run=run).voxels
    assert method.differences is not None
    assert method.differences.to_json()["tiles"] >= 1
    assert np.abs(restored["openvino"] - restored["torch"]).max() < 0.3  # HU of 3072
