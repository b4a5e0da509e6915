"""How many pairs a case can give: its planes that can be judged, and the draws that they serve."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from thinslice.interfaces import Scan
from thinslice.study import draw, planes
from thinslice.volume import Modality


def can_be_judged(images: np.ndarray, modality: Modality) -> bool:
    """Whether images [n, rows, columns] show the body, and the first two differ as shown."""
    levels = planes.to_levels(images, modality)
    return planes.shows_body(images[-1], modality) and bool((levels[0] != levels[1]).any())


def planes_of(scans: Mapping[str, Scan], names: Sequence[str], plane: str) -> int:
    """How many planes of a case can be judged.

    names   the two scans that are compared, and the one shown between them, if any
    """
    first = scans[names[0]]
    stacks = (
        np.stack([planes.cut(scans[name], plane, index) for name in names])
        for index in range(planes.positions(first.grid, plane))
    )
    return sum(can_be_judged(images, first.modality) for images in stacks)


def most_pairs(
    n: int,
    methods: Sequence[str],
    cases: Sequence[str],
    case: str,
    available: Mapping[str, int],
    seed: int,
) -> int:
    """The largest number of pairs below ``n`` whose draw one case has the planes for.

    available   of the case, by plane; another case may have fewer
    """
    # Cases take turns, so no draw larger than this fits.
    limit = min(n - 1, (sum(available.values()) + 1) * len(cases))
    for size in range(limit, 0, -1):
        drawn = draw.questions(size, methods, cases, list(available), seed)
        needed = Counter(question.plane for question in drawn if question.case == case)
        if all(needed[plane] <= count for plane, count in available.items()):
            return size
    return 0
