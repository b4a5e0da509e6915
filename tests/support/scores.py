"""Scores of a protocol by name."""

from collections.abc import Iterable

from thinslice.columns import metric_name
from thinslice.interfaces import Score


def by_name(scores: Iterable[Score]) -> dict[str, Score]:
    """Every score by its name, e.g. "ssim coronal lung"; no two share one."""
    named = [(metric_name(score._asdict()), score) for score in scores]
    assert len(dict(named)) == len(named)
    return dict(named)
