"""Freed activations stay in the process until asked for, volumes do not; no number changes."""

import json
import subprocess
import sys

import pytest

from thinslice.runtime import heap

pytestmark = pytest.mark.skipif(not heap.is_glibc(), reason="the C library is not glibc")

STEPS = """
import json, resource, sys, torch
from thinslice.runtime import heap

torch.set_num_threads(1)
torch.manual_seed(0)
if sys.argv[1] == "kept":
    assert heap.keep()
net = torch.nn.Sequential(*(torch.nn.Conv2d(8, 8, 3, padding=1) for _ in range(6)))
x = torch.ones(4, 8, 96, 96)

def step():
    loss = net(x).square().mean()
    loss.backward()
    return float(loss)

losses = [step() for _ in range(3)]
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
losses += [step() for _ in range(20)]
print(json.dumps([resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before, losses]))
"""

BLOCKS = """
import json, numpy as np
from thinslice.inference.memory import resident_bytes
from thinslice.runtime import heap

heap.keep()
sizes = [resident_bytes()]
blocks = [np.ones(2**21) for _ in range(8)]  # 16 MiB each, less than LARGE
sizes.append(resident_bytes())
del blocks
sizes.append(resident_bytes())
heap.give_back()
sizes.append(resident_bytes())
volume = np.ones(heap.LARGE // 4)
del volume
sizes.append(resident_bytes())
print(json.dumps([size / 2**20 for size in sizes]))
"""


def printed(script, *arguments):
    """What a process of its own prints: other tests have left holes in the heap of this one."""
    command = [sys.executable, "-c", script, *arguments]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_a_training_step_finds_the_pages_of_the_last_and_computes_the_same():
    kept, losses = printed(STEPS, "kept")
    mapped_anew, losses_before = printed(STEPS, "as it is")
    assert kept < mapped_anew / 10
    assert losses == losses_before


def test_what_is_freed_stays_until_it_is_given_back_but_a_volume_goes_at_once():
    empty, full, freed, given_back, after_a_volume = printed(BLOCKS)
    assert full - empty == pytest.approx(128, abs=8)
    assert freed == pytest.approx(full, abs=8)
    assert given_back == pytest.approx(empty, abs=8)
    assert after_a_volume == pytest.approx(empty, abs=8)
