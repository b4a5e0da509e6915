"""Numbers of a GPU's products, in a block and behind it; which CPUs have units for bfloat16."""

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
    ("amx", "avx512_bf16", "avx512_fp16", "intel", "expected"),
    [
        (True, True, True, True, True),  # Sapphire Rapids
        (False, True, True, True, False),  # the same in a virtual machine that hides AMX
        (False, True, False, True, True),  # Cooper Lake
        (False, True, True, False, True),  # another maker's
        (False, False, False, False, False),
    ],
)
def test_a_cpu_has_units_where_bfloat16_is_faster(
    amx, avx512_bf16, avx512_fp16, intel, expected, monkeypatch
):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512_bf16)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_fp16": avx512_fp16})
    monkeypatch.setattr(precision, "_by_intel", lambda: intel)
    assert precision.cpu_has_bf16() is expected
