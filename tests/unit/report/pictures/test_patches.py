"""Patches: the same millimetres of every scan, and nothing that is no patch."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from support.depth_scans import scans
from support.figures import words_of
from thinslice.report import style
from thinslice.report.pictures import patches


@pytest.fixture
def kept(monkeypatch) -> list[Figure]:
    """The figures that a test draws, in place of their files."""
    drawn: list[Figure] = []
    monkeypatch.setattr(style, "save", lambda figure, stem, *endings: drawn.append(figure) or [])
    return drawn


def test_patches_show_the_same_millimetres_of_every_scan(kept, tmp_path):
    thin, thick = scans()
    box = {"plane": "coronal", "at": [0.5, 0.5, 0.5], "size_mm": 8.0}
    patches.draw(thin, thick, {"linear": thin}, tmp_path / "a", boxes=[box], case="p0", sim="sim")
    where, *shown = kept[0].axes
    assert len(shown) == 3
    z, x = 9.5, 0.8 * 23 / 2
    for axes in shown:
        assert axes.get_xlim() == pytest.approx((x - 4, x + 4))
        assert axes.get_ylim() == pytest.approx((z - 4, z + 4))
    (square,) = where.patches
    assert square.get_xy() == pytest.approx((x - 4, z - 4))
    assert where.get_xlim() == pytest.approx((-0.4, 18.8))
    assert "sim  |  p0: patches enlarged, thick slices every 5 mm" in words_of(kept[0])


def test_axial_patches_have_the_front_up(kept, tmp_path):
    thin, thick = scans()
    patches.draw(thin, thick, {"linear": thin}, tmp_path / "a", boxes=[{"plane": "axial"}])
    low, high = kept[0].axes[1].get_ylim()
    assert low > high


def test_patches_without_a_thin_scan_show_the_others(kept, tmp_path):
    thin, thick = scans()
    patches.draw(None, thick, {"linear": thin}, tmp_path / "a", boxes=[{"plane": "sagittal"}])
    titles = [axes.get_title() for axes in kept[0].axes]
    assert titles == ["where", "thick", "linear"]


def test_mr_is_shown_by_its_own_values_not_in_a_window_of_hu(kept, tmp_path):
    thin, thick = (replace(scan, modality="MR") for scan in scans())
    patches.draw(thin, thick, {"linear": thin}, tmp_path / "a", boxes=[{"plane": "coronal"}])
    low, high = kept[0].axes[1].images[0].get_clim()
    assert (low, high) == pytest.approx(tuple(np.percentile(thick.voxels, (1, 99))))


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ({"at": [0, 0, 0]}, "plane, at, size_mm and window"),
        ({"plane": "oblique"}, "oblique"),
        ({"plane": "axial", "window": "brain"}, "brain"),
        ({"plane": "axial", "at": [0.5, 2.0, 0.5]}, "fractions of z, y and x"),
        ({"plane": "axial", "zoom": 3}, "zoom"),
    ],
)
def test_a_patch_that_is_none_is_refused(box, words, tmp_path):
    thin, thick = scans()
    with pytest.raises(ValueError, match=words):
        patches.draw(thin, thick, {"linear": thin}, tmp_path / "a", boxes=[box])


def test_no_patches_are_no_figure(tmp_path):
    thin, thick = scans()
    with pytest.raises(ValueError, match="no patch to draw"):
        patches.draw(thin, thick, {"linear": thin}, tmp_path / "a", boxes=[])


def test_a_restored_patch_carries_its_scores_and_names_the_table(kept, tmp_path):
    thin, thick = scans()
    scores = {(1, "linear"): (34.125, 0.95)}
    box = {"plane": "coronal", "size_mm": 8.0}
    patches.draw(thin, thick, {"linear": thin}, tmp_path / "a", boxes=[box], scores=scores)
    with_numbers = [
        axes.get_title() for axes in kept[0].axes for t in axes.texts if t.get_text() == "34.12"
    ]
    assert with_numbers == ["linear"]
    assert "0.9500" in words_of(kept[0])
    assert "rows of a.csv" in " ".join(words_of(kept[0]))


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_the_part_holds_the_voxels_whose_centres_lie_in_the_box(plane):
    grid = scans()[0].grid
    box = patches.Box(plane, (0.5, 0.5, 0.5), 8.0)
    block = patches.part_of(grid, grid, box)
    shape = [part.stop - part.start for part in block]
    in_plane = {"axial": [1, 10, 10], "coronal": [8, 1, 10], "sagittal": [8, 10, 1]}
    assert shape == in_plane[plane]
    centres = grid.centres_mm()[block[0]]
    assert np.abs(centres - 9.5).max() <= (0.5 if plane == "axial" else 4)


def test_a_part_beyond_the_edge_is_what_lies_inside():
    grid = scans()[0].grid
    part = patches.part_of(grid, grid, patches.Box("coronal", (0.0, 0.0, 1.0), 8.0))
    assert part == (slice(0, 5), slice(0, 1), slice(18, 24))
    speck = patches.part_of(grid, grid, patches.Box("axial", (0.5, 0.5, 0.5), 0.01))
    assert [one.stop - one.start for one in speck] == [1, 1, 1]
