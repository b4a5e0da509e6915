"""Panels: drawn twice they are the same bytes, cut at the same millimetres, drawn to scale."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from support.depth_scans import scans
from thinslice.degradations import imresize
from thinslice.operators.degradation import thick_of
from thinslice.report import style
from thinslice.report.pictures import panels, patches
from thinslice.report.pictures._planes import cut, fitting
from thinslice.volume import Grid, Volume


@pytest.fixture
def words(monkeypatch) -> list[str]:
    """Every text on the figures saved during a test."""
    seen: list[str] = []
    save = style.save

    def listen(drawn: Figure, stem, *endings):
        seen.extend(t.get_text() for t in drawn.findobj(lambda a: hasattr(a, "get_text")))
        sizes = [t.get_fontsize() for t in drawn.findobj(lambda a: hasattr(a, "get_fontsize"))]
        assert min(sizes) >= 8
        return save(drawn, stem, *endings)

    monkeypatch.setattr(style, "save", listen)
    return seen


def test_panels_twice_are_the_same_bytes_and_are_labelled(tmp_path, words):
    thin, thick = scans()
    methods = {"linear": thin, "tvsrn": thin.with_voxels(thin.voxels + 50)}
    first = panels.draw(thin, thick, methods, tmp_path / "a", case="p0", sim="sim")
    second = panels.draw(thin, thick, methods, tmp_path / "b", case="p0", sim="sim")
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
    for expected in ("thin", "thick", "linear", "tvsrn", "restored - thin (HU)"):
        assert expected in words
    assert "sim  |  p0: thick slices every 5 mm, planes to scale" in words


def test_pictures_say_how_coarse_the_pixels_are_where_they_are_coarser(tmp_path, words):
    thin, _ = scans()
    thick = thick_of(imresize.build(through_plane=1, in_plane=2), thin)
    panels.draw(thin, thick, {"linear": thin}, tmp_path / "a", case="p0")
    assert "p0: thick slices every 1 mm with pixels of 1.6 mm, planes to scale" in words
    patches.draw(thin, thick, {"linear": thin}, tmp_path / "b", boxes=[{"plane": "axial"}])
    assert "patches enlarged, thick slices every 1 mm with pixels of 1.6 mm" in words


def test_panels_cut_every_scan_at_the_same_mm_and_draw_it_at_its_size(tmp_path, monkeypatch):
    kept: list[Figure] = []
    monkeypatch.setattr(style, "save", lambda drawn, stem, *endings: kept.append(drawn) or [])
    thin, thick = scans()
    off = thin.with_voxels(thin.voxels + 50)
    panels.draw(thin, thick, {"tvsrn": off}, tmp_path / "a", at=(0.5, 0.5, 0.5))
    images = [axes.images[0] for axes in kept[0].axes if axes.images]
    axial_thin, axial_thick = (np.asarray(image.get_array()) for image in images[:2])
    assert axial_thin[0, 0] == 10.0  # slice 9.5 rounds to 10
    assert axial_thick[0, 0] in (7.0, 12.0)  # centres 2 7 12 17: both are 2.5 mm from the cut
    error = np.asarray(images[3].get_array())
    np.testing.assert_array_equal(error, np.full((16, 24), 50.0))
    coronal_thin, coronal_thick = images[4], images[5]
    assert coronal_thin.get_extent() == pytest.approx([-0.4, 18.8, -0.5, 19.5])
    assert coronal_thick.get_extent() == pytest.approx([-0.4, 18.8, -0.5, 19.5])
    assert np.asarray(coronal_thick.get_array()).shape == (4, 24)
    assert {image.origin for image in images[4:6]} == {"lower"}  # the head is up


def test_panels_refuse_a_restored_scan_on_another_grid(tmp_path):
    thin, thick = scans()
    with pytest.raises(ValueError, match="tvsrn is not on the grid"):
        panels.draw(thin, thick, {"tvsrn": thick}, tmp_path / "a")


def scan_of(parts: dict[float, float]) -> Volume:
    """A CT whose rows hold these HU, each in its share of the rows."""
    counts = [round(share * 200) for share in parts.values()]
    rows = np.repeat(np.array(list(parts)), counts).astype(np.float32)
    hu = np.broadcast_to(rows[None, :, None], (6, len(rows), 5)).copy()
    return Volume(hu, Grid(6, 5.0, 5.0, (len(rows), 5), (1.0, 1.0)))


@pytest.mark.parametrize(
    ("parts", "axial", "sagittal"),
    [
        ({-1000: 0.5, -850: 0.15, 40: 0.35}, "lung", "lung"),
        ({-1000: 0.5, -850: 0.15, 40: 0.3, 600: 0.05}, "lung", "bone"),
        ({-1000: 0.4, 40: 0.6}, "soft", "soft"),
        ({-1000: 0.4, -700: 0.02, 40: 0.53, 900: 0.05}, "soft", "bone"),  # a head and its edges
        ({-1000: 1.0}, "soft", "soft"),
        ({-2000: 0.4, 40: 0.6}, "soft", "soft"),  # padding is no lung
    ],
)
def test_every_plane_is_shown_in_the_window_that_fits(parts, axial, sagittal):
    thick = scan_of(parts)
    middle = cut(thick.grid, (0.5, 0.5, 0.5))
    assert fitting("axial", thick.grid, thick, middle).window == axial
    assert fitting("sagittal", thick.grid, thick, middle).window == sagittal


def test_panels_say_the_grey_scale_in_numbers(tmp_path, words):
    thick = scan_of({-1000: 0.4, 40: 0.6})
    panels.draw(None, thick, {"linear": thick}, tmp_path / "a")
    assert "axial\nsoft window\n-160 to 240 HU" in words
