"""Measure time and memory of ACVTT against plain PyTorch, restoring some planes of a scan.

    python benchmarks/acvtt_speed.py --plane 304 512 --reference 512 --planes 8 --threads 2

The baseline (``plain_acvtt.py``) has the same network and weights, but encodes the references for
every plane, as the released code does, and computes all scores at once. Every measurement runs in
its own process; memory is its peak resident size less that with the network and its input ready,
and includes the encoded references. On a shared machine, trust the CPU seconds. A whole scan has
about a thousand planes: the time to encode once is then negligible.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from plain_acvtt import PlainACVTT

from thinslice.nets.acvtt import ACVTT

KINDS = ("plain", "encoded")


def network(channels: int) -> ACVTT:
    """ACVTT with fixed weights, large enough that every part matters."""
    torch.manual_seed(0)
    net = ACVTT(channels)
    for p in net.parameters():
        if p.ndim > 1:
            torch.nn.init.normal_(p, std=p[0].numel() ** -0.5)
    return net.eval()


def peak_mib() -> float:
    """Peak resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@torch.inference_mode()
def measure(kind: str, a: argparse.Namespace, out: Path) -> dict:
    """Time ``a.planes`` planes once, after a small warm-up."""
    torch.set_num_threads(a.threads)
    net = network(a.channels)
    plain = PlainACVTT(net)
    generator = torch.Generator().manual_seed(1)
    planes = torch.rand(a.planes, 1, *a.plane, generator=generator)
    references = torch.rand(3, 1, a.reference, a.reference, generator=generator)
    plain(planes[:1, :, :16, :16], references[..., :16, :16])
    before, wall, cpu = peak_mib(), time.perf_counter(), time.process_time()
    if kind == "plain":
        restored = [plain(plane[None], references) for plane in planes]
    else:
        referenced = net.with_references(list(references))
        restored = [referenced(plane[None]) for plane in planes]
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    torch.save(torch.cat(restored), out)
    return {"kind": kind, "wall_s": wall, "cpu_s": cpu, "mib": peak_mib() - before}


def compare(a: argparse.Namespace, flags: list[str]) -> None:
    """Print a table of both kinds."""
    print(f"ACVTT, {a.channels} channels, {a.planes} planes of {a.plane}, 3 references")
    print(f"of {a.reference} x {a.reference}, {a.threads} threads")
    print(f"{'kind':8} {'wall s':>8} {'CPU s':>8} {'MiB':>8}")
    with tempfile.TemporaryDirectory() as folder:
        paths = {kind: Path(folder) / f"{kind}.pt" for kind in KINDS}
        rows = [in_subprocess(kind, flags, paths[kind]) for kind in KINDS]
        for r in rows:
            print(f"{r['kind']:8} {r['wall_s']:8.2f} {r['cpu_s']:8.2f} {r['mib']:8.0f}")
        ratio = [rows[0][k] / rows[1][k] for k in ("wall_s", "cpu_s", "mib")]
        print(f"{'ratio':8} {ratio[0]:8.2f} {ratio[1]:8.2f} {ratio[2]:8.2f}")
        plain, encoded = (torch.load(path, weights_only=True) for path in paths.values())
        print(f"largest difference: {float((plain - encoded).abs().max()):.1e}")


def in_subprocess(kind: str, flags: list[str], out: Path) -> dict:
    """Run ``measure`` in its own process."""
    command = [sys.executable, __file__, *flags, "--only", kind, str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{kind} failed with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--channels", type=int, default=64)
    p.add_argument("--plane", type=int, nargs=2, default=[304, 512], help="pixels along z and w")
    p.add_argument("--reference", type=int, default=512, help="pixels along y and x")
    p.add_argument("--planes", type=int, default=4)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--only", nargs=2, metavar=("KIND", "OUT"), help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.only:
        print(json.dumps(measure(a.only[0], a, Path(a.only[1]))))
    else:
        compare(a, sys.argv[1:])


if __name__ == "__main__":
    main()
