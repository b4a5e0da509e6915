"""Downloads: every byte once where it can be, whole and right or refused, whatever servers do."""

import hashlib
import json
import shutil
import time
from email.utils import formatdate
from pathlib import Path

import pytest

from support.file_server import Files, serving
from support.remote_file import BRISK, DATA, MD5, SHA256
from thinslice.download import transfer
from thinslice.download.fetch import Remote, fetch
from thinslice.download.transfer import Patience
from thinslice.errors import Refused


@pytest.fixture
def files():
    with serving(Files({"a.bin": DATA})) as served:
        yield served


def remote(files: Files, name: str = "a.bin", **facts) -> Remote:
    return Remote(f"{files.url}/{name}", f"deep/{name}", **facts)


def got(files: Files, raw: Path, mirror: str | None = None, **facts) -> bytes:
    (path,) = fetch([remote(files, **facts)], raw, mirror, patience=BRISK)
    assert path == raw / "deep/a.bin"
    assert not list(raw.rglob("*.part*"))
    return path.read_bytes()


def refusal(files: Files, raw: Path, mirror: str | None = None, **facts) -> str:
    with pytest.raises(Refused) as refused:
        fetch([remote(files, **facts)], raw, mirror, patience=BRISK)
    assert not (raw / "deep/a.bin").exists()
    return str(refused.value)


def stop_after(files: Files, n_bytes: int, raw: Path) -> None:
    """A run that gave up after so many bytes."""
    files.drops = [n_bytes, 0]
    with pytest.raises(Refused):
        fetch([remote(files)], raw, patience=Patience(tries=1, wait_s=0.01, timeout_s=5))
    assert (raw / "deep/a.bin.part").stat().st_size == n_bytes


def test_a_file_comes_whole_and_is_not_asked_for_again(files, tmp_path):
    facts = {"size": len(DATA), "sha256": SHA256, "md5": MD5}
    assert got(files, tmp_path, **facts) == DATA
    assert got(files, tmp_path, **facts) == DATA
    assert files.asked == [("/a.bin", None)]


def test_a_dropped_connection_is_gone_on_from_byte_by_byte(files, tmp_path):
    files.drops = [300_000, 500_000]
    assert got(files, tmp_path) == DATA
    assert [asked for _, asked in files.asked] == [None, "bytes=300000-", "bytes=800000-"]
    assert files.sent == len(DATA)


def test_drops_do_not_end_it_as_long_as_something_new_comes(files, tmp_path):
    files.drops = [50_000] * 15
    assert got(files, tmp_path) == DATA
    assert files.sent == len(DATA)


def test_a_server_that_ignores_ranges_is_begun_anew(files, tmp_path):
    files.ranges, files.drops = False, [300_000]
    assert got(files, tmp_path, sha256=SHA256) == DATA
    assert files.sent == len(DATA) + 300_000


def test_a_server_that_never_gets_beyond_one_point_is_given_up(files, tmp_path):
    files.ranges, files.drops = False, [300_000] * 50
    assert "in 4 tries" in refusal(files, tmp_path)
    assert len(files.asked) == 5  # the first one brought something new


def test_a_range_from_elsewhere_is_thrown_away(files, tmp_path):
    files.shift, files.drops = 7, [300_000]
    assert got(files, tmp_path, sha256=SHA256) == DATA
    assert [asked for _, asked in files.asked] == [None, "bytes=300000-", None]


def test_a_file_that_changed_between_tries_is_begun_anew(files, tmp_path):
    stop_after(files, 300_000, tmp_path)
    files.content["a.bin"], files.etag = DATA[::-1], '"two"'
    assert got(files, tmp_path) == DATA[::-1]


def test_a_changed_file_is_noticed_though_the_server_does_not_heed_the_question(files, tmp_path):
    stop_after(files, 300_000, tmp_path)
    files.content["a.bin"], files.etag, files.heeds = DATA[::-1], '"two"', False
    assert got(files, tmp_path) == DATA[::-1]
    assert [asked for _, asked in files.asked[-2:]] == ["bytes=300000-", None]


def test_the_time_of_a_file_tells_too_where_there_is_no_etag(files, tmp_path):
    for etag in (None, 'W/"weak"'):
        files.etag, files.modified = etag, formatdate(0, usegmt=True)
        stop_after(files, 300_000, tmp_path)
        files.asked.clear()
        changed = hashlib.sha256(str(etag).encode()).digest() * 30_000
        files.content["a.bin"], files.modified = changed, formatdate(9, usegmt=True)
        assert got(files, tmp_path) == changed
        assert files.asked == [("/a.bin", "bytes=300000-")]  # answered with all of it
        shutil.rmtree(tmp_path)


def test_without_any_sign_of_sameness_only_a_known_checksum_lets_it_go_on(files, tmp_path):
    files.etag, files.drops = None, [300_000]
    assert got(files, tmp_path / "unknown") == DATA
    assert [asked for _, asked in files.asked] == [None, None]
    files.asked, files.drops = [], [300_000]
    assert got(files, tmp_path / "known", sha256=SHA256) == DATA
    assert [asked for _, asked in files.asked] == [None, "bytes=300000-"]


def test_a_wrong_byte_is_refused_with_both_checksums_and_thrown_away(files, tmp_path):
    files.content["a.bin"] = DATA[:500] + b"!" + DATA[501:]
    line = refusal(files, tmp_path, sha256=SHA256)
    assert SHA256 in line
    assert hashlib.sha256(files.content["a.bin"]).hexdigest() in line
    assert not [p for p in tmp_path.rglob("*.part") if p.stat().st_size]
    assert MD5 in refusal(files, tmp_path, md5=MD5)


def test_a_wrong_part_of_an_earlier_run_is_found_though_only_the_rest_comes(files, tmp_path):
    stop_after(files, 300_000, tmp_path)
    part = tmp_path / "deep/a.bin.part"
    part.write_bytes(b"!" + part.read_bytes()[1:])
    assert SHA256 in refusal(files, tmp_path, sha256=SHA256)
    assert files.sent == len(DATA)  # it was gone on from
    assert got(files, tmp_path, sha256=SHA256) == DATA


def test_another_size_than_published_is_refused_before_it_is_downloaded(files, tmp_path):
    line = refusal(files, tmp_path, size=len(DATA) + 1)
    assert f"{len(DATA)} bytes" in line
    assert f"{len(DATA) + 1} bytes" in line


def test_404_names_the_address_and_what_to_do(files, tmp_path):
    with pytest.raises(Refused, match=r"b\.bin.*404.*by hand"):
        fetch([remote(files, "b.bin")], tmp_path, patience=BRISK)
    assert len(files.asked) == 1


def test_a_closed_door_says_register(files, tmp_path):
    files.errors = [(403, {})]
    assert "register" in refusal(files, tmp_path)


def test_a_busy_server_is_asked_again_when_it_says(files, tmp_path, monkeypatch):
    waits = []
    monkeypatch.setattr(transfer.time, "sleep", waits.append)
    files.errors = [(503, {"Retry-After": "0.03"}), (429, {"Retry-After": "3000"}), (503, {})]
    assert got(files, tmp_path) == DATA
    assert waits == [0.01, 0.05, 0.04]  # not a whole number; bounded; doubled twice


def test_retry_after_may_be_a_date(files, tmp_path, monkeypatch):
    waits = []
    monkeypatch.setattr(transfer.time, "sleep", waits.append)
    files.errors = [(503, {"Retry-After": formatdate(time.time() + 20, usegmt=True)})]
    patience = Patience(wait_s=0.01, longest_s=60)
    fetch([remote(files)], tmp_path, patience=patience)
    assert 15 < waits[0] <= 20


def test_a_page_that_asks_to_log_in_is_not_the_file(files, tmp_path):
    files.content["a.bin"] = b"\n<!DOCTYPE html><html>Please log in</html>"
    assert "registration" in refusal(files, tmp_path)
    files.content["a.bin"], files.kind = b"Please log in", "text/html; charset=utf-8"
    assert "a web page" in refusal(files, tmp_path)


def test_no_network_is_said_in_one_line(tmp_path):
    gone = Files({})
    with serving(gone):
        pass
    line = refusal(gone, tmp_path)
    assert "in 4 tries" in line
    assert "refused" in line.lower()
    assert "mirror" in line


def test_a_server_that_says_no_length_is_still_checked(files, tmp_path):
    files.says_length = False
    assert got(files, tmp_path, size=len(DATA), sha256=SHA256) == DATA
    files.content["a.bin"] = DATA[:-1]
    assert f"{len(DATA)} bytes" in refusal(files, tmp_path / "cut", size=len(DATA))


def test_the_first_checksum_is_recorded_and_enforced(files, tmp_path):
    got(files, tmp_path)
    recorded = json.loads((tmp_path / "checksums.json").read_text())
    assert recorded["deep/a.bin"]["sha256"] == SHA256
    (tmp_path / "deep/a.bin").unlink()
    files.content["a.bin"], files.etag = DATA[::-1], '"two"'
    assert SHA256 in refusal(files, tmp_path)


def test_a_file_that_was_changed_on_disk_is_refused_and_left(files, tmp_path):
    got(files, tmp_path)
    path = tmp_path / "deep/a.bin"
    path.write_bytes(DATA[::-1])
    with pytest.raises(Refused, match=SHA256):
        fetch([remote(files)], tmp_path, patience=BRISK)
    assert path.read_bytes() == DATA[::-1]


def test_a_file_put_there_by_hand_is_verified_and_recorded(files, tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/a.bin").write_bytes(DATA)
    assert got(files, tmp_path, md5=MD5) == DATA
    assert files.asked == []
    assert SHA256 in (tmp_path / "checksums.json").read_text()


def test_an_archive_cut_short_is_not_recorded(files, tmp_path):
    files.content["a.tar.gz"] = DATA
    with pytest.raises(Refused, match="broken archive"):
        fetch([remote(files, "a.tar.gz")], tmp_path, patience=BRISK)
    assert not (tmp_path / "checksums.json").exists()


def test_a_mirror_comes_first_whether_folder_or_address(files, tmp_path, capfd):
    mirror = tmp_path / "mirror"
    (mirror / "deep").mkdir(parents=True)
    (mirror / "deep/a.bin").write_bytes(DATA)
    assert got(files, tmp_path / "folder", str(mirror)) == DATA
    assert got(files, tmp_path / "file", mirror.as_uri()) == DATA
    assert "not from the mirror" not in capfd.readouterr().err  # either of its two places will do
    with serving(Files({"sets/http/deep/a.bin": DATA})) as other:
        assert got(files, tmp_path / "http", f"{other.url}/sets/") == DATA
        assert other.asked == [("/sets/http/deep/a.bin", None)]
    assert files.asked == []


def test_a_copy_of_all_raw_folders_is_a_mirror(files, tmp_path):
    got(files, tmp_path / "old/set")
    asked = list(files.asked)
    assert got(files, tmp_path / "new/set", str(tmp_path / "old")) == DATA
    assert files.asked == asked


def test_what_a_mirror_lacks_or_has_wrong_comes_from_the_publisher(files, tmp_path, capfd):
    assert got(files, tmp_path / "none", str(tmp_path / "nowhere")) == DATA
    assert "not from the mirror" in capfd.readouterr().err
    (tmp_path / "mirror/deep").mkdir(parents=True)
    (tmp_path / "mirror/deep/a.bin").write_bytes(DATA[::-1])
    assert got(files, tmp_path / "bad", str(tmp_path / "mirror"), sha256=SHA256) == DATA
    assert SHA256 in capfd.readouterr().err


def test_without_a_public_address_the_mirror_is_the_only_way(tmp_path):
    closed = Remote("", "scan.bin")
    with pytest.raises(Refused, match=r"no public address.*by hand"):
        fetch([closed], tmp_path / "raw")
    (tmp_path / "scan.bin").write_bytes(DATA)
    assert fetch([closed], tmp_path / "raw", str(tmp_path))[0].read_bytes() == DATA


def test_a_disk_too_small_is_refused_before_it_is_full(files, tmp_path, monkeypatch):
    small = transfer.shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda _: small)
    assert "make room" in refusal(files, tmp_path)


def test_names_that_lead_out_of_the_folder_are_refused():
    for name in ("../a", "/a", ""):
        with pytest.raises(ValueError, match="below the raw folder"):
            Remote("http://x/a", name)
