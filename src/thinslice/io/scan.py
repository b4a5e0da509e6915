"""A scan as read: its volume, what its files state, and warnings; nothing is repaired silently."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from thinslice.volume import HU_INT16, Modality, Volume

NO_AIR_HU = -200.0  # every CT of a person shows air below this
BELOW_AIR_HU = -1024.5  # nothing is emptier than air


class LoadedScan(NamedTuple):
    """A scan as read.

    source   JSON: format, modality, maker, device, kernel, thickness_mm (nominal; None where not
             stated), thickness_from ("file", "sidecar", "declared" or "increment"), lossy (None:
             not stated), derived (how it was computed from another scan; None: acquired, or not
             stated), warnings; where a sidecar was used its name (sidecar) and what was taken
             from it (from_sidecar)
    files    every file the voxels come from, sorted; of a zip, the zip
    members  of those files inside the zip: name to sha256; else empty
    """

    volume: Volume
    source: dict[str, Any]
    files: tuple[Path, ...]
    members: Mapping[str, str] = MappingProxyType({})


def source_without_scanner(
    file_format: str, modality: Modality, thickness_mm: float | None
) -> dict[str, Any]:
    """``LoadedScan.source`` of a format that states neither scanner nor slice thickness.

    thickness_mm   declared by the caller; None: slices are as thick as they are far apart
    """
    return {
        "format": file_format,
        "modality": modality,
        "maker": None,
        "device": None,
        "kernel": None,
        "thickness_mm": thickness_mm,
        "thickness_from": "increment" if thickness_mm is None else "declared",
        "lossy": None,
        "derived": None,
    }


def odd_hu(low: float, high: float) -> list[str]:
    """Warnings about the lowest and highest value of a CT."""
    notes = []
    if low > NO_AIR_HU:
        notes.append(f"no voxel is as dark as air (values {low:g} to {high:g}); are they HU?")
    if low < BELOW_AIR_HU:
        notes.append(f"measured values go down to {low:g}, below air")
    if low < HU_INT16[0] or high > HU_INT16[1]:
        notes.append(f"values {low:g} to {high:g} are beyond 16 bits; are they HU?")
    return notes
