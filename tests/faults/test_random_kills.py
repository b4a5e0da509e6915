"""Killed at random moments over the whole graph, the same command ends with the same results.

Four runs from an empty folder, each struck five times: the driver alone, so that its jobs go on
as orphans; one job; the driver with its jobs; and these with something lost as by a power cut.
"""

import random
import time
from collections import Counter

import pytest

from support import kills, lost_writes
from support.checkout import Checkout, fresh
from support.random_times import Moment, spread, timeline
from support.same_results import assert_same
from thinslice.workflow.recovery import stale

SEEDS = (1, 2, 3, 4)
STRIKES = 5
KINDS = ("driver", "job", "everything", "power cut")
STAGES = ({"train"}, {"restore"}, {"convert", "degrade"})  # of each, one must be hit


@pytest.mark.slow
@pytest.mark.timeout(3600)  # one of its four runs took five minutes at a load of 11
def test_struck_at_twenty_random_moments_the_same_command_ends_the_same(finished, tmp_path):
    struck: Counter[str] = Counter()
    kinds = [kind for kind in KINDS for _ in range(len(SEEDS) * STRIKES // len(KINDS))]
    random.Random(0).shuffle(kinds)
    ways = iter(lost_writes.WAYS)
    for i, seed in enumerate(SEEDS):
        chain = _Chain(fresh(tmp_path / f"seed {seed}" / "thinslice"), seed, ways)
        moments = spread(chain.rng, timeline(finished.folder / "results"), STRIKES)
        for kind, moment in zip(kinds[i * STRIKES :], moments):
            struck.update(chain.strike(kind, moment))
        chain.end()
        assert_same(chain.checkout, finished)
    print(f"stages struck: {dict(struck)}")
    assert all(any(struck[stage] for stage in group) for group in STAGES), struck


class _Chain:
    """One run, struck again and again; started anew by the same command whenever it ended."""

    def __init__(self, checkout: Checkout, seed: int, ways):
        self.checkout, self.seed, self.ways = checkout, seed, ways
        self.rng = random.Random(seed)
        self.driver = checkout.start()

    def strike(self, kind: str, moment: Moment) -> list[str]:
        """Wait for the moment, strike; the stages of the jobs that ran then."""
        self._wait(moment)
        folder = self.checkout.folder
        running = sorted(kills.jobs(folder).values())
        if kind == "driver":
            kills.driver_alone(folder, self.driver, self.rng)
        elif kind == "job":
            kills.one_job(folder, self.driver, self.rng)
        else:
            kills.everything(folder, self.driver, self.rng)
        lost = lost_writes.lose(folder, self.rng, next(self.ways)) if kind == "power cut" else ""
        print(f"seed {self.seed}: {kind} at {moment.fraction:.2f} of the run: {running} {lost}")
        return running

    def end(self) -> None:
        """To the end, undisturbed."""
        if self.driver.poll() is None:
            self.driver.wait()
        self.checkout.run()

    def _wait(self, moment: Moment) -> None:
        reached = None
        while reached is None or time.monotonic() - reached < moment.seconds:
            if self.driver.poll() is not None:
                self.driver = self.checkout.start()
            if reached is None and self._recorded() >= moment.recorded:
                reached = time.monotonic()
            time.sleep(0.02)

    def _recorded(self) -> int:
        return sum(1 for _ in stale.records(self.checkout.folder / "results"))
