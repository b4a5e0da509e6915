"""Processes of one job end together: none is left behind, whoever dies."""

import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

from support import process_tasks as tasks
from support.paths import importing
from support.pids import alive, gone, pid_in
from thinslice.runtime.processes import EndedError, together


def test_all_are_run_and_waited_for(tmp_path):
    together([partial(tasks.finish, tmp_path, name) for name in ("one", "two")])
    pids = {pid_in(tmp_path / name, 0) for name in ("one", "two")}
    assert len(pids | {os.getpid()}) == 3
    assert not any(alive(pid) for pid in pids)


def test_one_that_fails_ends_the_others_and_says_why(tmp_path):
    with pytest.raises(
        EndedError, match=r"process 1 of 2 .*KeyError: 'the reason of two'"
    ) as ended:
        together([partial(tasks.work_on, tmp_path, "one"), partial(tasks.fail, tmp_path, "two")])
    assert "in fail" in str(ended.value), "the traceback is there"
    assert not (tmp_path / "one").exists() or not alive(pid_in(tmp_path / "one"))


def test_the_first_reason_is_told_not_what_followed_from_it(tmp_path):
    later = partial(tasks.fail_because_of, tmp_path, "one", "two")
    with pytest.raises(EndedError, match=r"process 1 of 2 .*the reason of two"):
        together([later, partial(tasks.fail, tmp_path, "two")])


@pytest.mark.timeout(60)
def test_a_reason_longer_than_a_pipe_takes_does_not_hang(tmp_path):
    with pytest.raises(EndedError, match=r"tensor of another shape; '$"):
        together([partial(tasks.say_much, tmp_path, "one")])


@pytest.mark.parametrize(
    ("what", "says"),
    [
        (tasks.be_killed, r"^process 0 of 1 .* was killed by SIGKILL[^\n]*$"),
        (tasks.refuse, r"^process 0 of 1 [^\n]*the disk is full[^\n]*$"),
        (tasks.leave, r"^one of 1 processes ended without a report \(exit codes \[7\]\)$"),
    ],
)
def test_what_a_person_can_mend_takes_one_line(what, says, tmp_path):
    with pytest.raises(EndedError, match=says):
        together([partial(what, tmp_path, "one")])


def test_variables_are_set_for_the_processes_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("THINSLICE_TEST", "ours")
    together([partial(os.mkdir, tmp_path / "made")], {"THINSLICE_TEST": "theirs"})
    assert os.environ["THINSLICE_TEST"] == "ours"


@pytest.mark.parametrize("victim", ["one", "launcher"])
def test_kill_9_of_one_or_of_the_launcher_leaves_none_that_goes_on_writing(victim, tmp_path):
    command = [sys.executable, "-m", tasks.__name__, str(tmp_path)]
    launcher = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=importing())
    pids = [pid_in(tmp_path / name) for name in ("one", "two")]
    os.kill(launcher.pid if victim == "launcher" else pids[0], signal.SIGKILL)
    _, said = launcher.communicate(timeout=60)
    assert all(gone(pid) for pid in pids)
    written = (tmp_path / "two.work").read_text()
    time.sleep(0.1)
    assert (tmp_path / "two.work").read_text() == written
    if victim == "one":
        assert launcher.returncode == 1
        assert "process 0 of 2 (they count from 0) was killed by SIGKILL" in said
