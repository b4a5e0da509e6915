"""Manifests as spreadsheets save them: read without loss, or refused by name."""

import codecs

import pytest

from thinslice.errors import Refused
from thinslice.workflow.manifest import read_manifest

TEXT = "case,patient,split,thin\nc1,änna,test,a.nii.gz\n"


@pytest.fixture
def folder(tmp_path):
    for name in ("a.nii.gz", "b.nii.gz"):
        (tmp_path / name).write_text("never read")
    return tmp_path


def read(folder, content):
    content = content if isinstance(content, bytes) else content.encode()
    (folder / "manifest.csv").write_bytes(content)
    return read_manifest(folder / "manifest.csv")


@pytest.mark.parametrize(
    "content",
    [
        TEXT,
        codecs.BOM_UTF8 + TEXT.encode(),
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n", "\r"),
        TEXT.replace(",", " , "),
        TEXT.replace("änna", '"änna"'),
        TEXT + "\n\n",
        TEXT + ",,,\n",
        TEXT.replace("\n", ",,\n"),
        TEXT.replace("a.nii.gz", "a.nii.gz,,"),
        TEXT.replace("thin\n", "thin,thick\n").replace(".gz\n", ".gz,\n"),
    ],
)
def test_what_loses_nothing_is_read(folder, content):
    (row,) = read(folder, content)
    assert (row.case, row.patient, row.split) == ("c1", "änna", "test")
    assert row.thin == folder / "a.nii.gz"
    assert row.thick is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (TEXT.encode("utf-16"), "found UTF-16; expected UTF-8; save it as CSV UTF-8"),
        (TEXT.encode("utf-16-be"), "found zero bytes, as in UTF-16"),
        (TEXT.encode("utf-32"), "found UTF-32; expected UTF-8"),
        (TEXT.encode("latin-1"), "no UTF-8 (line 2; as Latin-1 or a Windows code page: 'ä')"),
        (TEXT.encode("cp1252"), "expected UTF-8; save it as CSV UTF-8"),
        (b"PK\x03\x04\x00\x00", "as in UTF-16 or a workbook"),
        (TEXT.replace(",", ";"), "found semicolons between the columns; expected commas"),
        (TEXT.replace(",", "\t"), "found tabs between the columns; expected commas"),
        ("sep=,\n" + TEXT, "found the line 'sep=' first"),
        ("", "no column 'case', no column 'patient'"),
        ("case,patient,split,thin\n", "found 0 cases, none of split test"),
        (TEXT.replace("thin\n", "thin,thik\n"), "column 'thik' (did you mean 'thick'?)"),
        (TEXT.replace("case", "Case"), "column 'Case' (did you mean 'case'?)"),
        (TEXT.replace("thin\n", "thin,thin\n"), "the column 'thin' twice"),
        (TEXT.replace("thin\n", "thin,\n").replace(".gz", ".gz,x"), "'x' in a column without a na"),
        (TEXT.replace(".gz", ".gz,b.nii.gz"), "line 2: found more or fewer cells than columns"),
        (TEXT.replace("c1", "C1"), "line 2: found case 'C1'; expected a name of a-z"),
        (
            TEXT.replace("test", "tset"),
            "found split 'tset'; expected train, val or test; did you m",
        ),
        (TEXT.replace("a.nii", "d\\a.nii"), "expected a scan; write / in place of \\"),
        (TEXT + "c1,ben,test,b.nii.gz\n", "cases given twice: c1"),
        (TEXT + "c2,ben,test,./a.nii.gz\n", "scans used twice"),
        (TEXT + "c2,änna,train,b.nii.gz\n", "patients in two splits: änna in test and train"),
    ],
)
def test_the_rest_is_refused_by_name(folder, content, words):
    with pytest.raises(Refused) as caught:
        read(folder, content)
    assert str(folder / "manifest.csv") in str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_bad_line_is_refused_at_once(folder):
    bad = "C2,ben,test,b.nii.gz\nc3,cleo,tset,b.nii.gz\nc4,dora,test,gone.nii.gz\n"
    with pytest.raises(Refused) as caught:
        read(folder, TEXT + bad)
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[0].rpartition(" ")[2] for line in lines] == ["3", "4", "5"]


def test_a_scan_may_be_anywhere(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("disk") / "a.nii.gz"
    elsewhere.write_text("never read")
    (row,) = read(folder, TEXT.replace("a.nii.gz", str(elsewhere)))
    assert row.thin == elsewhere


def test_two_series_of_one_folder_are_two_scans(folder):
    head = "case,patient,split,thin,thick,thin_series,thick_series,thick_acquisition\n"
    (row,) = read(folder, head + "c1,anna,test,.,.,3,4,2\n")
    assert (row.thin, row.thin_series, row.thin_acquisition) == (folder, "3", None)
    assert (row.thick, row.thick_series, row.thick_acquisition) == (folder, "4", "2")
    with pytest.raises(Refused, match="scans used twice"):
        read(folder, head + "c1,anna,test,.,.,3,3,\n")
