"""Measure time and memory of ACVTT against plain PyTorch, restoring some planes of a scan.

    python benchmarks/acvtt_speed.py [--plane 256 256] [--reference 256] [--authors FOLDER]

The baseline (``plain_acvtt.py``) has the same network and weights in plain PyTorch, in its authors'
structure: it encodes the references for every plane and computes all scores at once. It is not the
authors' code, which is measured beside it where ``--authors``, or AUTHORS of the environment, is a
folder with a clone of it (``authors_networks.py``). Ours encodes the references once for a scan;
with about a thousand planes that is nothing, and it is left out of the seconds.
Every measurement runs in its own process, all kinds in turn; memory is its peak resident size less
that with the network and its input ready. bf16 is left out where the CPU has no units for it.
"""

import argparse
import os
from pathlib import Path

import torch
from alone import compare, measured_alone, printed
from authors_networks import acvtt
from measuring import reached
from plain_acvtt import PlainACVTT

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


@torch.inference_mode()
def measure(kind: str, a: argparse.Namespace, out: Path) -> dict:
    """Time ``a.planes`` planes once, after a small warm-up; references are encoded before."""
    torch.set_num_threads(1)
    net = network()
    generator = torch.Generator().manual_seed(1)
    planes = torch.rand(a.planes, 1, *a.plane, generator=generator)
    references = torch.rand(3, 1, a.reference, a.reference, generator=generator)
    if kind.startswith("ours"):
        heap.keep()
        net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # as in a scan
        rounded = InPrecision(net, "bf16" if kind.endswith("bf16") else "fp32")
        restoring = rounded.with_references(list(references))
    else:
        whole = PlainACVTT(net) if kind == "plain" else acvtt(Path(a.authors), net)

        def restoring(plane: torch.Tensor) -> torch.Tensor:
            return whole(plane, references)

    restoring(planes[:1, :, :16, :16])
    restored, row = measured_alone(lambda: [restoring(plane[None]) for plane in planes])
    torch.save(torch.cat(restored), out)
    return row


def differences(path: Path, reference: Path) -> str:
    """Root mean square and largest difference, of values from 0 to 1 that are corrected."""
    a, b = (torch.load(path, weights_only=True) for path in (path, reference))
    return f"rms {float((a - b).square().mean().sqrt()):.1e}, most {float((a - b).abs().max()):.1e}"


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
        printed(measure(a.only[1], a, Path(a.only[2])))
        return
    print("ACVTT, 1 thread; plain: PyTorch in its authors' structure, not their files")
    kinds = ["plain", "ours, fp32", *(["ours, bf16"] if cpu_has_bf16() else [])]
    z, w = a.plane
    title = f"{a.planes} planes of {z} x {w}, 3 references of {a.reference} x {a.reference}"
    kinds += ["authors"] if a.authors else []
    cpu = compare(title, __file__, "restore", kinds, a.rounds, differences)
    for kind, aim in AIMS.items():
        if kind in cpu:
            reached(aim, cpu["plain"].user / cpu[kind].user)


if __name__ == "__main__":
    main()
