"""A training keeps what its memory cap leaves room for, and computes the rest again."""

import pytest
import torch

from thinslice.interfaces import Run
from thinslice.nets.swin import SwinStack
from thinslice.training import activations, loop
from thinslice.training.curve import manner_facts
from thinslice.training.plan import Plan

CPU = torch.device("cpu")


@pytest.fixture
def rooms(monkeypatch):
    """The rooms of trainings, of a process that has 1 GiB resident."""
    made = []

    def room(nbytes):
        made.append(Room(nbytes))
        return made[-1]

    Room = activations.Room
    monkeypatch.setattr(activations, "Room", room)
    monkeypatch.setattr(activations, "resident_bytes", lambda: 1 << 30)
    return made


def trained(work, run: Run) -> dict[str, torch.Tensor]:
    """Weights of three steps."""
    torch.manual_seed(0)
    net = SwinStack(8, 2, (4, 4), 2, [0.0, 0.1])

    def draw(rng):
        return (torch.from_numpy(rng.standard_normal((1, 8, 8, 8), "float32")),)

    def loss(net, batch):
        return net(batch[0]).square().mean()

    loop.train(net, draw, loss, Plan(steps=3), work=work, run=run)
    assert all(block.room is None for block in net.blocks)
    return net.state_dict()


def test_weights_are_those_of_a_training_that_keeps_nothing(tmp_path, rooms):
    expected = trained(tmp_path / "none", Run(device="cpu"))
    little = trained(tmp_path / "little", Run(device="cpu", max_memory_gib=1.00001))
    much = trained(tmp_path / "much", Run(device="cpu", max_memory_gib=2))
    without, small, large = rooms
    assert (without.most, small.most) == (0, 0)
    assert large.most == 2 * 64 * (7 * 8 + 2 * 16) * 4  # blocks, tokens, numbers of a token, bytes
    for weights in (little, much):
        assert all(torch.equal(weights[name], expected[name]) for name in expected)


def test_a_room_is_half_of_what_is_left_below_the_cap(rooms):
    assert activations.room_bytes(Run(max_memory_gib=3), CPU) == 1 << 30
    assert activations.room_bytes(Run(max_memory_gib=4, processes=2), CPU) == 1 << 29
    assert activations.room_bytes(Run(max_memory_gib=0.5), CPU) == 0
    assert activations.room_bytes(Run(), CPU) == 0
    assert activations.room_bytes(Run(max_memory_gib=3), torch.device("cuda")) == 0


def test_the_curve_says_how_a_step_was_computed(tmp_path, rooms):
    def facts(cap_gib: float | None) -> dict[str, object]:
        work = tmp_path / str(cap_gib)
        trained(work, Run(device="cpu", max_memory_gib=cap_gib))
        return manner_facts(work / "curve.csv")

    block = 64 * 7 * 8 * 4  # bytes: tokens, numbers of a token, bytes of each
    half = 1 + 1.5 * block / 2**29  # a room for the first block alone
    assert facts(None) == {
        "precision": "fp32", "activations": "recomputed", "activations_room_mib": 0,
    }  # fmt: skip
    assert facts(half)["activations"] == "kept in part"
    assert facts(2) == {"precision": "fp32", "activations": "kept", "activations_room_mib": 512}


def test_a_network_without_such_blocks_says_nothing_of_activations(tmp_path):
    net = torch.nn.Linear(1, 1)
    loop.train(
        net,
        lambda rng: (torch.ones(1, 1),),
        lambda net, batch: net(batch[0]).square().mean(),
        Plan(steps=1),
        work=tmp_path,
        run=Run(device="cpu", max_memory_gib=64),
    )
    assert manner_facts(tmp_path / "curve.csv") == {"precision": "fp32"}
