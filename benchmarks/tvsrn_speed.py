"""Measure time and memory of TVSRN against plain PyTorch: one training step and one pass.

    python benchmarks/tvsrn_speed.py [--side 256] [--train-side 128] [--rounds 2] [--authors FOLDER]

The network is the released one, 4 x side x side thick voxels. The baseline is the same network and
weights in plain PyTorch, with blocks structured as its authors did (``plain_swin.py``); it is not
the authors' code, which is measured beside it where ``--authors``, or AUTHORS of the environment,
is a folder with a clone of it (``authors_networks.py``). Every measurement runs in its own process,
all kinds in turn; memory is its peak resident size less that with the network and its input ready.
Ours keeps freed memory as its jobs do (``runtime.heap``), the baseline has the C library's default.
Training is measured a second time with room to keep what is else computed again (``nets.kept``).
OpenVINO is left out where it is not installed, and in bfloat16 where the CPU has no units for it;
by how much that differs depends on the weights, and these are random.
"""

import argparse
import os
from importlib.util import find_spec
from pathlib import Path

import torch
from alone import compare, measured_alone, printed
from authors_networks import tvsrn
from measuring import Seconds, reached
from plain_swin import make_plain
from torch.nn.functional import l1_loss

from thinslice.inference.openvino_blocks import by_openvino
from thinslice.nets.kept import Keeps, Room
from thinslice.nets.tvsrn_released import TVSRNReleased
from thinslice.runtime import heap
from thinslice.training.precision import cpu_has_bf16

ROOM = Room(1 << 40)  # for all that a network would keep
BF16 = "openvino, bf16"


def network(kind: str) -> torch.nn.Module:
    """The released network with fixed weights, large enough that every part matters."""
    torch.manual_seed(0)
    net = TVSRNReleased().eval()  # no drop path: all kinds compute the same
    for p in net.parameters():
        if p.ndim > 1:
            torch.nn.init.normal_(p, std=p[0].numel() ** -0.5)
    for module in net.modules():
        if isinstance(module, Keeps) and kind == "ours, keeping":
            module.room = ROOM
    return make_plain(net) if kind == "plain" else net


def of_kind(kind: str, a: argparse.Namespace, side: int) -> torch.nn.Module:
    """The network, by another engine or by its authors where ``kind`` says so."""
    net = network(kind)
    if kind == "authors":
        return tvsrn(Path(a.authors), net, side).eval()
    return by_openvino(net, 1, bf16=kind == BF16) if kind in ("openvino", BF16) else net


def measure(task: str, kind: str, a: argparse.Namespace, out: Path) -> dict:
    """Time one task once, after a warm-up."""
    torch.set_num_threads(1)
    if kind not in ("plain", "authors"):
        heap.keep()
    side = a.side if task == "restore" else a.train_side
    net = of_kind(kind, a, side)
    generator = torch.Generator().manual_seed(1)
    thick = torch.rand(1, 1, 4, side, side, generator=generator)
    thin = torch.rand(1, 1, 10, side, side, generator=generator)
    warm = side if kind == "authors" else 32  # theirs takes one size
    run(net, task, thick[..., :warm, :warm], thin[..., :warm, :warm])
    outputs, row = measured_alone(lambda: run(net, task, thick, thin))
    torch.save(outputs, out)
    return row


def run(
    net: torch.nn.Module, task: str, thick: torch.Tensor, thin: torch.Tensor
) -> dict[str, torch.Tensor]:
    """The restored slices; for training also the gradients of one step."""
    if task == "restore":
        with torch.inference_mode():
            return {"restored": net(thick)}
    net.zero_grad(set_to_none=True)
    restored = net(thick)
    l1_loss(restored, thin).backward()
    gradients = {n: p.grad for n, p in net.named_parameters() if p.grad is not None}
    return {"restored": restored.detach(), **gradients}


def differences(path: Path, reference: Path) -> str:
    """Largest absolute difference of slices, and of gradients relative to their largest value."""
    a, b = (torch.load(path, weights_only=True) for path in (path, reference))
    restored = float((a.pop("restored") - b.pop("restored")).abs().max())
    shared = [n for n in b if n in a]  # the authors' have other names
    gradients = [
        float((a[n] - b[n]).abs().max() / b[n].abs().max().clamp_min(1e-30)) for n in shared
    ]
    return f"{restored:.1e}" + (f", gradients {max(gradients):.1e}" if gradients else "")


def kinds_of(task: str, a: argparse.Namespace) -> list[str]:
    """What is measured, the baseline first."""
    engine = ["openvino"] if find_spec("openvino") else []
    engine += [BF16] if engine and cpu_has_bf16() else []
    ours = {"restore": ["ours", *engine], "train": ["ours", "ours, keeping"]}[task]
    return ["plain", *ours, *(["authors"] if a.authors else [])]


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--side", type=int, default=256, help="pixels along y and x, restoring")
    p.add_argument("--train-side", type=int, default=128, help="the same of a training step")
    p.add_argument("--rounds", type=int, default=2, help="of all kinds in turn")
    p.add_argument("--authors", default=os.environ.get("AUTHORS"), help="folder of their clones")
    p.add_argument("--only", nargs=3, metavar=("TASK", "KIND", "OUT"), help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.only:
        printed(measure(a.only[0], a.only[1], a, Path(a.only[2])))
        return
    print("TVSRN as released, 1 thread; plain: PyTorch in its authors' structure, not their files")
    cpu: dict[str, dict[str, Seconds]] = {}
    for task, side in (("restore", a.side), ("train", a.train_side)):
        title = f"{task}, 4 x {side} x {side}"
        cpu[task] = compare(title, __file__, task, kinds_of(task, a), a.rounds, differences)
    plain = cpu["restore"]["plain"]
    for kind, name in (("ours", "eager"), ("openvino", "OpenVINO")):
        if kind in cpu["restore"]:
            row = cpu["restore"][kind]
            reached(f"TVSRN as released, restore, user, {name}", plain.user / row.user)
            reached(f"TVSRN as released, restore, user + system, {name}", plain.ratio(row))
    train = cpu["train"]
    reached("TVSRN training step, user", train["plain"].user / train["ours, keeping"].user)
    reached("TVSRN training step, user + system", train["plain"].ratio(train["ours, keeping"]))


if __name__ == "__main__":
    main()
