"""Batches are drawn ahead of the steps, the same for any number of readers."""

import threading
import time

import pytest
import torch

from thinslice.training import batches
from thinslice.training.batches import Waited, ahead


def draw(rng):
    time.sleep(float(rng.random()) / 1000)  # later steps may be ready first
    return (torch.from_numpy(rng.standard_normal(5)),)


@pytest.mark.parametrize("readers", [1, 2, 5])
def test_every_step_gets_its_batch_whatever_the_readers(readers):
    alone = list(ahead(draw, 7, range(3, 20), 1))
    assert len(alone) == 17
    drawn = list(ahead(draw, 7, range(3, 20), readers))
    assert all(torch.equal(a, b) for (a,), (b,) in zip(alone, drawn, strict=True))


def test_several_readers_draw_at_once():
    together = threading.Barrier(3, timeout=20)  # raises where fewer than three wait at it

    def meet(rng):
        together.wait()
        return (torch.zeros(1),)

    assert len(list(ahead(meet, 0, range(6), 3))) == 6


def test_waiting_is_counted_and_work_is_not(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(batches.time, "monotonic", lambda: clock[0])

    def drawn():
        for seconds in (2.0, 3.0):
            clock[0] += seconds
            yield (torch.zeros(1),)

    waited = Waited(drawn())
    for _ in waited:
        clock[0] += 10.0  # a step
    assert waited.seconds == 5.0
