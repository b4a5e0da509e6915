"""Windows of a grid of tokens, by kind, and a few of them at a time taken and put back.

A shift of the windows is a different gather: no rolled, partitioned or permuted copy of the whole
grid is made. Windows that need the same attention mask are of one kind, so that mask and relative
position bias are added up once per kind (at most four of a plane) and not once per window. Tokens
that lie beside each other in the grid and in every window are moved together, as one run.

Source: Liu et al., "Swin transformer", ICCV 2021. Tokens that pad a grid to whole windows are
masked as another region.

Shape suffixes: N = B*Y*X tokens in raster order, C channels, W windows, T tokens of one window,
K kinds of window, G runs of the grid, R = 2 residual branches (attention, MLP).
"""

from collections.abc import Callable
from functools import lru_cache
from math import gcd, prod
from typing import NamedTuple

import torch
from torch import Tensor

MASKED = -100.0  # added to the score of a pair of tokens from different regions
TOKENS_AT_A_TIME = {"cpu": 1024, "cuda": 1 << 17}  # a chunk: one L2 cache; enough for a GPU


class Windows(NamedTuple):
    """How a grid falls into windows: windows of one kind share one mask."""

    tokens_WT: tuple[Tensor, ...]  # noqa: N815  per kind: raster index of every token of its windows
    masks_KTT: Tensor  # noqa: N815  per kind: 0 inside a region, MASKED between regions
    run: int  # tokens that lie beside each other in the grid and in every window; their multiples


def whole(size: int, window: int) -> int:
    """The smallest multiple of ``window`` that holds ``size``."""
    return -(-size // window) * window


def axis_regions(size: int, real: int, window: int, shift: int) -> Tensor:
    """Region of every position of a rolled axis, [size]: padding, and what the roll wrapped."""
    rolled = torch.arange(size)
    region = (rolled >= size - window).long() + (rolled >= size - shift).long()
    if shift == 0:
        region.zero_()
    region[(rolled + shift) % size >= real] = 9
    return region


@lru_cache(maxsize=64)
def windows_of(
    real: tuple[int, ...], window: tuple[int, ...], shift: tuple[int, ...], device: torch.device
) -> Windows:
    """The windows of a grid of ``real`` tokens, e.g. (y, x), padded to whole ones at the far ends.

    An axis of one window is not shifted: there is nothing to connect.
    """

    def regions(axis: int, shift: int) -> Tensor:
        return axis_regions(whole(real[axis], window[axis]), real[axis], window[axis], shift)

    run = gcd(window[-1], shift[-1])
    return _by_kind(*_cut(real, window, shift, regions), run, device)


@lru_cache(maxsize=64)
def wrapped_windows_of(
    real: tuple[int, ...], window: tuple[int, ...], shift: tuple[int, ...], device: torch.device
) -> Windows:
    """As ``windows_of``, but what a shift brings together attends.

    A shifted window that reaches over an end of an axis goes on at its other end. Only tokens that
    pad the grid are masked.
    """

    def padding(axis: int, shift: int) -> Tensor:
        size = whole(real[axis], window[axis])
        return ((torch.arange(size) + shift) % size >= real[axis]).long()

    tokens_WT, axes_WT = _cut(real, window, shift, padding)
    return _by_kind(tokens_WT, (axes_WT > 0).long(), gcd(window[-1], shift[-1]), device)


def _cut(
    real: tuple[int, ...],
    window: tuple[int, ...],
    shift: tuple[int, ...],
    regions: Callable[[int, int], Tensor],
) -> tuple[Tensor, Tensor]:
    """Raster index and region of the tokens of a rolled grid's windows, [W, T] each.

    regions   numbers, below 10, of the places of an axis that is shifted so far
    """
    sizes = [whole(n, w) for n, w in zip(real, window)]
    shifts = [s if n > w else 0 for n, w, s in zip(sizes, window, shift)]
    raster, region = (torch.zeros((), dtype=torch.long) for _ in range(2))
    for axis, (n, by) in enumerate(zip(sizes, shifts)):
        raster = raster[..., None] * n + (torch.arange(n) + by) % n
        region = 10 * region[..., None] + regions(axis, by)

    def cut(grid: Tensor) -> Tensor:
        cells = grid.view([part for n, w in zip(sizes, window) for part in (n // w, w)])
        axes = range(2 * len(sizes))
        return cells.permute(*axes[::2], *axes[1::2]).reshape(-1, prod(window))

    return cut(raster), cut(region)


def _by_kind(tokens_WT: Tensor, regions_WT: Tensor, run: int, device: torch.device) -> Windows:
    """Windows together that are alike in where they are cut into regions."""
    kinds_KT, kind_W = torch.unique(regions_WT, dim=0, return_inverse=True)
    apart_KTT = kinds_KT[:, :, None] != kinds_KT[:, None, :]
    return Windows(
        tuple(tokens_WT[kind_W == k].to(device) for k in range(len(kinds_KT))),
        torch.where(apart_KTT, MASKED, 0.0).to(device),
        run,
    )


class Chunk(NamedTuple):
    """A few windows of one kind."""

    kind: int
    runs: Tensor  # rows of the grid seen as [G, run * C], window by window
    run: int
    batch: Tensor  # which volume each window is of

    def take(self, x_NC: Tensor) -> Tensor:
        """The tokens of these windows, [W, T, C], of a contiguous grid."""
        width = x_NC.shape[1]
        taken = x_NC.view(-1, self.run * width).index_select(0, self.runs)
        return taken.view(len(self.batch), -1, width)

    def put(self, x_NC: Tensor, x_WTC: Tensor) -> None:
        """The tokens back in their rows."""
        row = self.run * x_NC.shape[1]
        x_NC.view(-1, row).index_copy_(0, self.runs, x_WTC.reshape(-1, row).to(x_NC.dtype))

    def keep(self, keep_RB: Tensor | None) -> Tensor | tuple[None, None]:
        """What either residual branch is multiplied by, [R, W, 1, 1]; None: 1."""
        return (None, None) if keep_RB is None else keep_RB[:, self.batch, None, None]


def chunks_of(windows: Windows, batch: int, grid: int) -> list[Chunk]:
    """All windows of ``batch`` grids of ``grid`` tokens, cut into chunks that fit the cache."""
    out, run = [], windows.run
    for kind, tokens_WT in enumerate(windows.tokens_WT):
        count, per_window = tokens_WT.shape
        first = torch.arange(batch, device=tokens_WT.device) * grid
        rows = (first[:, None, None] + tokens_WT[:, ::run]).reshape(-1, per_window // run) // run
        owner = torch.arange(batch, device=tokens_WT.device).repeat_interleave(count)
        at_a_time = max(1, TOKENS_AT_A_TIME.get(rows.device.type, 1 << 17) // per_window)
        for a in range(0, len(rows), at_a_time):
            part = slice(a, a + at_a_time)
            out.append(Chunk(kind, rows[part].reshape(-1), run, owner[part]))
    return out
