"""A restored scan is audited by its statement: what was written, what was read, the weights."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from support.patient import SCAN, patient
from support.restore import fitted_weights
from support.small_results import SCORES
from thinslice.audit import loose_weights, statements
from thinslice.cli.command import main
from thinslice.fs.hashing import sha256_of_file
from thinslice.io.nifti.write import write_nifti
from thinslice.operators.grids import thin_grid
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import record_path
from thinslice.restoration import methods, output
from thinslice.training import weights as weights_files

WRITTEN = ("CT_1mm.nii.gz", "CT_1mm", "CT_1mm.zarr")
HOLDS = "every link holds\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(output.preview, "draw", lambda *_, **__: _[2].write_bytes(b"a picture"))
    write_nifti(patient(SCAN, 12.0), Path("thick.nii.gz"))
    return tmp_path


def restored(out: str = "CT_1mm.nii.gz", source: str = "thick.nii.gz", *words: str) -> Path:
    """A scan restored by interpolation, or as the words say."""
    options = words or ("--method", "linear")
    given = ["--declared-thickness", "5", "--device", "cpu", "--threads", "1"]
    assert main(["restore", source, out, *options, *given]) == 0
    return Path(out)


@pytest.mark.parametrize("out", WRITTEN)
@pytest.mark.parametrize("named", ["", statements.SUFFIX])
def test_a_restored_scan_holds_with_its_input(audit, out, named):
    restored(out)
    status, printed, err = audit(f"{out}{named}")
    assert (status, err) == (0, "")
    what, made, data = printed.splitlines()[:3]
    assert what.startswith(f"{out}: slices of 1 mm by linear from slices of 5 mm")
    assert made.startswith("made 2")
    assert "thick.nii.gz (1 files, sha256 " in data
    assert printed.endswith(HOLDS)


def test_the_suffix_is_the_one_that_restore_writes():
    assert statements.SUFFIX == output.STATEMENT


@pytest.mark.parametrize("out", WRITTEN)
def test_a_changed_byte_of_the_scan_is_named(audit, out):
    written = restored(out)
    file = written if written.is_file() else next(p for p in written.rglob("*") if p.is_file())
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    status, printed, _ = audit(out)
    assert status == 1
    assert f"BROKEN  {file} was changed" in printed


def test_a_file_more_or_less_in_the_scan_s_folder_is_named(audit):
    written = restored("CT_1mm")
    first = min(written.iterdir())
    first.rename(written / "other.dcm")
    status, printed, _ = audit(written)
    assert status == 1
    assert f"BROKEN  {first} is missing" in printed
    assert "snakemake" not in printed  # no workflow made it
    assert "restore the scan again" in printed
    assert f"BROKEN  {written / 'other.dcm'} is not in the statement" in printed


def test_a_changed_input_is_named_and_a_missing_one_is_not_here(audit):
    restored()
    Path("thick.nii.gz").unlink()
    write_nifti(patient(SCAN, 13.0), Path("thick.nii.gz"))
    status, printed, _ = audit("CT_1mm.nii.gz")
    assert status == 1
    assert "thick.nii.gz was changed since it was read" in printed
    Path("thick.nii.gz").unlink()
    status, printed, _ = audit("CT_1mm.nii.gz")
    assert status == 3
    assert "NOT HERE  the input " in printed
    assert "thick.nii.gz: bring it to this path" in printed
    assert HOLDS not in printed


def test_a_missing_statement_is_named_with_what_it_is(audit):
    status, _, err = audit(f"CT_1mm.nii.gz{statements.SUFFIX}")
    assert status == 2
    assert "the statement that is written beside a restored scan" in err


def test_an_input_in_a_zip_is_compared_with_its_members(audit):
    with zipfile.ZipFile("thick.zip", "w") as archive:
        archive.write("thick.nii.gz")
    restored(source="thick.zip")
    assert audit("CT_1mm.nii.gz")[0] == 0
    with zipfile.ZipFile("thick.zip", "w") as archive:
        archive.writestr("thick.nii.gz", b"another")
    status, printed, _ = audit("CT_1mm.nii.gz")
    assert status == 1
    assert "thick.zip: no thick.nii.gz in it as it was read" in printed


def test_a_scan_and_its_statement_may_be_renamed_together(audit):
    restored()
    for ending in ("", statements.SUFFIX):
        shutil.move(f"CT_1mm.nii.gz{ending}", f"other.nii.gz{ending}")
    assert audit("other.nii.gz")[0] == 0
    Path("other.nii.gz").unlink()
    status, printed, _ = audit(f"other.nii.gz{statements.SUFFIX}")
    assert status == 1
    assert "other.nii.gz is missing" in printed


@pytest.mark.parametrize(
    "content",
    [
        *("{", "[]", "{}", "3", "null", '{"input": {}}'),
        '{"input":1,"output":2,"run":3,"versions":4,"grids":5}',
    ],
)
def test_what_is_no_statement_is_a_question(audit, content):
    Path(f"x{statements.SUFFIX}").write_text(content)
    status, printed, err = audit(f"x{statements.SUFFIX}")
    assert (status, printed) == (2, "")
    assert "is no statement of a restored scan" in err


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("method.card.name", None), ("method.card", []), ("method", 3), ("method.weights", 3)),
        *(("method.card.settings", 3), ("versions", {"thinslice": 1}), ("grids.input", {})),
        *(("output.files", {"a": 1}), ("input.path", 3), ("run.started", 2026)),
        *(("grids.output.thickness_mm", "1"), ("input.sha256", None), ("run", None)),
    ],
)
def test_a_statement_with_another_field_is_a_question(audit, field, value):
    statement = Path(f"{restored()}{statements.SUFFIX}")
    content = place = json.loads(statement.read_text())
    *outer, last = field.split(".")
    for name in outer:
        place = place[name]
    place[last] = value
    statement.write_text(json.dumps(content))
    status, printed, err = audit("CT_1mm.nii.gz")
    assert (status, printed) == (2, "")
    assert "is no statement of a restored scan: " in err
    assert field in err


def test_a_thickened_scan_too(audit):
    write_nifti(patient(thin_grid(SCAN, 1.0, 1.0)), Path("thin.nii.gz"))
    assert (
        main(
            [
                "thicken",
                "thin.nii.gz",
                "thick5.nii.gz",
                "--thickness",
                "5",
                "--declared-thickness",
                "1",
            ]
        )
        == 0
    )
    status, printed, err = audit("thick5.nii.gz")
    assert (status, err) == (0, ""), printed
    assert printed.startswith("thick5.nii.gz: slices of ")


def test_weights_lead_to_the_record_of_their_training(audit):
    fitted = fitted_weights(Path())
    restored("CT_1mm.nii.gz", "thick.nii.gz", "--weights", str(fitted))
    status, printed, _ = audit("CT_1mm.nii.gz")
    assert status == 3
    assert "NOT HERE  the weights tiny.pt, sha256 " in printed
    recorded = Path("results/weights/edsr/own--box5.pt")
    with recorded_job(record_path(recorded), rule="train", cards={}, inputs={}) as job:
        recorded.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(fitted, recorded)
        job.output("weights", recorded)
    status, printed, _ = audit("CT_1mm.nii.gz")
    assert status == 0, printed
    assert f"{recorded}" in printed
    assert audit(fitted)[0] == 0  # known by its bytes
    recorded.write_bytes(b"other")
    status, printed, _ = audit("CT_1mm.nii.gz")
    assert status == 1
    assert f"{recorded} was changed" in printed


@pytest.mark.parametrize("ending", [".pt", ".npz", ".safetensors"])
def test_weights_without_a_record_are_whole_or_named(audit, ending):
    fitted = Path(f"loose{ending}")
    weights_files.pack(fitted_weights(Path()), fitted, {})
    status, printed, err = audit(fitted)
    assert (status, err) == (3, "")
    what, _, data = printed.splitlines()[:3]
    assert what == f"{fitted}: weights of tiny, sha256 {sha256_of_file(fitted)[:16]}"
    assert data.startswith("data 1 train, 0 val cases; fitted on ")
    content = bytearray(fitted.read_bytes())
    content[-len(content) // 3] ^= 1
    fitted.write_bytes(content)
    status, printed, _ = audit(fitted)
    assert status == 1
    assert f"BROKEN  {fitted} is damaged" in printed


def test_weights_say_when_where_and_from_what_they_were_made(audit):
    status, printed, err = audit(methods.PACKAGED)
    assert (status, err) == (3, "")
    record = weights_files.head(methods.PACKAGED)["about"]["record"]
    made = printed.splitlines()[1]
    for words in (
        f"made {record['started'][:10]} ",
        f" on {record['machine']['host']} (",
        f"commit {record['git']['commit'][:12]} ",
        "; seed 0 (conditioned_unet); ",
    ):
        assert words in made


@pytest.mark.parametrize("record", [3, {}, {"started": 3, "machine": [], "git": {}, "packages": 1}])
def test_weights_with_another_record_say_what_they_do_not_know(audit, record):
    about = {"record": record, "card": 3, "settings": [], "train": None, "fitted_on": 1}
    weights_files.pack(fitted_weights(Path()), Path("loose.npz"), about)
    status, printed, err = audit("loose.npz")
    assert (status, err) == (3, "")
    assert "a commit that no record here names; seed none stated; " in printed


def test_weights_of_others_are_a_question(audit):
    Path("other.pt").write_bytes(b"PK of another program")
    status, printed, err = audit("other.pt")
    assert (status, printed) == (2, "")
    assert "other.pt is no weights file of thinslice" in err
    assert loose_weights.MARK.decode() == weights_files.HEAD


def test_a_row_of_a_scan_is_a_question(audit):
    restored()
    status, printed, err = audit("CT_1mm.nii.gz", "--row", "1")
    assert (status, printed) == (2, "")
    assert "is no table" in err
    assert json.loads(audit("CT_1mm.nii.gz", "--json")[1])["status"] == 0
    assert not SCORES.exists()
