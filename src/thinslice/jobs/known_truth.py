"""Scores against known solids: of data sets whose cases state spheres of known place and size.

Rows of the protocol "truth" beside those of the protocols. The restored volume, the thin and the
thick one are all measured: a method is to be compared with the slices it was given.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from thinslice.columns import TRUTH
from thinslice.interfaces import Score, ScoringInput
from thinslice.metrics.known_solids import (
    Contrast,
    Sphere,
    contrast_of,
    effective_thickness,
    spheres_of,
    volume_error,
)
from thinslice.volume import Volume


def truth_rows(case: ScoringInput, source: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Nodule errors by diameter, and effective thickness; none where no sphere is stated."""
    spheres = [(s, c) for s in spheres_of(source) if (c := contrast_of(case.thin, s)) is not None]
    for lead, volume in (("", case.restored), ("thin_", case.thin), ("thick_", case.thick)):
        for score in (*_volumes(lead, volume, spheres), _thickness(lead, volume, spheres)):
            if score.n and not math.isnan(score.value):
                yield {"protocol": TRUTH, **score._asdict()}


def _volumes(lead: str, volume: Volume, spheres: list[tuple[Sphere, Contrast]]) -> Iterator[Score]:
    """Mean error over the spheres of each diameter, with its sign."""
    by_size: dict[float, list[float]] = {}
    for sphere, contrast in spheres:
        error = volume_error(volume, sphere, contrast)
        if not math.isnan(error):
            by_size.setdefault(sphere.diameter_mm, []).append(error)
    for size, errors in sorted(by_size.items()):
        mean = sum(errors) / len(errors)
        yield Score(f"{lead}nodule_error", "%", "", mean, len(errors), range=f"d{size:g}")


def _thickness(lead: str, volume: Volume, spheres: list[tuple[Sphere, Contrast]]) -> Score:
    width_mm, n = effective_thickness(volume, spheres)
    return Score(f"{lead}effective_thickness_mm", "mm", "", width_mm, n)
