"""Figures and the page: drawn twice they are the same bytes, and they say what they show."""

from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from support.depth_scans import scans
from support.evidence import demo
from thinslice.degradations import imresize
from thinslice.operators.degradation import thick_of
from thinslice.report import findings, page, style
from thinslice.report.pictures import panels, patches
from thinslice.report.style import draw_nothing

DRAWN_FROM = {
    "bars": "patients",
    "gap_matrix": "domain_gap",
    "tradeoff": "efficiency",
    "slice_pairs": "slice_pairs",
}
EVIDENCE = demo()


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> dict[str, pd.DataFrame]:
    """Analyses as they come back from CSV."""
    folder = tmp_path_factory.mktemp("tables")
    out = {}
    for name in ("benchmark", *DRAWN_FROM.values()):
        table = import_module(f"thinslice.analyses.{name}").build()(EVIDENCE)
        table.to_csv(folder / f"{name}.csv", index=False)
        out[name] = pd.read_csv(folder / f"{name}.csv")
    return out


@pytest.fixture
def words(monkeypatch) -> list[str]:
    """Every text on the figures saved during a test."""
    seen: list[str] = []
    save = style.save

    def listen(drawn: Figure, stem):
        seen.extend(t.get_text() for t in drawn.findobj(lambda a: hasattr(a, "get_text")))
        sizes = [t.get_fontsize() for t in drawn.findobj(lambda a: hasattr(a, "get_fontsize"))]
        assert min(sizes) >= 8
        return save(drawn, stem)

    monkeypatch.setattr(style, "save", listen)
    return seen


@pytest.mark.parametrize("kind", DRAWN_FROM)
def test_a_figure_drawn_twice_is_the_same_bytes_and_is_labelled(kind, tables, tmp_path, words):
    draw = import_module(f"thinslice.report.{kind}").draw
    table = tables[DRAWN_FROM[kind]]
    first, second = draw(table, tmp_path / "a"), draw(table, tmp_path / "b")
    assert [p.name for p in first] == ["a.png", "a.pdf"]
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
    assert first[0].read_bytes().startswith(b"\x89PNG")
    assert first[1].read_bytes().startswith(b"%PDF")
    assert len(list(tmp_path.iterdir())) == 4  # nothing half-written is left
    title = next(text for text in words if text.startswith("sim  |"))
    assert "n = 4" in title
    assert "protocol v1" in title


@pytest.mark.parametrize("kind", DRAWN_FROM)
def test_scans_of_patients_carry_no_sim_stamp(kind, tables, tmp_path, words):
    table = tables[DRAWN_FROM[kind]].assign(sim="")
    import_module(f"thinslice.report.{kind}").draw(table, tmp_path / "a")
    assert words
    assert not any("sim" in text.split() for text in words)


@pytest.mark.parametrize("kind", ["bars", "gap_matrix"])
def test_sim_marks_the_simulated_parts_alone_where_others_are_not(kind, tables, tmp_path, words):
    table = tables[DRAWN_FROM[kind]]
    place = table["degradation" if kind == "bars" else "tested_on"]
    acquired = place.str.endswith("acquired")
    import_module(f"thinslice.report.{kind}").draw(
        table.assign(sim=np.where(acquired, "", "sim")), tmp_path / "a"
    )
    assert not any(text.startswith("sim  |") for text in words)
    marked = {text for text in words if text.endswith("(sim)")}
    assert len(marked) == place[~acquired].nunique()
    assert not any("acquired" in text for text in marked)


@pytest.mark.parametrize("kind", DRAWN_FROM)
def test_a_figure_refuses_the_table_of_another(kind, tables, tmp_path):
    with pytest.raises(LookupError):
        import_module(f"thinslice.report.{kind}").draw(tables["benchmark"], tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_the_gap_matrix_prints_every_mean_once(tables, tmp_path, words):
    import_module("thinslice.report.figures.gap_matrix").draw(tables["domain_gap"], tmp_path / "a")
    table = tables["domain_gap"]
    printed = sorted(text.split(" ")[0] for text in words if text[:1].isdigit())
    assert printed == sorted(f"{mean:.1f}" for mean in table["mean"])


def test_bars_put_one_dot_per_patient_and_the_bar_at_the_mean(tables, tmp_path, monkeypatch):
    kept: list[Figure] = []
    monkeypatch.setattr(style, "save", lambda drawn, stem: kept.append(drawn) or [])
    import_module("thinslice.report.figures.bars").draw(tables["patients"], tmp_path / "a")
    axes = kept[0].axes[0]  # acquired: all methods
    dots = [dot for c in axes.collections for dot in np.asarray(c.get_offsets())[:, 1]]
    acquired = tables["patients"].query("degradation == 'acquired'")
    np.testing.assert_allclose(sorted(dots), sorted(acquired["value"]))
    heights = sorted(p.get_height() for p in axes.patches)
    np.testing.assert_allclose(heights, sorted(acquired["mean"].unique()))


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
    monkeypatch.setattr(style, "save", lambda drawn, stem: kept.append(drawn) or [])
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


def test_the_page_is_whole_by_itself_and_labelled(tables, tmp_path):
    png = style_png(tmp_path / "bars.png")
    text = page.html(tables, [png], EVIDENCE.skipped)
    assert text == page.html(tables, [png], EVIDENCE.skipped)
    assert "data:image/png;base64," in text
    assert "Bars with cases" in text
    assert "http" not in text  # nothing is fetched
    assert text.index("Which method restores best?") < text.index("Figures")
    assert '<p class="sim">' in text
    assert "SAINT needs an integer factor" in text
    assert "thinslice audit results/tables/benchmark.csv --row N" in text
    for name, table in tables.items():
        assert f"({name}.csv)" in text
        assert len(table)


def test_the_page_names_the_winner_and_the_cost_of_simulated_training(tables):
    text = page.html(tables)
    assert "On phantom, acquired thick (sim), tvsrn has the best RMSE: 47.3 [" in text
    assert "the best method without training, cubic, has 62.3 [" in text
    assert "edsr fitted on simulated ones changes by +9.7 HU (phantom/average_5mm)" in text
    assert "smallest Holm p 0.375, n = 4" in text


def test_what_the_page_says_names_its_protocol_and_its_patients(tables):
    said = findings.sentences(tables)
    assert all("protocol v1" in sentence and "n = 4" in sentence for sentence in said)
    alone = {"benchmark": import_module("thinslice.analyses.benchmark").build()(demo(1))}
    winner = findings.sentences(alone)[0]
    assert winner.endswith("(protocol v1, n = 1); one patient ranks nothing.")


def test_the_page_escapes_names_and_survives_having_nothing(tables):
    odd = tables["benchmark"].replace({"method": {"tvsrn": "<script>x"}})
    text = page.html({"benchmark": odd})
    assert "<script>" not in text
    assert "&lt;script&gt;x" in text
    assert "Nothing was scored" in page.html({"benchmark": odd.iloc[:0]})


def style_png(path):
    with style.figure(1, 1) as drawn:
        drawn.subplots()
        return style.save(drawn, path.with_suffix(""))[0]


def test_a_table_without_rows_gives_a_figure_that_says_so(tmp_path, words):
    written = draw_nothing(tmp_path / "pairs", "pairs: no rows in slice_pairs.csv")
    assert [path.name for path in written] == ["pairs.png", "pairs.pdf"]
    assert all(path.stat().st_size > 500 for path in written)
    assert "pairs: no rows in slice_pairs.csv" in words
