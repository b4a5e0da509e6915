"""Number formats of a training: float32 everywhere, TF32 or bfloat16 where a GPU has them."""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

from thinslice.training.plan import Precision

LOG = logging.getLogger(__name__)


def effective(precision: Precision, device: torch.device) -> Precision:
    """The precision used on ``device``: always fp32 on a CPU."""
    if device.type == "cuda" or precision == "fp32":
        return precision
    LOG.warning("precision %s is for GPUs; training in fp32 on the %s", precision, device.type)
    return "fp32"


@contextmanager
def matmuls(precision: Precision) -> Iterator[None]:
    """Let a GPU's float32 products round to TF32 in the block, if ``precision`` asks for it."""
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != "fp32"
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def forward(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """Context for the forward pass: bfloat16 where safe, if ``precision`` asks for it."""
    if precision == "bf16":
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()
