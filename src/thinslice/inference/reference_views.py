"""Run a network with axial references over coronal and sagittal planes, and fuse the two.

What the references offer is worked out once for a volume, not once for every plane. Planes are
mirrored out at their far edges to whole tokens, so that every tile has the tokens that the whole
plane has: as far as tiles go, a plane that is cut gives what it gives whole, to rounding, since the
tiles' halo is all that convolutions and tokens reach, and references are not cut with the plane.

Shape suffixes: Z Y X axes of the volume, C channels of a reference.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from thinslice.inference import planes
from thinslice.interfaces import Run
from thinslice.nets.unet import UNet
from thinslice.runtime.device import choose


@runtime_checkable
class TakesReferences(Protocol):
    """A network that works out what references offer once, for any number of planes."""

    @property
    def align(self) -> int: ...
    @property
    def reach(self) -> int: ...
    def with_references(self, references: Sequence[Tensor]) -> nn.Module:
        """x_B1ZW to y_B1ZW, from references [C, Y, X]."""
        ...


def restore_views(
    net: TakesReferences,
    unit_ZYX: np.ndarray,
    references: Sequence[np.ndarray],
    *,
    tile: int,
    batch: int,
    run: Run | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The coronal and the sagittal answer, float32 [Z, Y, X] each.

    unit_ZYX     thick slices interpolated to the slices asked for, as the network sees them
    references   axial slices [Y, X] in the same unit, or what is shown of each, [C, Y, X]
    """
    run = run or Run()
    device = choose(run)
    assert isinstance(net, nn.Module)
    net.to(device).eval()
    with torch.inference_mode():
        referenced = net.with_references([_channels(r).to(device) for r in references])
    tiles = _tiles(net, tile, batch)
    units, other = [unit_ZYX], unit_ZYX.nbytes  # reserved, so that both views have equal tiles
    coronal = planes.view(referenced, units, tiles, planes.CORONAL, run=run, reserved=other)
    sagittal = planes.view(referenced, units, tiles, planes.SAGITTAL, run=run)
    return coronal, sagittal


def fuse(
    net: UNet, answers: Sequence[np.ndarray], *, tile: int, batch: int, run: Run | None = None
) -> np.ndarray:
    """One volume of two, axial plane by axial plane, float32 [Z, Y, X]."""
    return planes.view(net, answers, _tiles(net, tile, batch), planes.AXIAL, run=run)


def references_of(
    slices_ZYX: np.ndarray,
    places: Callable[[int, int], Sequence[int]],
    n: int,
    side: int | None,
) -> list[np.ndarray]:
    """``n`` slices of a thick scan, whole or the middle ``side`` x ``side`` pixels of each.

    places   numbers of slices to take, from how many there are and how many are wanted
    """
    middle = [slice(None), slice(None)]
    if side is not None:
        firsts = [max(0, (have - side) // 2) for have in slices_ZYX.shape[1:]]
        middle = [slice(first, first + side) for first in firsts]
    taken = places(len(slices_ZYX), n) if n else ()
    return [np.ascontiguousarray(slices_ZYX[(k, *middle)], np.float32) for k in taken]


def spread(have: int, n: int) -> Sequence[int]:
    """``n`` slice numbers that share out ``have`` slices evenly, none at the ends if it can be."""
    return [int(k) for k in np.rint(np.linspace(0, have - 1, n + 2))[1:-1]]


def _channels(reference: np.ndarray) -> Tensor:
    """[C, Y, X] of a slice with or without channels."""
    shown = torch.from_numpy(reference)
    return shown if shown.ndim == 3 else shown[None]


def _tiles(net: TakesReferences | UNet, tile: int, batch: int) -> planes.PlaneTiles:
    side = -(-tile // net.align) * net.align
    return planes.PlaneTiles(
        (side, side),
        net.reach,
        blend=net.align,
        align=net.align,
        batch=batch,
        beyond=planes.mirrored,
    )
