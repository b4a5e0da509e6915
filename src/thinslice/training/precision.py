"""Number formats of a network: float32 everywhere, TF32 on a GPU, bfloat16 where there are units.

A CPU without units for bfloat16 emulates it, slower than float32: there it is not used. Neither is
it on Intel's CPUs without AMX (or whose virtual machine hides it): their AVX-512 is half as fast in
bfloat16 as in float32 (measured on convolutions of 16 to 128 channels), AMD's twice as fast.
"""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any, NamedTuple

import torch

from thinslice.provenance.environment import cpu_vendor
from thinslice.training.plan import Precision

LOG = logging.getLogger(__name__)


def effective(precision: Precision, device: torch.device) -> Precision:
    """The precision used on ``device``: on a CPU fp32, or bf16 where it has units for it."""
    if device.type == "cuda" or precision == "fp32":
        return precision
    if precision == "bf16" and cpu_has_bf16():
        return precision
    LOG.warning("%s has no fast units for %s here; training in fp32", device.type, precision)
    return "fp32"


def cpu_has_bf16() -> bool:
    """Whether this CPU multiplies bfloat16 faster than float32: by AMX, or by AVX-512 of AMD's."""
    if torch.cpu._is_amx_tile_supported():
        return True
    return bool(torch.cpu._is_avx512_bf16_supported()) and cpu_vendor() == "AuthenticAMD"


@contextmanager
def matmuls(precision: Precision) -> Iterator[None]:
    """Let a GPU's float32 products round to TF32 in the block, if ``precision`` asks for it.

    Of matrices and of convolutions, which PyTorch rounds unless told; as before after the block.
    The flags are the process's: threads of one process cannot differ.
    """
    before = _flags()
    rounds = precision != "fp32"
    if rounds:
        torch.backends.cuda.matmul.allow_tf32 = True
    else:
        torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = rounds
    for layers in _layers():  # convolutions too, which else may inherit something
        layers.cuda.fp32_precision = "tf32" if rounds else "ieee"
        layers.cpu.fp32_precision = "ieee"
    try:
        yield
    finally:
        _set_back(before)


class _Flags(NamedTuple):
    """How PyTorch's two interfaces say that float32 products round, the older one first."""

    matrices: str
    convolutions: bool
    parts: list[str]


class _Part(NamedTuple):
    """A kind of product by the newer interface, on a GPU and on a CPU."""

    cuda: Any
    cpu: Any


def _layers() -> list[_Part]:
    """Convolutions and recurrent layers; none where PyTorch is older than the interface (2.9)."""
    cudnn: Any = torch.backends.cudnn
    cpu: Any = torch.backends.mkldnn
    if not hasattr(cudnn, "conv"):
        return []
    return [_Part(cudnn.conv, cpu.conv), _Part(cudnn.rnn, cpu.rnn)]


def _parts() -> list[Any]:
    """Everything that the newer interface can set: matrices, and those layers."""
    if not (layers := _layers()):
        return []
    cpu: Any = torch.backends.mkldnn
    matrices = _Part(torch.backends.cuda.matmul, cpu.matmul)
    return [part for each in (matrices, *layers) for part in each]


def _flags() -> _Flags:
    """Those of now.

    Once the newer interface was used, the older refuses to be read, and is taken to be as PyTorch
    begins.
    """
    matrices, convolutions = "highest", True
    with suppress(RuntimeError):
        matrices = torch.get_float32_matmul_precision()
    with suppress(RuntimeError):
        convolutions = torch.backends.cudnn.allow_tf32
    return _Flags(matrices, convolutions, [part.fp32_precision for part in _parts()])


def _set_back(flags: _Flags) -> None:
    """The older interface sets the newer one too, so the newer one's own come last."""
    torch.set_float32_matmul_precision(flags.matrices)
    torch.backends.cudnn.allow_tf32 = flags.convolutions
    for part, value in zip(_parts(), flags.parts):
        part.fp32_precision = "none"  # what it inherits
        if part.fp32_precision != value:
            part.fp32_precision = value


def forward(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """Context for the forward pass: bfloat16 where safe, if ``precision`` asks for it."""
    if precision == "bf16":
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()
