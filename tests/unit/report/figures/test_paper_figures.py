"""Figures of the papers: distributions, grids of assumptions, references, patches."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from support.depth_scans import scans
from support.evidence import demo, evidence_of, score
from thinslice.analyses import benchmark, efficiency, patients
from thinslice.report import page, style
from thinslice.report.figures import distribution, model_grid, references
from thinslice.report.pictures import patches

ASSUMED = {f"t{k}_o{j}": [4.5 + k / 2, 2.0 + j / 2] for k in range(3) for j in range(3)}
LINES = {"by relevance": {0: "r0", 1: "r1", 2: "r2"}, "averaged": {"2": "r2_average"}}


def assumed(missing: str = "") -> pd.DataFrame:
    """Every variant but one on the thick slices that the middle one assumes."""
    rows = [
        score(f"p{p}", 40.0 - abs(t - 5) - 2 * abs(o - 2.5) + p / 4, method=name, metric="psnr_db",
              unit="dB", better="higher", degradation="overlap_5_2p5")
        for name, (t, o) in ASSUMED.items()
        for p in range(4)
        if name != missing
    ]  # fmt: skip
    return benchmark.build()(evidence_of(rows))


def by_references() -> pd.DataFrame:
    """A method that is better and slower by each reference, on two patients."""
    names = [name for own in LINES.values() for name in own.values()]
    at = [(name, int(name[1]), p) for name in names for p in range(2)]
    scores = [score(f"p{p}", 50.0 - 3 * k - p, method=name) for name, k, p in at]
    runs = [
        {**row, "parameters": 9, "wall_s": 10.0 + 6 * k, "peak_memory_gib": 1.0, "device": "cpu"}
        for row, (_, k, _) in zip(scores, at)
    ]
    return efficiency.build()(evidence_of(scores, runs))


DRAWN = {
    "distribution": (distribution, lambda: patients.build()(demo()), {}),
    "model_grid": (model_grid, assumed, {"methods": ASSUMED, "given": [5.0, 2.5]}),
    "references": (references, by_references, {"lines": LINES}),
}


@pytest.fixture
def kept(monkeypatch) -> list[Figure]:
    """The figures that a test draws, in place of their files."""
    drawn: list[Figure] = []
    monkeypatch.setattr(style, "save", lambda figure, stem: drawn.append(figure) or [])
    return drawn


def words_of(figure: Figure) -> list[str]:
    return [t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_text"))]


@pytest.mark.parametrize("kind", DRAWN)
def test_drawn_twice_is_the_same_bytes_and_has_a_caption_on_the_page(kind, tmp_path):
    module, table, settings = DRAWN[kind]
    first = module.draw(table(), tmp_path / "a", **settings)
    second = module.draw(table(), tmp_path / "b", **settings)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert page.caption(f"{kind}_x") == module.__doc__.splitlines()[0]


@pytest.mark.parametrize("kind", DRAWN)
def test_it_says_sim_protocol_and_patients_and_sim_only_where_it_is(kind, kept, tmp_path):
    module, table, settings = DRAWN[kind]
    module.draw(table(), tmp_path / "a", **settings)
    module.draw(table().assign(sim=""), tmp_path / "a", **settings)
    title = next(text for text in words_of(kept[0]) if text.startswith("sim  |"))
    assert "n = " in title
    assert "protocol v1" in title
    assert not any("sim" in text.split() for text in words_of(kept[1]))
    sizes = [t.get_fontsize() for t in kept[0].findobj(lambda a: hasattr(a, "get_fontsize"))]
    assert min(sizes) >= 8


@pytest.mark.parametrize("kind", DRAWN)
def test_it_refuses_the_table_of_another(kind, tmp_path):
    module, _, settings = DRAWN[kind]
    other = by_references() if kind != "references" else assumed()
    with pytest.raises(LookupError):
        module.draw(other, tmp_path / "a", **settings)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("n", [4, 9])
def test_a_distribution_has_one_dot_per_patient_and_quartiles_from_five_on(n, kept, tmp_path):
    table = patients.build()(demo(n))
    distribution.draw(table, tmp_path / "a")
    axes = kept[0].axes[0]
    dots = [dot for c in axes.collections for dot in np.asarray(c.get_offsets())[:, 0]]
    acquired = table.query("degradation == 'acquired'")
    np.testing.assert_allclose(sorted(dots), sorted(acquired["value"]))
    boxes = [patch.get_path().vertices[:, 0] for patch in axes.patches]
    assert len(boxes) == (4 if n >= 5 else 0)
    if boxes:
        best = acquired.loc[acquired["method"] == "tvsrn", "value"]
        assert axes.get_yticklabels()[-1].get_text() == "tvsrn"  # the best on top
        top = boxes[-1]
        expected = np.quantile(best, [0.25, 0.75])
        np.testing.assert_allclose([top.min(), top.max()], expected)


def test_the_grid_puts_every_mean_at_its_assumption_and_frames_the_given_one(kept, tmp_path):
    table = assumed(missing="t0_o2")
    model_grid.draw(table, tmp_path / "a", methods=ASSUMED, given=[5.0, 2.5])
    axes = kept[0].axes[0]
    shades = np.asarray(axes.images[0].get_array().filled(np.nan))
    assert np.isnan(shades[0, 2])
    assert np.isnan(shades).sum() == 1
    means = table.set_index("method")["mean"]
    assert shades[1, 1] == means["t1_o1"] == np.nanmax(shades)
    assert shades[2, 0] == means["t2_o0"]
    (frame,) = axes.patches
    x, y = frame.get_xy()
    assert (round(x + frame.get_width() / 2), round(y + frame.get_height() / 2)) == (1, 1)
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    assert labels == ["4.5", "5", "5.5"]


def test_the_grid_leaves_out_thick_slices_of_which_its_assumptions_do_not_speak(kept, tmp_path):
    """The variant that assumes what it is given is run on other slices too, and is right there."""
    rows = assumed().query("method == 't1_o1'").assign(degradation="overlap_2p5_1p25")
    table = pd.concat([rows, assumed()], ignore_index=True)
    model_grid.draw(table, tmp_path / "a", methods=ASSUMED, degradation="overlap_5_2p5")
    (axes,) = kept[0].axes
    assert "5_2p5" in axes.get_title(loc="left") + axes.get_title()
    with pytest.raises(LookupError, match="no rows of degradation overlap_9"):
        model_grid.draw(table, tmp_path / "a", methods=ASSUMED, degradation="overlap_9")


@pytest.mark.parametrize("kind", ["distribution", "references"])
def test_a_figure_shows_the_data_sets_it_is_asked_for_alone(kind, kept, tmp_path):
    module, made, settings = DRAWN[kind]
    table = pd.concat([made(), made().assign(dataset="rplhr_ct")], ignore_index=True)
    for asked, panels in (([], 2), (["rplhr_ct"], 1)):
        module.draw(table, tmp_path / "a", **settings, datasets=asked)
        titles = {axes.get_title(loc=loc) for axes in kept[-1].axes for loc in ("left", "center")}
        assert len({t.split(",")[0].split("/")[0] for t in titles if "acquired" in t}) == panels
    with pytest.raises(LookupError, match="no rows of dataset msd"):
        module.draw(table, tmp_path / "a", **settings, datasets=["msd"])


def test_a_grid_without_the_given_slices_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"given is \[5.0, 9.0\]"):
        model_grid.draw(assumed(), tmp_path / "a", methods=ASSUMED, given=[5.0, 9.0])


def test_references_draw_each_line_at_its_counts_with_score_and_seconds(kept, tmp_path):
    references.draw(by_references(), tmp_path / "a", lines=LINES)
    score_axes, seconds_axes = kept[0].axes
    by_name = {line.get_label(): line for line in score_axes.lines}
    np.testing.assert_allclose(by_name["by relevance"].get_ydata(), [49.5, 46.5, 43.5])
    np.testing.assert_allclose(np.round(by_name["by relevance"].get_xdata()), [0, 1, 2])
    np.testing.assert_allclose(np.round(by_name["averaged"].get_xdata()), [2])
    np.testing.assert_allclose(seconds_axes.lines[0].get_ydata(), [10.0, 16.0, 22.0])


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
