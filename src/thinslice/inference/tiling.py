"""Cut an axis into overlapping tiles, and weigh each tile's share in every position.

A share policy is a function ``(starts, length, n, halo, blend) -> [tiles, length]``: how much of a
position's answer comes from each tile. At every position that a tile covers the shares sum to one,
so putting tiles together is adding them, and no volume of weights is kept.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from thinslice.errors import Refused

Share = Callable[[np.ndarray, int, int, int, int], np.ndarray]


class Axis(NamedTuple):
    """Tiles along one axis."""

    starts: np.ndarray  # [tiles] first position of each
    length: int  # positions of a tile
    shares: np.ndarray  # [tiles, length]


def starts(n: int, length: int, step: int) -> np.ndarray:
    """First positions of tiles that together cover ``n``; the last ends with the axis."""
    if n <= length:
        return np.array([0])
    return np.append(np.arange(0, n - length, step), n - length)


def _count(n: int, length: int, halo: int, blend: int, align: int) -> int:
    """Number of tiles of an axis; none where they have no room between their halos."""
    step = (length - 2 * halo - blend) // align * align
    return len(starts(n, length, step)) if step >= 1 else 0


def axis(n: int, length: int, halo: int, blend: int, align: int, share: Share) -> Axis:
    """In-plane tiles; starts are multiples of ``align`` if ``n`` and ``length`` are.

    ValueError if a tile has no room left between its halos.
    """
    length = min(length, n)
    step = (length - 2 * halo - blend) // align * align
    if n > length and step < 1:
        raise Refused(
            f"tiles of {length} have no room between halos of {halo}, "
            f"blend {blend} and starts at multiples of {align}"
        )
    first = starts(n, length, max(step, 1))
    return Axis(first, length, share(first, length, n, halo, blend))


def equal_length(n: int, most: int, halo: int, blend: int, align: int, least: int = 0) -> int:
    """The shortest tiles that cover an axis in as many as those of ``most`` do.

    Longer ones would compute more positions twice. At least ``least``; tiles without a halo stay as
    long as they are: they are to lie side by side. So do those without room: ``axis`` refuses them.
    """
    length = min(most, n)
    count = _count(n, length, halo, blend, align)
    if length == n or halo == 0 or count == 0:
        return length
    while _count(n, length - align, halo, blend, align) == count:
        if length - align < least:
            break
        length -= align
    return length


def crossfade(starts: np.ndarray, length: int, n: int, halo: int, blend: int) -> np.ndarray:
    """Nothing from the halo, then linearly more over ``blend`` positions, then all.

    A tile's edge that is the axis's own edge has no halo.
    """
    from_edge = np.arange(length) + 1 - halo
    rise = np.clip(from_edge / (blend + 1), 0, 1)
    weights = np.ones((len(starts), length))
    weights[starts > 0] *= rise
    weights[starts + length < n] *= rise[::-1]
    return _share_out(weights, starts, n)


def average(starts: np.ndarray, length: int, n: int, halo: int, blend: int) -> np.ndarray:
    """Every tile that covers a position counts the same."""
    return _share_out(np.ones((len(starts), length)), starts, n)


def last_write(starts: np.ndarray, length: int, n: int, halo: int, blend: int) -> np.ndarray:
    """The last tile that covers a position gets all of it."""
    owner = np.full(n, -1)
    for tile, start in enumerate(starts):
        owner[start : start + length] = tile
    return np.stack([owner[s : s + length] == tile for tile, s in enumerate(starts)]).astype(float)


def _share_out(weights: np.ndarray, starts: np.ndarray, n: int) -> np.ndarray:
    total = np.zeros(n)
    for start, row in zip(starts, weights):
        total[start : start + len(row)] += row
    parts = [row / total[start : start + len(row)] for start, row in zip(starts, weights)]
    return np.stack(parts)


def rounded_up(n: int, multiple: int) -> int:
    """The smallest multiple that is at least ``n``."""
    return -(-n // multiple) * multiple
