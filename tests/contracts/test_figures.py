"""The contract of every figure: drawn twice it is the same bytes, and it says what it shows.

A module that no config names is tested here too, if ``support.figures`` has an example of it.
"""

import pandas as pd
import pytest
from matplotlib.figure import Figure

from support.evidence import demo
from support.figures import example, words_of
from thinslice import plugins
from thinslice.analyses import benchmark, slice_pairs
from thinslice.analyses._evidence import read_table
from thinslice.report import style
from thinslice.report.html import svg

KINDS = plugins.names("figures")


def figure_of(kind: str):
    """The figure of a kind, as the workflow builds it."""
    return plugins.build(
        "figures", {"name": "mine", "kind": kind, "settings": example(kind).settings}
    )


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> dict[str, pd.DataFrame]:
    """The examples as a figure's job reads them: from CSV."""
    folder, out = tmp_path_factory.mktemp("tables"), {}
    for kind in KINDS:
        example(kind).table().to_csv(folder / f"{kind}.csv", index=False)
        out[kind] = read_table(folder / f"{kind}.csv")
    return out


@pytest.fixture
def drawn(monkeypatch) -> list[Figure]:
    """The figures that a test draws, in place of their files."""
    figures: list[Figure] = []
    monkeypatch.setattr(style, "save", lambda figure, stem: figures.append(figure) or [])
    return figures


@pytest.mark.parametrize("kind", KINDS)
def test_its_caption_is_one_sentence(kind):
    caption = plugins.module("figures", {"name": kind}).CAPTION
    assert caption.endswith(".")
    assert caption[0].isupper()
    assert "\n" not in caption
    assert len(caption) < 120


def test_no_two_figures_have_one_caption():
    assert len({plugins.module("figures", {"name": kind}).CAPTION for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_drawn_twice_its_files_are_the_same(kind, tables, tmp_path):
    first, second = (figure_of(kind)(tables[kind], tmp_path / stem) for stem in "ab")
    assert [path.name for path in first] == ["a.png", "a.pdf", "a.svg"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert first[0].read_bytes().startswith(b"\x89PNG")
    assert first[1].read_bytes().startswith(b"%PDF")
    assert svg.inline(first[2].read_text(), "figure", "table", "").startswith("<svg")
    assert len(list(tmp_path.iterdir())) == 6  # nothing half-written is left


@pytest.mark.parametrize("kind", KINDS)
def test_its_title_names_protocol_patients_and_simulation(kind, tables, drawn, tmp_path):
    figure_of(kind)(tables[kind], tmp_path / "a")
    title = next(text for text in words_of(drawn[0]) if text.startswith("sim  |"))
    assert "n = " in title
    assert "protocol v1" in title
    sizes = [t.get_fontsize() for t in drawn[0].findobj(lambda a: hasattr(a, "get_fontsize"))]
    assert min(sizes) >= 8


@pytest.mark.parametrize("kind", KINDS)
def test_scans_of_patients_carry_no_sim_stamp(kind, tables, drawn, tmp_path):
    figure_of(kind)(tables[kind].assign(sim=""), tmp_path / "a")
    assert words_of(drawn[0])
    assert not any("sim" in text.split() for text in words_of(drawn[0]))


@pytest.mark.parametrize("kind", KINDS)
def test_it_refuses_the_table_of_another_analysis(kind, tables, tmp_path):
    other = benchmark if "relation" in tables[kind] else slice_pairs
    with pytest.raises(LookupError):
        figure_of(kind)(other.build()(demo()), tmp_path / "a")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_is_left_alone(kind, tables, drawn, tmp_path):
    before = tables[kind].copy()
    figure_of(kind)(tables[kind], tmp_path / "a")
    pd.testing.assert_frame_equal(tables[kind], before)
