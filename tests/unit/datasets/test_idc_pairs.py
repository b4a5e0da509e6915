"""Pairs of the open archive: chosen by settings, fetched whole from a bucket, or refused."""

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from support import dicom_maker as maker
from support.file_server import Files, serving
from support.paths import importing
from support.small_archive import Archive, archive
from thinslice.datasets import _archive, idc_pairs
from thinslice.errors import Refused, SetAside

FETCH = """
import sys
from pathlib import Path
from thinslice.datasets import idc_pairs
idc_pairs.build(manifest=sys.argv[1], address=sys.argv[2]).fetch(Path(sys.argv[3]))
"""


FILES = 56 + 11  # of a pair


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Archive:
    return archive(tmp_path_factory.mktemp("series"))


@pytest.fixture
def bucket(made):
    with serving(Files(made.content(), etag=None, kind="application/dicom")) as served:
        yield served


@pytest.fixture
def manifest(made, tmp_path) -> str:
    return made.write_manifest(tmp_path / "pairs.csv")


def built(manifest: str, bucket: Files, **settings) -> idc_pairs.IdcPairs:
    return idc_pairs.build(manifest=manifest, address=bucket.url, **settings)


def is_whole(raw: Path, made: Archive) -> bool:
    files = {f"{uuid}/{name}": d for uuid, each in made.folders.items() for name, d in each.items()}
    here = {p.relative_to(raw).as_posix(): p.read_bytes() for p in raw.glob("*-*/*")}
    return here == files


def test_every_file_of_every_series_comes_once(made, bucket, manifest, tmp_path):
    pairs = built(manifest, bucket)
    pairs.fetch(tmp_path / "raw")
    assert is_whole(tmp_path / "raw", made)
    assert len(pairs.files(tmp_path / "raw")) == 3 * FILES
    n = len(bucket.asked)
    assert n == 3 * FILES + 6
    pairs.fetch(tmp_path / "raw")
    assert len(bucket.asked) == n


def test_dropped_connections_and_busy_servers_change_nothing(
    made, bucket, manifest, tmp_path, monkeypatch
):
    monkeypatch.setattr(time, "sleep", lambda s: None)
    bucket.drops = [100, 3000, 1 << 20, 0, 700, 1, 1500]
    bucket.errors = [(503, {})]
    built(manifest, bucket, take=1).fetch(tmp_path / "raw")
    assert len(list((tmp_path / "raw").glob("*-*/*.dcm"))) == FILES
    assert not list((tmp_path / "raw").rglob("*.part*"))


def test_a_killed_fetch_goes_on_where_it_was(made, bucket, manifest, tmp_path):
    raw = tmp_path / "raw"
    command = [sys.executable, "-c", FETCH, manifest, bucket.url, str(raw)]
    process = subprocess.Popen(command, env=importing(), stderr=subprocess.DEVNULL)
    while len(list(raw.glob("*-*/*.dcm"))) < 20:
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = len(list(raw.glob("*-*/*.dcm")))
    assert before < 3 * FILES
    bucket.asked.clear()
    built(manifest, bucket).fetch(raw)
    assert is_whole(raw, made)
    assert len(bucket.asked) <= 3 * FILES + 6 - before


def test_a_wrong_byte_in_the_answer_is_refused_and_not_left(made, bucket, manifest, tmp_path):
    path = next(p for p in bucket.content if p.endswith(".dcm"))
    data = bucket.content[path]
    bucket.content[path] = data[:-1] + bytes([data[-1] ^ 1])
    with pytest.raises(Refused, match=r"md5.*expected md5"):
        built(manifest, bucket).fetch(tmp_path / "raw")
    assert not (tmp_path / "raw" / path).exists()


def test_a_wrong_byte_on_the_disk_is_noticed_and_left_for_inspection(
    made, bucket, manifest, tmp_path
):
    pairs = built(manifest, bucket, take=1)
    pairs.fetch(tmp_path / "raw")
    file = pairs.files(tmp_path / "raw")[5]
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(Refused, match="expected sha256"):
        pairs.fetch(tmp_path / "raw")
    assert file.exists()


def test_an_archive_of_another_version_is_refused(made, bucket, manifest, tmp_path):
    query = next(p for p in bucket.content if p.startswith("?"))
    page = bucket.content[query]
    start = page.index(b"<Contents>")
    end = page.index(b"</Contents>") + len(b"</Contents>")
    bucket.content[query] = page[:start] + page[end:]
    with pytest.raises(Refused, match=r"found 55 files.*expected 56.*another version"):
        built(manifest, bucket).fetch(tmp_path / "raw")


def test_a_copy_of_the_raw_folder_is_a_mirror_that_needs_no_network(
    made, bucket, manifest, tmp_path
):
    made.write_raw(tmp_path / "copy" / "idc_pairs")
    built(manifest, bucket).fetch(tmp_path / "idc_pairs", str(tmp_path / "copy"))
    assert is_whole(tmp_path / "idc_pairs", made)
    assert bucket.asked == []


def test_a_disk_too_small_is_refused_before_more_than_lists_and_first_images(
    bucket, manifest, tmp_path, monkeypatch
):
    usage = type("Usage", (), {"free": _archive.ROOM})
    monkeypatch.setattr(_archive.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(Refused, match=r"GB free.*take fewer patients"):
        built(manifest, bucket).fetch(tmp_path / "raw")
    assert len(bucket.asked) == 3 * 2 * 2


def test_patients_are_taken_whole_from_the_top_of_the_list():
    first = idc_pairs.build(take=20).rows
    patients = {(row["collection"], row["patient"]) for row in first}
    assert len(patients) == 20
    assert {row["split"] for row in first} == {"train", "val", "test"}
    assert len({(row["maker"], row["ratio"]) for row in first}) >= 15
    everyone = idc_pairs.build().rows
    assert [r for r in everyone if (r["collection"], r["patient"]) in patients] == list(first)


def test_a_size_budget_takes_patients_as_long_as_they_fit():
    rows = idc_pairs.build(max_gb=10.0).rows
    total = sum(int(row["thin_bytes"]) + int(row["thick_bytes"]) for row in rows)
    assert 9e9 < total <= 10e9
    with pytest.raises(Refused, match="no patient"):
        idc_pairs.build(max_gb=0.001)


def test_settings_choose_and_a_misspelt_one_is_refused_with_what_there_is():
    rows = idc_pairs.build(makers=["toshiba"], ratios=["1/5"], same_words=True).rows
    assert len(rows) == 63
    assert Counter(row["maker"] for row in rows) == {"toshiba": 63}
    for wrong in ({"makers": ["thoshiba"]}, {"ratios": ["5/1"]}, {"collections": ["NLST"]}):
        with pytest.raises(Refused, match=r"expected some of .*toshiba|1/5|nlst"):
            idc_pairs.build(**wrong)
    with pytest.raises(Refused, match="licences: MIT"):
        idc_pairs.build(licences=["MIT"])


def test_a_licence_for_non_commercial_use_must_be_named():
    free, every = idc_pairs.build().rows, ["CC BY 3.0", "CC BY 4.0", "CC BY-NC 4.0"]
    assert {row["licence"] for row in free} == {"CC BY 3.0", "CC BY 4.0"}
    assert len(free) == 464
    assert len(idc_pairs.build(licences=every).rows) == 466
    with pytest.raises(Refused, match=r"nothing but CC BY-NC.*licences: \[CC BY-NC"):
        idc_pairs.build(collections=["midrc_ricord_1a"])


def test_checksums_are_recorded_by_series(made, bucket, manifest, tmp_path):
    built(manifest, bucket, take=1).fetch(tmp_path / "raw")
    recorded = json.loads((tmp_path / "raw/checksums/train-thin.json").read_text())
    assert set(recorded) == {f"train-thin/{name}" for name in made.folders["train-thin"]}


def test_pairs_of_one_acquisition_are_cases_with_their_certificate(
    made, bucket, manifest, tmp_path
):
    made.write_raw(tmp_path / "raw")
    cases = list(built(manifest, bucket).cases(tmp_path / "raw"))
    assert [case.name for case in cases] == ["train", "val", "test"]
    for case in cases:
        assert case.source["stratum"] == {"maker": "ge", "ratio": "1/5", "kernel": "same"}
        certificate = case.source["certificate"]
        assert certificate["verdict"] == "certified"
        assert certificate["measured"]["rmse_hu"] < 4
        assert str(tmp_path) not in json.dumps(case.source)


def test_what_is_no_pair_is_set_aside_with_its_reason(bucket, tmp_path):
    wrong = archive(
        tmp_path / "series",
        ("frame", "other", "kernel"),
        thick_tags={
            "frame": {"FrameOfReferenceUID": "1.9"},
            "kernel": {"ConvolutionKernel": "B70f"},
        },
        other_noise=("other",),
    )
    wrong.write_raw(tmp_path / "raw")
    manifest = wrong.write_manifest(tmp_path / "wrong.csv")
    readers = built(manifest, bucket).readers(tmp_path / "raw")
    for name in ("frame", "other"):
        code = {"frame": "frame", "other": "acquisition"}[name]
        with pytest.raises(SetAside, match=rf"^{code}: ") as error:
            readers[name]()
        assert error.value.about["patient"] == f"chests/{name}"
    assert readers["kernel"]().source["stratum"]["kernel"] == "different"
    strict = built(manifest, bucket, flags=[]).readers(tmp_path / "raw")
    with pytest.raises(SetAside, match=r"^kernel: "):
        strict["kernel"]()


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({"FrameOfReferenceUID": "1.9"}, "frame"),
        ({"PixelSpacing": [0.8, 0.8]}, "field_of_view"),
        ({"ImageType": ["DERIVED", "SECONDARY", "MPR"]}, "derived"),
    ],
)
def test_a_pair_that_its_first_images_show_to_be_none_is_not_downloaded(tmp_path, tags, code):
    wrong = archive(tmp_path / "series", ("train", "odd"), thick_tags={"odd": tags})
    manifest = wrong.write_manifest(tmp_path / "wrong.csv")
    with serving(Files(wrong.content(), etag=None)) as bucket:
        pairs = built(manifest, bucket)
        pairs.fetch(tmp_path / "raw")
        n = len(bucket.asked)
        assert n == FILES + 2 + 4
        pairs.fetch(tmp_path / "raw")
        assert len(bucket.asked) == n
    assert len(pairs.files(tmp_path / "raw")) == FILES + 2
    readers = pairs.readers(tmp_path / "raw")
    assert readers["train"]().name == "train"
    with pytest.raises(SetAside, match=rf"^{code}: "):
        readers["odd"]()


@pytest.mark.parametrize("first", ["localizer", "no image"])
def test_a_first_file_that_is_no_slice_says_nothing_of_the_others(tmp_path, first):
    odd = archive(tmp_path / "series", ("train",))
    image = maker.image(maker.scan_hu(1, 9, 9)[0].astype("i2"), (0, 0, 0))
    image.ImageType, image.SeriesInstanceUID = ["ORIGINAL", "PRIMARY", "LOCALIZER"], "1.2.0.3.2"
    image.PatientID, image.StudyInstanceUID = "train", "1.2.0.7"
    image.save_as(tmp_path / "scout.dcm", enforce_file_format=True)
    content = (tmp_path / "scout.dcm").read_bytes() if first == "localizer" else b"no image"
    odd.folders["train-thick"]["0.dcm"] = content
    row = odd.rows[0]
    row["thick_slices"] = str(len(odd.folders["train-thick"]))
    row["thick_bytes"] = str(sum(map(len, odd.folders["train-thick"].values())))
    manifest = odd.write_manifest(tmp_path / "odd.csv")
    with serving(Files(odd.content(), etag=None)) as bucket:
        pairs = built(manifest, bucket)
        pairs.fetch(tmp_path / "raw")
    assert len(pairs.files(tmp_path / "raw")) == FILES + 1
    read = pairs.readers(tmp_path / "raw")["train"]
    assert read().thick.grid.n == 11


def test_a_flag_that_cannot_be_accepted_is_refused():
    with pytest.raises(ValueError, match="flags: anatomy; expected some of"):
        idc_pairs.build(flags=["kernel", "anatomy"])


def test_half_a_download_is_no_pair_and_no_verdict(made, bucket, manifest, tmp_path):
    made.write_raw(tmp_path / "raw")
    (tmp_path / "raw/val-thick").joinpath(sorted(made.folders["val-thick"])[3]).unlink()
    pairs = built(manifest, bucket)
    for read in (lambda: pairs.files(tmp_path / "raw"), pairs.readers(tmp_path / "raw")["val"]):
        with pytest.raises(Refused, match=r"found 10 .dcm files; expected 11; fetch") as error:
            read()
        assert not isinstance(error.value, SetAside)


def test_another_series_in_the_folder_of_the_first_is_refused(made, bucket, tmp_path):
    made.write_raw(tmp_path / "raw")
    swapped = [{**row, "thin_uid": "1.9.9"} for row in made.rows]
    manifest = Archive(made.folders, swapped).write_manifest(tmp_path / "swapped.csv")
    with pytest.raises(Refused, match=r"found series 1\.2\.0\.3\.1; expected 1\.9\.9"):
        next(built(manifest, bucket).cases(tmp_path / "raw"))
