"""Optimisers of torch without its compiler: the same bits, and nothing of it is loaded."""

import subprocess
import sys

import pytest
import torch

from support.paths import importing
from thinslice.training import optimisers

STEPS = 5
TRAINED = """
import sys, tempfile, torch
from pathlib import Path
from support import toy_training
from thinslice.inference.tensor_memory import peak_bytes
peak_bytes(torch.nn.Conv2d(1, 1, 3), torch.zeros(1, 1, 4, 4))
toy_training.run(Path(tempfile.mkdtemp()), toy_training.PLAN)
sys.exit("torch._dynamo" in sys.modules)
"""


def descended(kind) -> list[torch.Tensor]:
    """Weights after some steps, the optimiser saved and loaded in between, and its state."""
    torch.manual_seed(1)
    net = torch.nn.Conv2d(1, 3, 3)
    descent = kind(net.parameters(), lr=1e-2, weight_decay=1e-2)
    for step in range(STEPS):
        descent.zero_grad()
        net(torch.rand(1, 1, 8, 8)).square().sum().backward()
        descent.step()
        if step == 1:
            descent.load_state_dict(descent.state_dict())
    state = descent.state_dict()["state"]
    return [*net.state_dict().values(), *(each["exp_avg_sq"] for each in state.values())]


@pytest.mark.parametrize("name", ["Adam", "AdamW"])
def test_the_numbers_are_those_of_torch(name):
    theirs, ours = (descended(getattr(room, name)) for room in (torch.optim, optimisers))
    assert all(map(torch.equal, theirs, ours))
    assert any(each.any() for each in ours)


def test_neither_a_training_nor_a_measured_network_loads_the_compiler(tmp_path):
    environment = {**importing(), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", TRAINED], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
