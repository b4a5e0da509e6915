"""Swin layers without an attention mask: shifted windows go on at the other end of an axis.

Some authors' code leaves the mask out, so that the first and the last rows attend to each other.
For planes and for cubes of tokens; the blocks are those of ``nets.swin``.

Shape suffixes: B batch, G axes of the grid (Y X, or Z Y X), C channels.
"""

from torch import Tensor, nn
from torch.nn.functional import pad

from thinslice.nets.swin import SwinBlock, Window
from thinslice.nets.windowed_block import windowed_block
from thinslice.nets.windows import whole, wrapped_windows_of


class WrappedStack(nn.Module):
    """Blocks in sequence, every second one shifted by half a window; any grid, any batch."""

    def __init__(self, width: int, heads: int, window: Window, drop_paths: list[float]):
        super().__init__()
        self.window = window
        half = tuple(n // 2 for n in window)
        none = (0,) * len(window)
        self.blocks = nn.ModuleList(
            SwinBlock(width, heads, window, half if i % 2 else none, rate)
            for i, rate in enumerate(drop_paths)
        )

    def forward(self, x_BGC: Tensor) -> Tensor:
        """[B, *grid, C] to the same shape."""
        real = tuple(x_BGC.shape[1:-1])
        missing = [whole(n, w) - n for n, w in zip(real, self.window)]
        if any(missing):
            x_BGC = pad(x_BGC, (0, 0, *(end for n in reversed(missing) for end in (0, n))))
        shape = x_BGC.shape
        x_BYXC = x_BGC.flatten(1, -3)  # the order of the tokens is all that counts
        for block in self.blocks:
            assert isinstance(block, SwinBlock)
            windows = wrapped_windows_of(real, self.window, block.shift, x_BYXC.device)
            keep_RB = block.keep_RB(x_BYXC)
            x_BYXC = windowed_block(
                x_BYXC, block.bias_HTT(), windows, block.weights(), keep_RB, block.room
            )
        return x_BYXC.view(shape)[(slice(None), *(slice(n) for n in real))]
