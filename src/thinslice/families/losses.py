"""Losses of a network and a batch (inputs..., truth): means over all values of the answer."""

from torch import Tensor, nn
from torch.nn.functional import l1_loss, mse_loss

from thinslice.training.batches import Batch


def squared_error(net: nn.Module, batch: Batch) -> Tensor:
    """Mean squared error: what tables in RMSE ask for."""
    *inputs, y = batch
    return mse_loss(net(*inputs), y)


def absolute_error(net: nn.Module, batch: Batch) -> Tensor:
    """Mean absolute error: sharper than the squared one, less led by outliers."""
    *inputs, y = batch
    return l1_loss(net(*inputs), y)
