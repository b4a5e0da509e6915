"""The loop learns, and a killed training goes on as if nothing had happened."""

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from support import toy_training as toy
from support.paths import importing
from support.quick import slow_but
from thinslice.training import checkpoint, seeds, weights
from thinslice.training.curve import Curve
from thinslice.training.loop import train
from thinslice.training.plan import Plan, learning_rate, plateaus


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return toy.run(tmp_path_factory.mktemp("whole"))


def test_the_loss_falls_and_the_curve_says_so(undisturbed):
    _, trained = undisturbed
    curve = toy.rows(trained.curve)
    assert float(curve[-1]["loss"]) < 0.5 * float(curve[0]["loss"])
    assert [int(r["step"]) for r in curve] == sorted({*range(4, 61, 4), *range(7, 61, 7)})
    assert [int(r["step"]) for r in curve if r["val"]] == [*range(7, 57, 7), 60]
    assert all(float(r["speed"]) > 0 for r in curve)


def test_the_toy_has_what_a_resume_could_lose(undisturbed):
    """A rate that fell on a plateau, and best weights that are not the last."""
    _, trained = undisturbed
    assert len({r["lr"] for r in toy.rows(trained.curve)}) > 1
    assert trained.best_step < trained.steps


def test_the_same_seed_gives_the_same_bits_and_another_gives_others(undisturbed, tmp_path):
    assert toy.same(undisturbed[0], toy.run(tmp_path / "again")[0])
    assert not toy.same(undisturbed[0], toy.run(tmp_path / "other", replace(toy.PLAN, seed=4))[0])


@pytest.mark.parametrize("killed_at", slow_but([23], [2, 23, 58]))
def test_killed_with_kill_9_and_run_again_it_ends_with_the_same_bits(
    killed_at, undisturbed, tmp_path
):
    command = [sys.executable, "-m", toy.__name__, str(tmp_path)]
    job = subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**importing(), "OMP_NUM_THREADS": "1"}
    )
    assert job.stdout is not None
    for _ in range(killed_at):
        assert job.stdout.readline() == b"step\n"
    os.kill(job.pid, signal.SIGKILL)
    job.communicate()
    assert not (tmp_path / "weights").exists()
    net, trained = toy.run(tmp_path)
    assert trained.resumed_at > 0 or killed_at == 2
    assert trained.resumed_at < 60
    assert toy.same(net, undisturbed[0])
    assert toy.curve_numbers(trained) == toy.curve_numbers(undisturbed[1])


def test_rows_past_the_step_gone_on_from_and_torn_rows_are_dropped(tmp_path):
    path = tmp_path / "curve.csv"
    with Curve(path) as curve:
        for step in range(2, 12, 2):
            curve.add(step, 0.1, None, 1e-3, 1.0, 2.0)
    path.write_text(path.read_text() + "12,0.1,,1e-")
    with Curve(path, after=6) as curve:
        curve.add(8, 0.2, 0.3, 1e-3, 1.0, 2.0)
    assert [int(r["step"]) for r in toy.rows(path)] == [2, 4, 6, 8]
    assert toy.rows(path)[-1]["val"] == "0.3"
    with Curve(path):
        assert toy.rows(path) == []


class StopError(Exception):
    """Thrown in the middle of a training."""


def stopped(work: Path, after: int) -> None:
    """A training that ended early, with checkpoints of every step."""
    left = iter(range(after))

    def count() -> None:
        if next(left, None) is None:
            raise StopError

    with pytest.raises(StopError):
        toy.run(work, at_step=count)


@pytest.mark.parametrize("after", [1, 43, 59])
def test_stopped_anywhere_and_run_again_it_ends_with_the_same_bits(after, undisturbed, tmp_path):
    stopped(tmp_path, after)
    net, trained = toy.run(tmp_path)
    assert trained.resumed_at == after
    assert toy.same(net, undisturbed[0])
    assert trained[1:4] == undisturbed[1][1:4]
    assert toy.curve_numbers(trained) == toy.curve_numbers(undisturbed[1])


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b[:-9] + b"x" + b[-8:]])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(damage, undisturbed, tmp_path, caplog):
    stopped(tmp_path, 30)
    newest = tmp_path / checkpoint.NAMES[0]
    newest.write_bytes(damage(newest.read_bytes()))
    net, trained = toy.run(tmp_path)
    assert trained.resumed_at == 29
    assert "torn or was changed" in caplog.text
    assert toy.same(net, undisturbed[0])
    assert toy.curve_numbers(trained) == toy.curve_numbers(undisturbed[1])


def test_two_damaged_checkpoints_mean_starting_anew(undisturbed, tmp_path):
    stopped(tmp_path, 30)
    for name in checkpoint.NAMES:
        (tmp_path / name).write_bytes(b"")
    net, trained = toy.run(tmp_path)
    assert trained.resumed_at == 0
    assert toy.same(net, undisturbed[0])
    assert toy.curve_numbers(trained) == toy.curve_numbers(undisturbed[1])


@pytest.mark.parametrize("other", [{"key": "other data"}, {"plan": replace(toy.PLAN, lr=2e-2)}])
def test_a_checkpoint_of_another_training_is_not_used(other, tmp_path, caplog):
    stopped(tmp_path / "work", 30)
    net, trained = toy.run(tmp_path / "work", **other)
    assert trained.resumed_at == 0
    assert "belongs to another" in caplog.text
    assert toy.same(net, toy.run(tmp_path / "fresh", **other)[0])


def test_how_often_it_is_saved_does_not_change_what_is_learned(undisturbed, tmp_path):
    rarely = replace(toy.PLAN, checkpoint_every_s=1e9, log_every=50)
    assert toy.same(undisturbed[0], toy.run(tmp_path, rarely)[0])


def test_a_finished_training_is_not_run_twice(undisturbed, tmp_path):
    net, first = toy.run(tmp_path)
    again, second = toy.run(tmp_path)
    assert second.resumed_at == 60
    assert toy.same(net, again)
    assert first[1:4] == second[1:4]


def test_the_weights_kept_are_the_best_on_validation(tmp_path):
    net, vals = toy.network(), [3.0, 1.0, 2.0]
    seen = []

    def validate() -> float:
        assert not net.training
        seen.append({k: v.clone() for k, v in net.state_dict().items()})
        return vals[len(seen) - 1]

    plan = Plan(steps=6, validate_every=2, lr=1e-2)
    trained = train(
        net, toy.sample, toy.loss, plan, validate=validate, work=tmp_path, run=toy.QUIET
    )
    assert (trained.best_step, trained.best_val) == (4, 1.0)
    assert all(torch.equal(v, seen[1][k]) for k, v in net.state_dict().items())
    assert not torch.equal(seen[1]["0.weight"], seen[2]["0.weight"])
    assert not net.training


def test_a_loss_that_is_no_number_stops_the_training(tmp_path):
    plan = Plan(steps=40, lr=1e-2, log_every=5)
    with pytest.raises(FloatingPointError, match="learning rate"):
        train(
            toy.network(),
            toy.sample,
            lambda net, batch: toy.loss(net, batch) * float("nan"),
            plan,
            work=tmp_path,
            run=toy.QUIET,
        )
    assert not list(tmp_path.glob("checkpoint*"))


def test_a_training_that_fails_leaves_no_reader_behind(tmp_path):
    def failing(net, batch):
        raise RuntimeError("no loss")

    with pytest.raises(RuntimeError, match="no loss") as kept:  # and with it the frames it passed
        train(toy.network(), toy.sample, failing, toy.PLAN, work=tmp_path, run=toy.QUIET)
    assert kept.value.__traceback__
    assert not [each for each in threading.enumerate() if each.name.startswith("batches")]


def test_training_leaves_the_callers_random_numbers_alone(tmp_path):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    toy.run(tmp_path, replace(toy.PLAN, steps=2))
    assert torch.equal(before, torch.get_rng_state())
    with seeds.seeded(1):
        torch.rand(3)
    assert torch.equal(before, torch.get_rng_state())


def test_rates_follow_their_schedules():
    def rates(**kw) -> np.ndarray:
        plan = Plan(steps=10, lr=1.0, **kw)
        return np.array([learning_rate(plan, i) for i in range(10)])

    np.testing.assert_array_equal(rates(), np.ones(10))
    cosine = rates(schedule="cosine")
    assert cosine[0] == 1
    assert cosine[5] == pytest.approx(0.5)
    assert 0 < cosine[-1] < 0.03
    np.testing.assert_allclose(rates(warmup=3)[:4], [0.25, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(rates(schedule="step", decay_every=4)[[3, 4, 8]], [1, 0.1, 0.01])
    assert plateaus([3, 2, 2, 2], patience=1) == 1
    assert plateaus([3, 2, 2, 1, 2], patience=1) == 0


@pytest.mark.parametrize(
    "wrong",
    [{"steps": 0}, {"lr": 0.0}, {"schedule": "cosin"}, {"schedule": "step"}, {"precision": "fp8"}],
)
def test_a_plan_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match=r"\w"):
        Plan(**{"steps": 5, **wrong})


def save(path: Path, net, **kw) -> None:
    weights.save(path, net, **{"method": "toy", "network": {"c": 4}, "about": {"n": 1}, **kw})


def test_weights_come_back_as_they_went_and_twice_the_same_bytes(undisturbed, tmp_path):
    net = undisturbed[0]
    save(tmp_path / "a", net)
    save(tmp_path / "b", net)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    fresh = toy.network()
    assert weights.load(tmp_path / "a", fresh, method="toy", network={"c": 4}) == {"n": 1}
    assert toy.same(fresh, net)
    save(tmp_path / "c", net, about={"n": 2})
    save(tmp_path / "d", toy.network())
    assert weights.digest(tmp_path / "a") == weights.digest(tmp_path / "c")
    assert weights.digest(tmp_path / "a") != weights.digest(tmp_path / "d")


def test_weights_of_another_method_network_or_shape_are_refused(tmp_path):
    net = toy.network()
    save(tmp_path / "a", net)
    for wrong, says in [
        ({"method": "edsr"}, "'toy', not of 'edsr'"),
        ({"network": {"c": 8}}, "c 4 where 8"),
    ]:
        with pytest.raises(ValueError, match=says):
            weights.load(tmp_path / "a", net, **{"method": "toy", "network": {"c": 4}, **wrong})
    with pytest.raises(ValueError, match=r"2\.bias"):
        weights.load(tmp_path / "a", net[:2], method="toy", network={"c": 4})


def test_damaged_weights_are_refused_and_the_network_left_alone(tmp_path):
    net = toy.network()
    before = [p.clone() for p in net.parameters()]
    save(tmp_path / "good", toy.run(tmp_path)[0])
    data = (tmp_path / "good").read_bytes()
    torch.save(net.state_dict(), tmp_path / "pickled")
    bad = [data[: len(data) * k // 10] for k in range(10)]
    bad += [b"junk" * 99, (tmp_path / "pickled").read_bytes()]
    for content in bad:
        (tmp_path / "bad").write_bytes(content)
        with pytest.raises(ValueError, match="bad is not a whole weights file"):
            weights.load(tmp_path / "bad", net, method="toy", network={"c": 4})
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters()))


def test_a_changed_byte_in_weights_is_found_or_changes_nothing(tmp_path):
    """The archive has bytes without meaning; those may change, weights and settings may not."""
    net, found = toy.network(), 0
    save(tmp_path / "good", net)
    data = (tmp_path / "good").read_bytes()
    for i in range(0, len(data), 17):
        (tmp_path / "bad").write_bytes(data[:i] + bytes([data[i] ^ 4]) + data[i + 1 :])
        fresh = toy.network()
        try:
            about = weights.load(tmp_path / "bad", fresh, method="toy", network={"c": 4})
        except ValueError:
            found += 1
        else:
            assert toy.same(fresh, net)
            assert about == {"n": 1}
    assert found > len(data) / 17 / 2
