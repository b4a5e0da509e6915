"""Number formats of a network: float32 everywhere, TF32 on a GPU, bfloat16 where there are units.

A CPU without units for bfloat16 emulates it, slower than float32: there it is not used. Nor is it
where the units are slower than those for float32, which is Intel's way since Sapphire Rapids where
AMX is missing or hidden, as in many virtual machines: measured on one, products and convolutions of
bfloat16 have 0.53 of float32's rate; an AMD EPYC has twice float32's.
"""

import logging
import platform
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from pathlib import Path

import torch

from thinslice.training.plan import Precision

LOG = logging.getLogger(__name__)


def effective(precision: Precision, device: torch.device) -> Precision:
    """The precision used on ``device``: on a CPU fp32, or bf16 where it has units for it."""
    if device.type == "cuda" or precision == "fp32":
        return precision
    if precision == "bf16" and cpu_has_bf16():
        return precision
    LOG.warning("%s has no units for %s here; training in fp32", device.type, precision)
    return "fp32"


def cpu_has_bf16() -> bool:
    """Whether this CPU multiplies bfloat16 faster than float32: AMX, or fast AVX-512 BF16."""
    if torch.cpu._is_amx_tile_supported():
        return True
    return bool(torch.cpu._is_avx512_bf16_supported()) and not _slow_without_amx()


def _slow_without_amx() -> bool:
    """Whether AVX-512 BF16 has half of float32's rate: Intel's CPUs that have AVX-512 FP16."""
    return bool(torch.cpu.get_capabilities().get("avx512_fp16")) and _by_intel()


@cache
def _by_intel() -> bool:
    """Whether the CPU is Intel's, by the name that Linux, or Windows, has for its vendor."""
    named = Path("/proc/cpuinfo")
    return "GenuineIntel" in (named.read_text() if named.exists() else platform.processor())


@contextmanager
def matmuls(precision: Precision) -> Iterator[None]:
    """Let a GPU's float32 products round to TF32 in the block, if ``precision`` asks for it.

    Of matrices and of convolutions, which PyTorch rounds unless told; as before after the block.
    The flags are the process's: threads of one process cannot differ.
    """
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
