"""``thinslice pairs``: every pair with its numbers; no patient is named."""

import json
import shutil

import pytest

from support.exported_study import NAME, exported
from support.reconstruction_pairs import tagged, thick_at, thin_at
from thinslice.cli import main
from thinslice.cli.pairs import ACCEPTABLE
from thinslice.pairs import manifest
from thinslice.pairs.certificate import CODES


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return exported(tmp_path_factory.mktemp("export"))


def test_people_see_verdicts_numbers_and_reasons(folder, capsys):
    assert main(["pairs", str(folder)]) == 0
    text = capsys.readouterr().out
    for words in (
        "certified  p001_1  thin   number 1 (56 x 1 mm)",
        "thick  number 2 (11 x 5 mm)",
        "kernel same (B30f)  7.5 / 7.5 mGy CTDIvol  120 / 120 mAs",
        "profile 4.94 mm  z offset ",
        "REJECTED  acquisition: AcquisitionTime 120000 (thin) and 101112.5 (thick)",
        "no pair    ",
        "1 certified, 0 flagged, 2 rejected; 4 series or files in no pair",
    ):
        assert words in text
    assert NAME not in text
    assert "9912345" not in text


def test_programs_see_the_same(folder, capsys, tmp_path):
    packed = shutil.make_archive(str(tmp_path / 'ex"port'), "zip", folder)
    assert main(["pairs", packed, "--json"]) == 0
    text = capsys.readouterr().out
    assert NAME not in text
    assert "9912345" not in text
    found = json.loads(text)
    assert [pair["verdict"] for pair in found["pairs"]] == ["certified", "rejected", "rejected"]
    first = found["pairs"][0]
    assert first["facts"]["thin"]["folder"] == f"{packed}/IMAGES"
    assert first["measured"]["fwhm_mm"] == pytest.approx(4.94, abs=0.05)
    assert {item["why"] for item in found["left"]} > {"MR, not CT", "no slices of a scan"}


def test_a_manifest_of_what_is_accepted(tmp_path, capsys):
    thin_at(tmp_path / "a")
    thick_at(tmp_path / "b", change=tagged(ConvolutionKernel="B70f"))
    out = tmp_path / "pairs.csv"
    assert main(["pairs", str(tmp_path), "--manifest", str(out)]) == 1
    assert not out.exists()
    assert "not written" in capsys.readouterr().err
    accepted = ["--accept", "gap", "--accept", "kernel"]
    words = ["pairs", "--manifest", str(out), *accepted, str(tmp_path)]
    assert main(words) == 1
    assert f"{out}: 1 pair; check" in capsys.readouterr().err
    assert out.read_text().splitlines()[1].startswith("p001_1,p001,test,a,b,")
    assert main(words) == 2, "what is there is not replaced"


def test_refusals_before_any_work(tmp_path, capsys):
    assert main(["pairs", str(tmp_path / "none")]) == 2
    assert main(["pairs", str(tmp_path), "--accept", "gap"]) == 2
    assert main(["pairs", str(tmp_path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition("; ")[0] for line in lines] == [
        f"thinslice pairs: {tmp_path}/none: found nothing there",
        "thinslice pairs: --accept: found no --manifest",
        f"thinslice pairs: {tmp_path}: no scan there",
    ]
    assert main(["pairs", str(tmp_path), "--manifest", str(tmp_path / "x.txt")]) == 2
    assert "end its name in .csv" in capsys.readouterr().err


def test_what_is_not_opened_is_named_and_counted(tmp_path, capsys):
    (tmp_path / "elsewhere").mkdir()
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "series").symlink_to(tmp_path / "elsewhere")
    for name in ("a.png", "b.png", ".hidden"):
        (folder / name).write_bytes(b"")
    assert main(["pairs", str(folder)]) == 2
    assert capsys.readouterr().out.splitlines()[:2] == [
        "skipped    1 folder behind a link, not followed: series",
        "skipped    2 files that by name are no DICOM: a.png, b.png",
    ]


def test_what_can_be_accepted_only_flags():
    assert manifest.ACCEPTABLE == ACCEPTABLE
    assert {CODES[code][0] for code in ACCEPTABLE} == {"flagged"}
