"""Thicken a thin scan: the forward operator of the degradations, on a scan of one's own.

    from thinslice import read, thicken, write
    write(thicken(read("CT_1mm"), thickness_mm=5), "CT_5mm.nii.gz")

The thick slices are exactly those that the workflow simulates from the same voxels. The slices of
the scan are taken as they are: their own thickness adds to that of the profile, little where they
are much thinner.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from thinslice.degradations import profile as degradation
from thinslice.errors import Refused
from thinslice.io.padding import with_padding
from thinslice.io.scan import LoadedScan
from thinslice.operators.degradation import thick_of
from thinslice.operators.grids import SAME
from thinslice.restoration.restore import hashes, notes_on
from thinslice.volume import Grid, Volume

PROFILES = ("box", "gaussian", "trapezoid_bell")


class ThickPlan(NamedTuple):
    """What will be done: the scan, the slice profile and the thick grid."""

    thin: Volume
    scan: LoadedScan | None  # where the volume was read from files
    inputs: Mapping[str, str]  # those files, unpacked: name to sha256
    card: Mapping[str, Any]  # module and settings of the degradation, as in config.yaml
    grid: Grid

    @property
    def warnings(self) -> list[str]:
        """What a user should know, one sentence each."""
        return notes_on(self.scan, self.thin)


class Thickened(NamedTuple):
    """A thick scan that was computed, and how."""

    volume: Volume
    planned: ThickPlan
    started: datetime
    wall_s: float


def thicken(
    scan: LoadedScan | Volume,
    *,
    thickness_mm: float,
    increment_mm: float | None = None,
    profile: str = "box",
) -> Thickened:
    """Make a thin scan thick, over the slices that fit on it to their full thickness.

    increment_mm   from one slice to the next; None: the thickness, edge to edge
    profile        box: the plain mean over ``thickness_mm``; gaussian and trapezoid_bell: of that
                   full width at half maximum (``degradations.profile``)

    Refused (a ValueError) for slices that are no thicker or closer than the scan's own, and where
    none fits.
    """
    planned = plan(scan, thickness_mm=thickness_mm, increment_mm=increment_mm, profile=profile)
    return carry_out(planned)


def plan(
    scan: LoadedScan | Volume,
    *,
    thickness_mm: float,
    increment_mm: float | None = None,
    profile: str = "box",
) -> ThickPlan:
    """Plan what ``thicken`` does with these arguments; refuses what it refuses."""
    if profile not in PROFILES:
        raise Refused(f"profile {profile!r} is none of {', '.join(PROFILES)}")
    loaded = scan if isinstance(scan, LoadedScan) else None
    thin = scan.volume if isinstance(scan, LoadedScan) else with_padding(scan)
    increment_mm = thickness_mm if increment_mm is None else increment_mm
    _refuse_no_thicker(thin.grid, thickness_mm, increment_mm)
    settings = {"shape": profile, "thickness_mm": thickness_mm, "increment_mm": increment_mm}
    grid = degradation.build(**settings).thick_grid(thin.grid)
    card = {"name": profile, "module": "profile", "settings": settings}
    return ThickPlan(thin, loaded, hashes(loaded), card, grid)


def carry_out(planned: ThickPlan) -> Thickened:
    """Thicken as planned."""
    started, start_s = datetime.now(UTC), time.perf_counter()
    thick = thick_of(degradation.build(**planned.card["settings"]), planned.thin)
    return Thickened(thick, planned, started, time.perf_counter() - start_s)


def _refuse_no_thicker(thin: Grid, thickness_mm: float, increment_mm: float) -> None:
    if thickness_mm <= thin.thickness_mm * (1 + SAME):
        raise Refused(
            f"slices {thickness_mm:g} mm thick were asked for, the scan's are "
            f"{thin.thickness_mm:g} mm thick: ask for thicker ones"
        )
    if increment_mm < thin.increment_mm * (1 - SAME):
        raise Refused(
            f"slices {increment_mm:g} mm apart were asked for, the scan's are "
            f"{thin.increment_mm:g} mm apart: ask for a larger increment"
        )
