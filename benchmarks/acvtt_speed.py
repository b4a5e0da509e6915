"""Measure time and memory of ACVTT against plain PyTorch: some planes, and one training step.

    python benchmarks/acvtt_speed.py [--plane 256 256] [--reference 256] [--authors FOLDER]

The baseline (``plain_acvtt.py``) has the same network and weights in plain PyTorch, in its authors'
structure: it encodes the references for every plane and computes all scores at once. It is not the
authors' code, which is measured beside it where ``--authors``, or AUTHORS of the environment, is a
folder with a clone of it (``authors_networks.py``). Restoring, ours encodes the references once for
a scan; with about a thousand planes that is nothing, and it is left out of the seconds. A training
step encodes them anew, and is of one plane in float32. Every measurement runs in its own process,
all kinds in turn; memory is its peak resident size less that with the network and its input ready,
so ours counts what encoding the references takes, as every plane of the others does.
bf16 is left out where the CPU has no units for it.
"""

import argparse
import os
from pathlib import Path
from typing import Any

import torch
from alone import compare, measured_alone, peak_mib, printed
from authors_networks import acvtt
from measuring import reached
from plain_acvtt import PlainACVTT
from torch.nn.functional import l1_loss

from thinslice.families.rounding import InPrecision
from thinslice.nets.acvtt import ACVTT
from thinslice.runtime import heap
from thinslice.training.precision import cpu_has_bf16

AIMS = {"ours, fp32": "ACVTT restore, fp32", "ours, bf16": "ACVTT restore, bf16"}


def network() -> ACVTT:
    """ACVTT with fixed weights, large enough that every part matters."""
    torch.manual_seed(0)
    net = ACVTT()
    for p in net.parameters():
        if p.ndim > 1:
            torch.nn.init.normal_(p, std=p[0].numel() ** -0.5)
    return net.eval()


def inputs(a: argparse.Namespace) -> tuple[torch.Tensor, torch.Tensor]:
    """Planes and references of noise."""
    generator = torch.Generator().manual_seed(1)
    planes = torch.rand(a.planes, 1, *a.plane, generator=generator)
    return planes, torch.rand(3, 1, a.reference, a.reference, generator=generator)


def whole_of(kind: str, net: ACVTT, a: argparse.Namespace) -> torch.nn.Module:
    """The network of a plane and references, structured as ``kind`` says."""
    if kind == "authors":
        return acvtt(Path(a.authors), net)
    return PlainACVTT(net) if kind == "plain" else net


@torch.inference_mode()
def restore(kind: str, a: argparse.Namespace) -> tuple[dict[str, torch.Tensor], dict]:
    """All planes restored, and a row of seconds, after a small warm-up; references are encoded."""
    net, (planes, references) = network(), inputs(a)
    ready_mib = peak_mib()
    if kind.startswith("ours"):
        net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # as in a scan
        rounded = InPrecision(net, "bf16" if kind.endswith("bf16") else "fp32")
        restoring = rounded.with_references(list(references))
    else:
        whole = whole_of(kind, net, a)

        def restoring(plane: torch.Tensor) -> torch.Tensor:
            return whole(plane, references)

    restoring(planes[:1, :, :16, :16])
    restored, row = measured_alone(lambda: [restoring(plane[None]) for plane in planes])
    return {"restored": torch.cat(restored)}, {**row, "mib": peak_mib() - ready_mib}


def train(kind: str, a: argparse.Namespace) -> tuple[dict[str, torch.Tensor], dict]:
    """What one training step gives, with its gradients, and a row of seconds, after a warm-up."""
    net, (planes, references) = network(), inputs(a)
    whole, thin = whole_of(kind, net, a), inputs(a)[0].flip(-1)

    def step(crop: tuple[Any, ...]) -> torch.Tensor:
        whole.zero_grad(set_to_none=True)
        restored = whole(planes[:1][crop], references[crop])
        l1_loss(restored, thin[:1][crop]).backward()
        return restored.detach()

    step((..., slice(64), slice(64)))
    restored, row = measured_alone(lambda: step((...,)))
    gradients = {n: p.grad for n, p in net.named_parameters() if p.grad is not None}
    return {"restored": restored, **gradients}, row


def measure(task: str, kind: str, a: argparse.Namespace, out: Path) -> dict:
    """Run one task once."""
    torch.set_num_threads(1)
    if kind.startswith("ours"):
        heap.keep()
    outputs, row = (restore if task == "restore" else train)(kind, a)
    torch.save(outputs, out)
    return row


def differences(path: Path, reference: Path) -> str:
    """Root mean square and largest difference of values from 0 to 1; of gradients the largest."""
    a, b = (torch.load(path, weights_only=True) for path in (path, reference))
    apart = a.pop("restored") - b.pop("restored")
    text = f"rms {float(apart.square().mean().sqrt()):.1e}, most {float(apart.abs().max()):.1e}"
    shared = [n for n in b if n in a]  # the authors' have other names
    if not shared:
        return text
    largest = {n: float(b[n].abs().max()) for n in shared}
    rounding = 1e-6 * max(largest.values())  # of keys' biases the gradient is 0
    gradients = [float((a[n] - b[n]).abs().max()) / max(largest[n], rounding) for n in shared]
    return f"{text}, gradients {max(gradients):.1e}"


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--plane", type=int, nargs=2, default=[256, 256], help="pixels along z and w")
    p.add_argument("--reference", type=int, default=256, help="pixels along y and x")
    p.add_argument("--planes", type=int, default=2)
    p.add_argument("--rounds", type=int, default=2, help="of all kinds in turn")
    p.add_argument("--authors", default=os.environ.get("AUTHORS"), help="folder of their clones")
    p.add_argument("--only", nargs=3, metavar=("TASK", "KIND", "OUT"), help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.only:
        printed(measure(a.only[0], a.only[1], a, Path(a.only[2])))
        return
    print("ACVTT, 1 thread; plain: PyTorch in its authors' structure, not their files")
    authors = ["authors"] if a.authors else []
    kinds = ["plain", "ours, fp32", *(["ours, bf16"] if cpu_has_bf16() else []), *authors]
    z, w = a.plane
    sizes = f"{z} x {w}, 3 references of {a.reference} x {a.reference}"
    title = f"restore, {a.planes} planes of {sizes}"
    cpu = compare(title, __file__, "restore", kinds, a.rounds, differences)
    for kind, aim in AIMS.items():
        if kind in cpu:
            reached(aim, cpu["plain"].user / cpu[kind].user)
    kinds, title = ["plain", "ours", *authors], f"train, a plane of {sizes}"
    cpu = compare(title, __file__, "train", kinds, a.rounds, differences)
    reached("ACVTT training step, user", cpu["plain"].user / cpu["ours"].user)
    reached("ACVTT training step, user + system", cpu["plain"].ratio(cpu["ours"]))


if __name__ == "__main__":
    main()
