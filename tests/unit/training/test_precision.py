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


BACKENDS: Any = torch.backends  # the newer interface has no types
CUDNN = BACKENDS.cudnn


AMD, INTEL = {"cpu_name": "AMD EPYC"}, {"cpu_name": "Intel Xeon"}


@pytest.mark.parametrize(
    ("cpu", "fast"),
    [
        ({}, False),  # of another architecture
        ({**AMD, "avx512_bf16": False}, False),
        ({**AMD, "avx512_bf16": True}, True),
        ({**INTEL, "avx512_bf16": True}, True),
        ({**INTEL, "avx512_bf16": True, "avx512_fp16": True}, False),  # its AMX is hidden
        ({**INTEL, "avx512_bf16": True, "avx512_fp16": True, "amx_bf16": True}, True),
    ],
)
def test_bfloat16_is_for_a_cpu_that_multiplies_it_faster_than_float32(cpu, fast, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: cpu)
    assert precision.cpu_has_bf16() == fast


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
