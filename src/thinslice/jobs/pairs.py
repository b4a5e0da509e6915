"""Score slice pairs of acquired thick and thin scans."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def pair_rows(found: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Slice-pair comparisons as long rows, one number each; relations without a pair left out."""
    units = {"psnr_db": "dB", "ssim": "1"}
    for row in found:
        same = {
            "relation": row["relation"].lower(),
            "distance_mm": row["distance_mm"],
            "protocol": "pairs",
            "n": row["n"],
        }
        for metric, unit in units.items():
            if row["n"]:
                yield {**same, "metric": metric, "unit": unit, "value": row[metric]}
