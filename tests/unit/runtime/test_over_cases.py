"""Any number of workers computes the same; a failing case is named, the others are finished."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from support import shared_tasks
from support.paths import importing
from support.pids import gone, pid_in
from thinslice.errors import Refused
from thinslice.provenance import environment
from thinslice.runtime import over_cases as job
from thinslice.runtime import shared_cases
from thinslice.runtime.kept_results import Kept
from thinslice.runtime.over_cases import Task, Workers, over_cases
from thinslice.runtime.processes import EndedError

CASES = [f"case{n}" for n in range(5)]


def third(case: str) -> dict[str, str | float]:
    """A float that no short decimal is."""
    return {"case": case, "value": (int(case[-1]) + 1) / 3}


def refuse_odd(log: Path, case: str) -> str:
    (log / case).touch()
    if int(case[-1]) % 2:
        raise Refused(f"{case}.nii: found nothing; expected a scan; bring it")
    return case


def fail_at_2(case: str) -> str:
    return case if case != "case2" else str(1 / 0)


def together(mark: Path, task: Task, case: str) -> Any:
    """The task, in this process only once another has begun a case."""
    if multiprocessing.parent_process():
        mark.touch()
    while not mark.exists():
        time.sleep(0.01)
    return task(case)


def be_killed(case: str) -> str:
    if multiprocessing.parent_process():
        os.kill(os.getpid(), signal.SIGKILL)
    return case


def leave(case: str) -> str:
    if multiprocessing.parent_process():
        os._exit(7)
    return case


def process_of(case: str) -> int:
    return os.getpid()


@pytest.fixture
def at_once(monkeypatch):
    """Processes are started without asking whether they pay."""
    monkeypatch.setattr(shared_cases, "START_S", 0.0)


def in_both_threads(both: threading.Barrier, task: Task, case: str) -> Any:
    """The task, of the first two cases only once another thread has begun one."""
    if case in CASES[:2]:
        both.wait(20)
    return task(case)


@pytest.fixture(params=["alone", "process", "thread"])
def cases_by(request, at_once, tmp_path):
    """``over_cases`` by this process, and by it and a process or thread that takes a case."""

    def computed(task: Task) -> list[Any]:
        if request.param == "process":
            task = partial(together, tmp_path / "mark", task)
        if request.param == "thread":
            both = partial(in_both_threads, threading.Barrier(2), task)
            return over_cases(both, CASES, Workers(2), beside=shared_cases.thread)
        return over_cases(task, CASES, Workers(1 if request.param == "alone" else 2))

    return computed


def test_results_come_in_the_order_of_cases_for_any_number_of_workers(cases_by):
    assert cases_by(third) == [third(case) for case in CASES]


def test_all_that_fail_are_named_once_the_others_are_finished(tmp_path, cases_by):
    log = tmp_path / "log"
    log.mkdir()
    with pytest.raises(Refused) as error:
        cases_by(partial(refuse_odd, log))
    assert [line.split(":")[0] for line in str(error.value).splitlines()] == [
        "case case1", "case case3",
    ]  # fmt: skip
    assert sorted(file.name for file in log.iterdir()) == CASES


def test_a_bug_keeps_its_traceback_and_its_case(cases_by):
    with pytest.raises(EndedError, match=r"(?s)ZeroDivisionError.*case2"):
        cases_by(fail_at_2)


def last_first(both: threading.Barrier, case: str) -> str:
    """Case 0 ends after case 1, which another thread has."""
    if case in CASES[:2]:
        both.wait(20)
    time.sleep(0.1 if case == "case0" else 0.0)
    return case


def test_results_are_in_order_where_cases_end_in_another():
    task = partial(last_first, threading.Barrier(2))
    assert shared_cases.shared(task, CASES, 2, shared_cases.thread) == CASES


def interrupted(mark: Path, case: str) -> None:
    """Ctrl-C in this process while another is in a case that has no end."""
    if multiprocessing.parent_process():
        mark.touch()
        time.sleep(600)
    while not mark.exists():
        time.sleep(0.01)
    raise KeyboardInterrupt


def test_an_interrupt_ends_the_others(at_once, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        over_cases(partial(interrupted, tmp_path / "mark"), CASES, Workers(2))
    assert not multiprocessing.active_children()


def test_once_a_worker_is_killed_no_case_is_begun(at_once, tmp_path):
    kept = Kept(tmp_path / "kept")
    with pytest.raises(EndedError):
        over_cases(partial(killed_first, tmp_path), CASES, Workers(2), kept)
    assert set(kept.read(CASES)) == {"case0"}


def killed_first(folder: Path, case: str) -> str:
    """Be killed; in this process, wait until it was noticed."""
    if multiprocessing.parent_process():
        (folder / "mark").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    while not (folder / "mark").exists() or multiprocessing.active_children():
        time.sleep(0.01)
    time.sleep(0.2)
    return case


def test_small_cases_start_no_process():
    assert set(over_cases(process_of, CASES, Workers(2))) == {os.getpid()}


def test_cases_longer_than_a_start_are_shared(at_once, tmp_path):
    task = partial(together, tmp_path / "mark", process_of)
    assert len(set(over_cases(task, CASES, Workers(2)))) == 2


def threads_beside(case: str) -> dict[str, str] | None:
    """What a process beside this one finds set; None in this one."""
    if not multiprocessing.parent_process():
        return None
    return {name: os.environ[name] for name in shared_cases.ONE_THREAD}


def test_a_process_beside_has_one_thread(at_once, tmp_path, monkeypatch):
    for name in shared_cases.ONE_THREAD:
        monkeypatch.setenv(name, "7")
    results = over_cases(partial(together, tmp_path / "mark", threads_beside), CASES, Workers(2))
    beside = [each for each in results if each is not None]
    assert beside
    assert all(set(each.values()) == {"1"} for each in beside)


def test_kill_9_of_a_job_ends_the_process_beside_it(tmp_path):
    command = [sys.executable, "-m", shared_tasks.__name__, str(tmp_path)]
    launcher = subprocess.Popen(command, env=importing())
    beside = pid_in(tmp_path / "beside")
    launcher.kill()
    launcher.wait()
    assert gone(beside, timeout_s=5)


@pytest.mark.parametrize(
    ("end", "says"), [(be_killed, "was killed.*run the same"), (leave, r"ended itself \(7\)")]
)
def test_a_worker_that_ends_is_named_and_what_was_finished_is_not_computed_again(
    tmp_path, at_once, end, says
):
    kept = Kept(tmp_path / "kept")
    with pytest.raises(EndedError, match=says):
        over_cases(partial(together, tmp_path / "mark", end), CASES, Workers(2), kept)
    finished = kept.read(CASES)
    assert "case0" in finished
    assert "case1" not in finished
    log = tmp_path / "log"
    log.mkdir()
    over_cases(partial(note, log), CASES, Workers(1), kept)
    assert {file.name for file in log.iterdir()} == set(CASES) - set(finished)


def note(log: Path, case: str) -> str:
    (log / case).touch()
    return case


def test_a_result_that_was_kept_is_the_same_to_the_last_bit(tmp_path):
    kept = Kept(tmp_path)
    first = over_cases(third, CASES, Workers(), kept)
    assert over_cases(fail_at_2, CASES, Workers(), kept) == first  # read, not computed
    kept.done()
    assert kept.read(CASES) == {}


def test_a_cluster_that_does_not_answer_is_refused_by_its_address(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("thinslice.runtime.over_cases.CONNECT_S", 1)
    with pytest.raises(Refused, match=r"dask_scheduler: .*tcp://127\.0\.0\.1:9"):
        over_cases(third, CASES, Workers(scheduler="tcp://127.0.0.1:9"))


@pytest.mark.parametrize(
    ("package", "same"), [("numpy", False), ("python", False), ("snakemake", True)]
)
def test_a_worker_with_other_packages_that_compute_is_another(monkeypatch, package, same):
    ours = job._digest.__wrapped__()
    others = {**environment.versions(), package: "0"}
    monkeypatch.setattr(environment, "versions", lambda: others)
    assert (job._digest.__wrapped__() == ours) is same


def test_another_worker_computes_nothing(tmp_path):
    outcome = job._by_same_code(
        partial(job._attempt, third, None), "another", str(tmp_path), "case0"
    )
    assert "another thinslice, Python or packages" in outcome.reason
    assert outcome.result is None


def test_without_distributed_the_refusal_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(Refused, match=r"thinslice\[cluster\]"):
        over_cases(third, CASES, Workers(scheduler="tcp://127.0.0.1:9"))
