"""A file is replaced whole or not at all, and only killed writers leave temporary files."""

import os
import signal

import pytest

from thinslice.fs.atomic import remove_leftovers, replacing, write_text


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_reader_never_sees_a_part(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with replacing(path) as temporary:
        temporary.write_text("new, half")
        assert path.read_text() == "old"
        temporary.write_text("new")
    assert path.read_text() == "new"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_write_leaves_the_old_file_alone(tmp_path, error):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def write() -> None:
        with replacing(path) as temporary:
            temporary.write_text("new, half")
            raise error

    with pytest.raises(type(error)):
        write()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_text_is_synced_before_it_is_renamed(tmp_path, monkeypatch):
    calls = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda file: (calls.append("fsync"), fsync(file)))
    monkeypatch.setattr(os, "replace", lambda *how: (calls.append("rename"), replace(*how)))
    write_text(tmp_path / "deep" / "a.txt", "new")
    assert calls == ["fsync", "rename"]


def test_two_processes_do_not_share_a_temporary_file(tmp_path):
    path = tmp_path / "a.txt"
    with replacing(path) as temporary:
        temporary.write_text("ours")
        child = os.fork()
        if child == 0:
            write_text(path, "theirs")
            os._exit(0)
        os.waitpid(child, 0)
        assert path.read_text() == "theirs"
    assert path.read_text() == "ours"


def test_leftovers_of_a_killed_writer_are_removed_and_nothing_else(tmp_path):
    path = tmp_path / "a[1].txt"
    child = os.fork()
    if child == 0:
        with replacing(path) as temporary:
            temporary.write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    (leftover,) = names(tmp_path)
    (tmp_path / ".b.txt.1.partial").write_text("of another file")
    remove_leftovers(path)
    assert names(tmp_path) == [".b.txt.1.partial"]
    assert leftover.startswith(".a[1].txt.")
