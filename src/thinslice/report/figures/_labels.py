"""Names beside the dots of a panel, none over another.

A name stays beside its dot unless one that is placed already lies there; then it moves up or down
to the nearest free place, within the axes where there is any, and a line leads to its dot.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from thinslice.report import style

CROWD = 14  # labels in a panel, above which each has one line
STEPS = 200  # tried in either direction
POINTS_PER_IN = 72


def add(axes: Axes, words: str, at: tuple[float, float], beside: float, **how: Any) -> Annotation:
    """A label as far ``beside`` a dot, in points; negative: to its left."""
    label = axes.annotate(
        words,
        at,
        (beside, 0),
        textcoords="offset points",
        ha="right" if beside < 0 else "left",
        va="center",
        color=style.INK,
        arrowprops={"arrowstyle": "-", "color": style.QUIET, "lw": 0.5, "shrinkA": 0, "shrinkB": 0},
        **how,
    )
    assert label.arrow_patch is not None
    label.arrow_patch.set_visible(False)
    return label


def move_apart(drawn: Figure, axes: Axes, labels: Sequence[Annotation]) -> None:
    """Move labels that lie over others; the layout is computed first."""
    drawn.draw_without_rendering()
    placed: list[Bbox] = []
    for label, box in sorted(
        ((label, _extent(label)) for label in labels), key=lambda pair: -pair[1].y0
    ):
        shift = _nearest_free(box, placed, axes.bbox)
        placed.append(box.translated(0, shift))
        if shift:
            beside, up = label.xyann
            label.xyann = (beside, up + shift * POINTS_PER_IN / drawn.dpi)
            assert label.arrow_patch is not None
            label.arrow_patch.set_visible(True)


def _extent(label: Annotation) -> Bbox:
    """Pixels of the words, without the line to the dot."""
    return Bbox(super(Annotation, label).get_window_extent().get_points())


def _nearest_free(box: Bbox, placed: Sequence[Bbox], inside: Bbox) -> float:
    """By how many pixels up to move; not at all where there is no free place."""
    for shift in _shifts(box.height / 4):
        moved = box.translated(0, shift)
        within = not shift or (inside.y0 <= moved.y0 and moved.y1 <= inside.y1)
        if within and not any(moved.overlaps(other) for other in placed):
            return shift
    return 0.0


def _shifts(step: float) -> Iterator[float]:
    """Nothing, then a step down, one up, two down, ..."""
    yield 0.0
    for k in range(1, STEPS):
        yield from (-k * step, k * step)
