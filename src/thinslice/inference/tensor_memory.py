"""Measure how much memory the tensors of a network take while it runs.

The only file that imports a private module of torch: ``TorchDispatchMode``, documented under
"Extending PyTorch", sees every tensor that an operator makes, on any device. A test holds it to
cases counted by hand.
"""

import weakref
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode


def peak_bytes(net: nn.Module, x: Tensor) -> int:
    """Most bytes alive at once while ``net(x)`` runs, beyond its weights; input included."""
    with torch.no_grad(), _LiveTensors() as live:
        net(x)
    return live.peak + x.nbytes


class _LiveTensors(TorchDispatchMode):
    """Counts the bytes of tensors made inside it while they live."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._storages: dict[int, weakref.ref] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled while it counts, so torch need not load its compiler: a second."""
        return False

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        inputs = {tensor.untyped_storage().data_ptr() for tensor in _tensors_in(args)}
        for tensor in _tensors_in(out):
            self._add(tensor.untyped_storage(), inputs)
        return out

    def _add(self, storage: torch.UntypedStorage, inputs: set[int]) -> None:
        address, size = storage.data_ptr(), storage.nbytes()
        if address in inputs or address in self._storages:
            return

        def freed(_: Any) -> None:
            self.now -= size
            self._storages.pop(address, None)

        self._storages[address] = weakref.ref(storage, freed)
        self.now += size
        self.peak = max(self.peak, self.now)


def _tensors_in(value: Any) -> Iterator[Tensor]:
    """The tensors in what an operator takes or returns: one, or lists and tuples of them."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors_in(item)
