"""Numbers of a GPU's products: what a block asks for, and afterwards what was there before."""

import pytest
import torch

from thinslice.training import precision


def tf32() -> tuple[bool, bool]:
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
