"""Losses of a network and a batch (inputs..., truth): means over all values of the answer."""

from collections.abc import Callable
from functools import partial
from typing import Literal, get_args

from torch import Tensor, nn
from torch.nn.functional import l1_loss, mse_loss

from thinslice.training.batches import Batch
from thinslice.training.distributed import Loss

Name = Literal["l1", "mse", "charbonnier"]

SMOOTH = 1e-3  # grey values, of [0, 1]


def squared_error(net: nn.Module, batch: Batch) -> Tensor:
    """Mean squared error: what tables in RMSE ask for."""
    *inputs, y = batch
    return mse_loss(net(*inputs), y)


def absolute_error(net: nn.Module, batch: Batch) -> Tensor:
    """Mean absolute error: sharper than the squared one, less led by outliers."""
    *inputs, y = batch
    return l1_loss(net(*inputs), y)


def charbonnier_error(net: nn.Module, batch: Batch) -> Tensor:
    """The absolute error made smooth near zero."""
    *inputs, y = batch
    return ((net(*inputs) - y).square() + SMOOTH**2).sqrt().mean()


def named(name: Name) -> Loss:
    """The loss of a setting; ValueError for any other name."""
    _refuse_others(name)
    return {"l1": absolute_error, "mse": squared_error, "charbonnier": charbonnier_error}[name]


def of_each(name: Name) -> Callable[[Tensor, Tensor], Tensor]:
    """The error of each value, whose mean is the loss of a setting; ValueError for other names."""
    _refuse_others(name)

    def smooth(made: Tensor, true: Tensor) -> Tensor:
        return ((made - true).square() + SMOOTH**2).sqrt()

    plain = {"l1": partial(l1_loss, reduction="none"), "mse": partial(mse_loss, reduction="none")}
    return plain.get(name, smooth)


def _refuse_others(name: str) -> None:
    if name not in get_args(Name):
        raise ValueError(f"loss {name!r} is none of {', '.join(get_args(Name))}")
