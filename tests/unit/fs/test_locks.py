"""A lock has one holder, and dies with it."""

import os
import signal

from thinslice.fs.locks import is_at, is_locked, locked, try_lock, wait_lock


def test_a_lock_has_one_holder(tmp_path):
    with open(tmp_path / "lock", "w") as first, open(tmp_path / "lock", "w") as second:
        assert try_lock(first)
        assert not try_lock(second)
        first.close()
        assert try_lock(second)


def test_a_folder_can_be_locked(tmp_path):
    first, second = (os.open(tmp_path, os.O_RDONLY) for _ in range(2))
    assert (try_lock(first), try_lock(second)) == (True, False)
    os.close(first)
    assert try_lock(second)
    os.close(second)


def test_a_lock_dies_with_its_holder(tmp_path):
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        with locked(tmp_path / "a.csv"):
            os.write(tell, b"x")
            signal.pause()
    os.read(ready, 1)
    assert is_locked(tmp_path / "a.csv")
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert not is_locked(tmp_path / "a.csv")


def test_waiting_is_reported_once_and_only_where_there_is_something_to_wait_for(tmp_path, capfd):
    ready, tell = os.pipe()
    with open(tmp_path / "lock", "w") as file:
        assert not wait_lock(file, "waiting")
    assert capfd.readouterr().err == ""
    child = os.fork()
    if child == 0:
        with open(tmp_path / "lock", "w") as file:
            try_lock(file)
            os.write(tell, b"x")
            signal.pause()  # ended by the alarm
            os._exit(0)
    os.close(tell)
    os.read(ready, 1)
    os.kill(child, signal.SIGSTOP)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.alarm(1)
    with open(tmp_path / "lock", "w") as file:
        assert wait_lock(file, "waiting")
    os.waitpid(child, 0)
    assert capfd.readouterr().err == "waiting\n"


def test_a_file_that_was_renamed_or_removed_is_no_longer_at_its_path(tmp_path):
    path = tmp_path / "a"
    with path.open("w") as file:
        assert is_at(file, path)
        assert is_at(file.fileno(), path)
        path.rename(tmp_path / "b")
        assert not is_at(file, path)
        path.write_text("another")
        assert not is_at(file, path)


def test_a_result_without_a_lock_file_is_not_locked_and_none_is_made(tmp_path):
    assert not is_locked(tmp_path / "a.csv")
    assert not list(tmp_path.iterdir())
