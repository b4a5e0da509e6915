"""Layout of a volume as DICOM images: the directions of rows, columns and slices.

A series made from another one is laid out like it, so that both scroll and look alike in a
viewer. Where there is no other one, images look as radiologists expect them.
"""

from typing import NamedTuple

import numpy as np

from thinslice.io.orientation import BACK, HEAD, LEFT, Place
from thinslice.volume import Grid

L, P, F = np.eye(3)[LEFT], np.eye(3)[BACK], -np.eye(3)[HEAD]
AS_READ = {LEFT: (P, F), BACK: (L, F), HEAD: (L, P)}  # slice axis: to the right, downwards


class View(NamedTuple):
    """Directions in LPS, unit vectors."""

    right: np.ndarray  # along a row, with the column index
    down: np.ndarray  # along a column, with the row index
    onward: np.ndarray  # from one slice to the next


def usual_view(grid: Grid) -> View:
    """The radiological view: axial from below, sagittal and coronal with the head up."""
    z = np.array(grid.direction[0])
    right, down = AS_READ[int(np.abs(z).round(3).argmax())]
    return View(right, down, z)


def laid_out(grid: Grid, view: View) -> Place:
    """The axes [slice, row, column] along those of the array that run closest to the view's."""
    z, y, x = np.array(grid.direction)
    straight = abs(view.down @ y) + abs(view.right @ x)
    crossed = abs(view.down @ x) + abs(view.right @ y)
    swapped = bool(crossed > straight)
    along_y, along_x = (view.right, view.down) if swapped else (view.down, view.right)
    order = (0, 2, 1) if swapped else (0, 1, 2)
    flipped = tuple(bool(a @ b < 0) for a, b in ((view.onward, z), (along_y, y), (along_x, x)))
    return Place(order, (flipped[0], flipped[1], flipped[2]), grid)
