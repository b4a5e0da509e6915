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
