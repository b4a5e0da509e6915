"""Numbers of a GPU's products: what a block asks for, and afterwards what was there before."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from thinslice.training import precision


def tf32() -> tuple[Any, Any]:
    """Whether a GPU's float32 products round to TF32: of matrices, of convolutions."""
    return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32


def test_a_block_has_the_numbers_it_asks_for_and_leaves_those_that_were():
    before = tf32()
    assert before == (False, True)  # as PyTorch begins: convolutions round
    with precision.matmuls("fp32"):
        assert tf32() == (False, False)
        with precision.matmuls("tf32"):
            assert tf32() == (True, True)
        assert tf32() == (False, False)
    assert tf32() == before
    with pytest.raises(ZeroDivisionError), precision.matmuls("tf32"):
        raise ZeroDivisionError
    assert tf32() == before


@pytest.mark.parametrize(
    ("amx", "avx512", "vendor", "expected"),
    [
        (True, True, "GenuineIntel", True),
        (False, True, "AuthenticAMD", True),
        (False, True, "GenuineIntel", False),  # half as fast as float32
        (False, True, "", False),
        (False, False, "AuthenticAMD", False),
    ],
)
def test_bfloat16_is_for_processors_that_gain_by_it(monkeypatch, amx, avx512, vendor, expected):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    monkeypatch.setattr(precision, "cpu_vendor", lambda: vendor)
    assert precision.cpu_has_bf16() is expected


BACKENDS: Any = torch.backends  # the newer interface has no types
CUDNN = BACKENDS.cudnn


def of_products() -> list[str]:
    """What PyTorch's newer interface says: of matrices, of convolutions, of recurrent layers."""
    parts = (BACKENDS.cuda.matmul, CUDNN.conv, CUDNN.rnn)
    return [part.fp32_precision for part in parts]


@pytest.fixture
def set_back() -> Iterator[None]:
    """The flags as PyTorch begins, after a test that sets them."""
    yield
    CUDNN.fp32_precision = BACKENDS.fp32_precision = "none"
    torch.set_float32_matmul_precision("highest")
    CUDNN.allow_tf32 = True
    assert tf32() == (False, True)


@pytest.mark.usefixtures("set_back")
@pytest.mark.parametrize(
    ("part", "value"),
    [
        (BACKENDS, "tf32"),  # for all that have no value of their own
        (BACKENDS.cuda.matmul, "tf32"),
        (CUDNN.conv, "ieee"),
    ],
    ids=["all", "matrices", "convolutions"],
)
def test_what_was_set_by_the_newer_interface_holds_again_after_the_block(part, value):
    part.fp32_precision = value
    before = of_products()
    with precision.matmuls("fp32"):
        assert of_products() == ["ieee"] * 3
        with precision.matmuls("bf16"):
            assert of_products() == ["tf32"] * 3
        assert of_products() == ["ieee"] * 3
    assert of_products() == before


@pytest.mark.usefixtures("set_back")
@pytest.mark.parametrize("asked", ["highest", "high", "medium"])
def test_the_precision_of_matrices_that_was_asked_for_can_be_read_in_and_after_the_block(asked):
    torch.set_float32_matmul_precision(asked)
    with precision.matmuls("fp32"):
        assert torch.get_float32_matmul_precision() == "highest"
        with precision.matmuls("tf32"):
            assert torch.get_float32_matmul_precision() == "high"
    assert torch.get_float32_matmul_precision() == asked


def test_an_older_pytorch_has_the_older_interface_alone(monkeypatch):
    monkeypatch.delattr(type(CUDNN), "conv")
    before = tf32()
    with precision.matmuls("fp32"):
        assert tf32() == (False, False)
    assert tf32() == before


def test_convolutions_of_a_cpu_that_were_to_round_do_not_in_float32():
    mkldnn = BACKENDS.mkldnn
    mkldnn.fp32_precision = "bf16"
    try:
        with precision.matmuls("fp32"):
            assert (mkldnn.conv.fp32_precision, mkldnn.rnn.fp32_precision) == ("ieee", "ieee")
        assert (mkldnn.conv.fp32_precision, mkldnn.rnn.fp32_precision) == ("bf16", "bf16")
    finally:
        mkldnn.fp32_precision = "none"
