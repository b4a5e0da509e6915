"""Any number of workers computes the same; a failing case is named, the others are finished."""

import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from thinslice.errors import Refused
from thinslice.provenance import environment
from thinslice.runtime import over_cases as job
from thinslice.runtime.kept_results import Kept
from thinslice.runtime.over_cases import Workers, over_cases
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


def die_at_3(kept: Path, case: str) -> str:
    """Be killed at one case, once another is finished."""
    while case == "case3":
        if any(kept.glob("*.json")):
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.01)
    return case


@pytest.mark.parametrize("n", [1, 2])
def test_results_come_in_the_order_of_cases_for_any_number_of_workers(n):
    assert over_cases(third, CASES, Workers(n)) == [third(case) for case in CASES]


@pytest.mark.parametrize("n", [1, 2])
def test_all_that_fail_are_named_once_the_others_are_finished(tmp_path, n):
    with pytest.raises(Refused) as error:
        over_cases(partial(refuse_odd, tmp_path), CASES, Workers(n))
    assert [line.split(":")[0] for line in str(error.value).splitlines()] == [
        "case case1", "case case3",
    ]  # fmt: skip
    assert sorted(file.name for file in tmp_path.iterdir()) == CASES


@pytest.mark.parametrize("n", [1, 2])
def test_a_bug_keeps_its_traceback_and_its_case(n):
    with pytest.raises(EndedError, match=r"(?s)ZeroDivisionError.*case2"):
        over_cases(fail_at_2, CASES, Workers(n))


def test_a_killed_worker_is_named_and_what_was_finished_is_not_computed_again(tmp_path):
    kept = Kept(tmp_path / "kept")
    with pytest.raises(EndedError, match="was killed"):
        over_cases(partial(die_at_3, kept.folder), CASES, Workers(2), kept)
    finished = kept.read(CASES)
    assert "case3" not in finished
    assert len(finished) >= 1
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
