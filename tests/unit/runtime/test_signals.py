"""Ctrl-C while training: the step ends, what was learned is saved, and no step counts twice."""

import os
import signal
from dataclasses import replace

import pytest

from support import toy_training as toy
from support.signals import of_a_terminal
from support.toy_training import curve_numbers, same
from thinslice.runtime import signals

RARELY = replace(toy.PLAN, checkpoint_every_s=3600.0)


class StoppedError(KeyboardInterrupt):
    """What an answer to SIGTERM raises."""


@pytest.fixture(autouse=True)
def in_a_terminal():
    with of_a_terminal():
        yield


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return toy.run(tmp_path_factory.mktemp("whole"), RARELY)


def stopped(folder, monkeypatch, after, *signals):
    """A training that gets signals in the middle of a step, before the network learned from it."""
    computed, steps = toy.loss, []

    def loss(net, batch):
        value = computed(net, batch)
        steps.append(None)
        if len(steps) == after + 1:
            for number in signals:
                os.kill(os.getpid(), number)
        return value

    with monkeypatch.context() as patched:
        patched.setattr(toy, "loss", loss)
        with pytest.raises(KeyboardInterrupt) as how:
            toy.run(folder, RARELY)
    assert len(steps) == after + 1
    return how.type


@pytest.mark.parametrize("after", [0, 22, 59])
def test_stopped_and_run_again_it_goes_on_behind_that_step_and_ends_with_the_same_bits(
    undisturbed, tmp_path, monkeypatch, after
):
    stopped(tmp_path, monkeypatch, after, signal.SIGINT)
    net, trained = toy.run(tmp_path, RARELY)
    assert trained.resumed_at == after + 1
    assert same(net, undisturbed[0])
    assert curve_numbers(trained) == curve_numbers(undisturbed[1])


def test_the_second_ctrl_c_does_not_wait_and_saves_no_half_step(undisturbed, tmp_path, monkeypatch):
    stopped(tmp_path, monkeypatch, 22, signal.SIGINT, signal.SIGINT)
    net, trained = toy.run(tmp_path, RARELY)
    assert trained.resumed_at == 0
    assert same(net, undisturbed[0])


def test_a_signal_that_a_command_answers_is_held_too_and_keeps_its_answer(tmp_path, monkeypatch):
    def answer(number, frame):
        raise StoppedError

    before = signal.signal(signal.SIGTERM, answer)
    try:
        assert stopped(tmp_path, monkeypatch, 5, signal.SIGTERM) is StoppedError
        assert signal.getsignal(signal.SIGTERM) is answer
    finally:
        signal.signal(signal.SIGTERM, before)
    assert toy.run(tmp_path, RARELY)[1].resumed_at == 6


def test_a_signal_that_kills_outright_still_does():
    with signals.deferred():
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
