"""Adam and AdamW of torch that do not load its compiler.

Torch shields its optimisers from ``torch.compile``, and to do so loads the compiler, which no
training here uses: 1.2 s of each process. These are the same methods without the shield; every
number is the same.
"""

from inspect import unwrap

import torch


class _Unshielded(torch.optim.Optimizer):
    """The bookkeeping as torch wrote it, below the decorators that shield it."""

    add_param_group = unwrap(torch.optim.Optimizer.add_param_group)
    zero_grad = unwrap(torch.optim.Optimizer.zero_grad)
    state_dict = unwrap(torch.optim.Optimizer.state_dict)
    load_state_dict = unwrap(torch.optim.Optimizer.load_state_dict)


class Adam(_Unshielded, torch.optim.Adam):
    """Adam, Kingma and Ba 2015."""

    step = torch.no_grad()(unwrap(torch.optim.Adam.step))


class AdamW(_Unshielded, torch.optim.AdamW):
    """AdamW, Loshchilov and Hutter 2019."""

    step = torch.no_grad()(unwrap(torch.optim.AdamW.step))
