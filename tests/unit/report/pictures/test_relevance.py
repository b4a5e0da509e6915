"""Relevance: a pixel has the colour of the reference with the largest share."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from thinslice.report import style
from thinslice.report.pictures import relevance

PLANE = np.zeros((4, 6))
SLICES = [np.full((5, 7), hu) for hu in (-100.0, 0.0, 100.0)]


def shares(*of: float) -> np.ndarray:
    return np.broadcast_to(np.array(of)[:, None, None], (len(of), *PLANE.shape))


def drawn(monkeypatch, tmp_path, share: np.ndarray, slices=SLICES) -> list:
    figures = []
    monkeypatch.setattr(style, "save", lambda figure, stem, *endings: figures.append(figure) or [])
    options = {"step_mm": (1.0, 0.8), "words": "p0: relevance", "sim": "sim"}
    relevance.draw(PLANE, slices, share, tmp_path / "a", **options)
    return [axes for axes in figures[0].axes if axes.get_visible()]


@pytest.mark.parametrize("most", [0, 1, 2])
def test_a_pixel_leans_to_the_colour_of_its_largest_share(most, monkeypatch, tmp_path):
    share = shares(*np.roll([0.8, 0.1, 0.1], most))
    plane, coloured, *references = drawn(monkeypatch, tmp_path, share)
    grey, mixed = (np.asarray(axes.images[0].get_array()) for axes in (plane, coloured))
    colour = np.array(to_rgb(style.PALETTE[most]))
    assert (
        np.linalg.norm(mixed - colour, axis=2).max() < np.linalg.norm(grey - colour, axis=2).min()
    )
    frames = [axes.spines["top"].get_edgecolor()[:3] for axes in references]
    assert frames == [pytest.approx(to_rgb(name)) for name in style.PALETTE[:3]]


def test_equal_shares_leave_the_plane_grey(monkeypatch, tmp_path):
    plane, coloured, *_ = drawn(monkeypatch, tmp_path, shares(1 / 3, 1 / 3, 1 / 3))
    same = [np.asarray(axes.images[0].get_array()) for axes in (plane, coloured)]
    np.testing.assert_allclose(*same)


def test_a_share_too_many_is_refused(monkeypatch, tmp_path):
    with pytest.raises(ValueError, match="2 references have 3 shares"):
        drawn(monkeypatch, tmp_path, shares(0.2, 0.3, 0.5), SLICES[:2])
