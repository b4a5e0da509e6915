"""What reading a scan gives: a volume with its story, or a refusal with its numbers.

A scan that cannot be read exactly is refused in one line that a person can act on; nothing is
repaired silently.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from thinslice.volume import Volume

NO_AIR_HU = -200.0  # every CT of a person shows air below this
PADDING_HU = -1024.5  # nothing is emptier than air


class LoadedScan(NamedTuple):
    """A scan as read.

    source   JSON: format, modality, maker, device, kernel, thickness_mm (nominal; None where the
             file does not say), thickness_from ("file", "declared" or "increment"), lossy (None:
             the format does not say), warnings
    files    every file the voxels come from, sorted; of a zip, the zip
    members  of those files inside the zip: name to sha256; else empty
    """

    volume: Volume
    source: dict[str, Any]
    files: tuple[Path, ...]
    members: Mapping[str, str] = MappingProxyType({})


def odd_hu(low: float, high: float) -> list[str]:
    """What a person should look at, given the lowest and highest value of a CT."""
    notes = []
    if low > NO_AIR_HU:
        notes.append(f"values {low:g} to {high:g} show no air; are they HU?")
    if low < PADDING_HU:
        notes.append(f"values go down to {low:g}, below air; padding outside the field of view?")
    return notes
