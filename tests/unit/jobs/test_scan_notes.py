"""What readers warn of, from a person's scans to the footnotes of tables and the page."""

import json

import numpy as np
import pytest

from support import dicom_maker as maker
from support.evidence import demo
from thinslice import plugins, store
from thinslice.analyses import _evidence
from thinslice.datasets import own_data
from thinslice.interfaces import Evidence
from thinslice.jobs.convert import convert, warnings_of
from thinslice.jobs.degrade import degrade
from thinslice.jobs.evidence import evidence
from thinslice.jobs.fetch import fetch
from thinslice.provenance.records import read_record, record_path
from thinslice.report import page, terminal
from thinslice.report.tables import typeset
from thinslice.training import fitted_on

WITHOUT_PHANTOM = {"published", "nodule_volumes", "effective_thickness"}  # not of made evidence
KERNELS = "thin scan has kernel B70f, the thick one B31f"


@pytest.fixture
def converted(tmp_path, capsys):
    """A pair of two kernels, one of the same kernel, and a thin scan alone, as convert has them."""
    hu = maker.scan_hu(20)
    thick = hu.reshape(4, 5, 5, 7).mean(1)
    rows = ["case,patient,split,thin,thick"]
    for shift, (name, kernels) in enumerate(
        {"bone": ("B70f", "B31f"), "soft": ("B31f",) * 2, "alone": ("B40f", "")}.items()
    ):
        for part, slices, step, start, kernel in (
            ("thin", hu + shift, 1.0, 300.0, kernels[0]),
            ("thick", thick + shift, 5.0, 302.0, kernels[1]),
        ):
            places = maker.positions_of(len(slices), step, start=(-120.5, -80.25, start))
            maker.series(
                tmp_path / "own" / name / part,
                np.round(slices),
                places,
                thickness_mm=step,
                change=lambda k, data, kernel=kernel: setattr(data, "ConvolutionKernel", kernel),
            )
        rows.append(f"{name},{name},test,{name}/thin,{name}/thick")
    rows[-1] = "alone,alone,train,alone/thin,"
    (tmp_path / "own/manifest.csv").write_text("\n".join(rows) + "\n")
    card = {"name": "own", "module": "own_data", "settings": {"root": str(tmp_path / "own")}}
    fetch(card, tmp_path / "raw", tmp_path / "raw.record.json")
    thin, acquired = tmp_path / "thin.zarr", tmp_path / "acquired.zarr"
    convert(card, tmp_path / "raw", tmp_path / "raw.record.json", thin, acquired)
    return thin, acquired, capsys.readouterr().out


def test_warnings_reach_the_log_the_record_and_the_store(converted):
    thin, acquired, log = converted
    facts = read_record(record_path(thin))["facts"]["warnings"]
    assert any(KERNELS in words for words in facts["bone"])
    assert not any("kernel" in words for words in facts.get("soft", []))
    assert f"warning: bone: the {KERNELS}" in log
    source = store.open_store(acquired).about("bone")["source"]
    assert any(KERNELS in words for words in warnings_of(source))


def test_the_kernel_of_simulated_slices_is_the_thin_scans(converted, tmp_path):
    thin, acquired, _ = converted
    card = {
        "name": "box5",
        "module": "profile",
        "settings": {"shape": "box", "thickness_mm": 5.0, "increment_mm": 5.0},
    }
    degrade(card, thin, tmp_path / "box5.zarr")
    made = store.open_store(tmp_path / "box5.zarr")
    kernels = {name: fitted_on.kernel_of(made.about(name)["source"]) for name in made.cases()}
    assert kernels == {"bone": "B70f", "soft": "B31f", "alone": "B40f"}
    taken = store.open_store(acquired)
    assert fitted_on.kernel_of(taken.about("bone")["source"]) == "B31f"


def test_warnings_reach_the_evidence(converted, tmp_path):
    thin, *_ = converted
    evidence([], [], [record_path(thin)], [], tmp_path / "evidence")
    rows = _evidence.read_evidence(tmp_path / "evidence").scans
    assert [note for dataset, note in rows if dataset == "own" and KERNELS in note] == [
        f"bone: {note}" for note in own_data.unlike({"kernel": "B70f"}, {"kernel": "B31f"})
    ]


@pytest.mark.parametrize("name", sorted({*plugins.names("analyses")} - WITHOUT_PHANTOM))
def test_warnings_reach_the_footnotes_of_every_table_that_shows_the_data_set(name):
    made: Evidence = demo()
    table = typeset.analysis_table({"name": name}, plugins.build("analyses", {"name": name})(made))
    scans = [("phantom", "p1: no air; are they HU?"), ("elsewhere", "p9: 37 mm from the qform")]
    for text in (typeset.markdown(table, (), scans), typeset.latex(table, (), scans)):
        assert text.count("Scans, phantom, p1: no air; are they HU?") == 1
        assert "37 mm" not in text


def test_warnings_reach_the_page_and_the_terminal():
    scans = [("own", "p1: <b> 37 mm from the qform")]
    text = page.html([], (), (), scans)
    assert ">Notes on the scans<" in text
    assert "own, p1: &lt;b&gt; 37 mm from the qform" in text
    assert "Notes on the scans" not in page.html([])
    assert "- own, p1: <b> 37 mm" in terminal.summary([], (), scans)


@pytest.mark.parametrize(
    ("thin", "thick", "warned"),
    [
        ("B70f", "B31f", True),
        ("B31f", "B31f", False),
        (None, "B31f", False),  # unknown is no difference
        ("B70f", None, False),
        ("", "B31f", False),
        (["Br40f", "3"], "Br40f", True),
    ],
)
def test_a_pair_of_two_kernels_is_warned_of(thin, thick, warned):
    words = own_data.unlike({"kernel": thin}, {"kernel": thick})
    assert bool(words) == warned
    assert json.dumps(words)


@pytest.mark.parametrize("source", [{}, {"kernel": "B", "warnings": ["a"]}, {"thin": None}])
def test_sources_of_other_data_sets_are_read_as_they_are(source):
    assert warnings_of(source) == source.get("warnings", [])
