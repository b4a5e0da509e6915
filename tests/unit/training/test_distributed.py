"""Several processes train as one would: the same curve, the same weights, also after a kill."""

import csv
import os
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from support import toy_distributed as toy
from support.paths import importing
from thinslice.interfaces import Run
from thinslice.runtime import device
from thinslice.runtime.processes import EndedError
from thinslice.training.distributed import ProcessGroup, together

CPU = torch.device("cpu")
# In double precision two processes differ from one by the order of sums alone.
SAME = {"rtol": 1e-9, "atol": 1e-12}


def numbers(curve: Path) -> np.ndarray:
    """Step, loss, validation and rate of every row."""
    with curve.open() as file:
        rows = list(csv.DictReader(file))
    return np.array(
        [[float(row[c] or "nan") for c in ("step", "loss", "val", "lr")] for row in rows]
    )


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("alone")
    toy.start(partial(toy.learn_all, folder), 1)
    return folder


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> Path:
    """What two processes did: the trainings, then what goes wrong."""
    folder = tmp_path_factory.mktemp("two")
    toy.start(partial(toy.learn_and_go_wrong, folder), 2)
    return folder


@pytest.mark.parametrize("plan", toy.PLANS)
def test_two_processes_learn_what_one_does_from_the_same_batches(plan, alone, two):
    ours, theirs = numbers(two / plan / "curve.csv"), numbers(alone / plan / "curve.csv")
    np.testing.assert_allclose(ours, theirs, **SAME)
    assert len({tuple(row) for row in theirs}) > 5, "and something was learned"
    assert theirs[-1, 1] < 0.9 * theirs[0, 1]
    first, second = (toy.tensors(two / plan / f"weights{rank}") for rank in (0, 1))
    expected, untrained = toy.tensors(alone / plan / "weights0"), toy.network().state_dict()
    for name, tensor in expected.items():
        np.testing.assert_allclose(first[name], tensor, **SAME)
        np.testing.assert_array_equal(first[name], second[name])
        learns = name.split(".")[0] in ("first", "last")
        assert np.array_equal(tensor, untrained[name].numpy()) != learns


def test_the_plans_have_what_a_team_could_miss(alone):
    """A rate that fell on a plateau, and a gradient that was clipped."""
    plan = toy.PLANS["plateau and clip"]
    assert plan.clip_norm
    assert len(set(numbers(alone / "plateau and clip" / "curve.csv")[:, 3])) > 1


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("odd batch", "Refused: a batch of 5 .* 2 processes: set batch .* gpus"),
        ("loss", "DivergedError: the loss became nan by step 4"),
        ("batch norm", "Refused: batch norm"),
    ],
)
def test_what_goes_wrong_every_process_says_and_none_hangs(what, says, two):
    said = [(two / f"{what} {rank}").read_text() for rank in (0, 1)]
    assert said[0] == said[1]
    assert re.match(says, said[0]), said[0]
    assert not list((two / what).glob("checkpoint*"))


def test_shares_lie_side_by_side_and_what_all_need_is_left_whole():
    x, references = torch.arange(6.0).reshape(6, 1), torch.arange(3.0)
    parts = [ProcessGroup(rank, 3, CPU).share((x, references), whole=(1,)) for rank in range(3)]
    assert torch.equal(torch.cat([part[0] for part in parts]), x)
    assert all(len(part[0]) == 2 and torch.equal(part[1], references) for part in parts)
    assert ProcessGroup(0, 1, CPU).share((x[:5],))[0].shape == (5, 1)


def test_a_run_that_names_others_who_never_came_is_refused(tmp_path):
    with pytest.raises(RuntimeError, match="have not met"):
        toy.learn(toy.PLANS["plain"], tmp_path, Run(device="cpu", processes=2))


def killed(folder: Path, n: int, victim: str, at: int) -> str:
    """Kill -9 one of ``n`` processes, or their launcher, at a step; what was said in the end."""
    stops = "0" if victim == "launcher" else victim
    command = [sys.executable, "-m", toy.__name__, str(folder), str(at), stops, str(n)]
    job = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=importing()
    )
    assert job.stdout is not None
    pid = int(job.stdout.readline())
    os.kill(job.pid if victim == "launcher" else pid, signal.SIGKILL)
    _, said = job.communicate()  # which is when all have closed their end
    assert job.returncode
    assert not (folder / "weights").exists()
    return said


@pytest.fixture(scope="module", params=[2, 3])
def unkilled(request, tmp_path_factory) -> tuple[int, Path]:
    folder = tmp_path_factory.mktemp("unkilled")
    toy.start(partial(toy.learn_with_drop_out, folder), request.param)
    return request.param, folder


@pytest.mark.slow
@pytest.mark.parametrize(("victim", "at"), [("0", 41), ("1", 23), ("launcher", 30)])
def test_killed_with_kill_9_and_run_again_it_ends_with_the_same_bits(
    victim, at, unkilled, tmp_path
):
    n, folder = unkilled
    said = killed(tmp_path, n, victim, at)
    if victim != "launcher":
        assert f"process {victim} of {n} (they count from 0) was killed by SIGKILL" in said
    toy.start(partial(toy.learn_with_drop_out, tmp_path), n)
    assert at - 3 < int((tmp_path / "resumed").read_text()) < at
    assert (tmp_path / "weights").read_bytes() == (folder / "weights").read_bytes()
    np.testing.assert_array_equal(numbers(tmp_path / "curve.csv"), numbers(folder / "curve.csv"))


@pytest.mark.slow
def test_begun_by_one_process_it_is_gone_on_with_by_two(tmp_path):
    killed(tmp_path, 1, "0", 30)
    toy.start(partial(toy.learn_with_drop_out, tmp_path), 2)
    assert 27 < int((tmp_path / "resumed").read_text()) < 30


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_two_gpus_learn_what_one_does(alone, tmp_path):
    with device.group(Run(device="cuda", progress=False), 2) as runs:
        together(partial(toy.learn_all, tmp_path), runs)
    for plan in toy.PLANS:
        ours, theirs = numbers(tmp_path / plan / "curve.csv"), numbers(alone / plan / "curve.csv")
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.slow
def test_one_that_fails_ends_the_job(tmp_path):
    with pytest.raises(EndedError, match=r"process 1 of 2 .*only the second"):
        toy.start(partial(toy.fail_in_the_second, tmp_path), 2)
