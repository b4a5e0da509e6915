"""Measure restoring in bfloat16 and by OpenVINO against float32 by torch, in one process.

    python benchmarks/restoring_speed.py --side 256 --rounds 3

The baseline is the same network and weights in float32 by torch. Ways take turns (A B A B); printed
are the least user and system seconds of one thread, the ratio to the baseline, and how far answers
differ. Weights are random, so differences of a fitted network are other ones: ``thinslice restore
--precision`` states them for each scan. OpenVINO is left out where it is not installed.
"""

import argparse
import resource
from collections.abc import Callable, Mapping
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from thinslice.families.rounding import InPrecision
from thinslice.inference.openvino_blocks import by_openvino
from thinslice.nets.acvtt import ACVTT
from thinslice.nets.tvsrn_released import TVSRNReleased
from thinslice.nets.unet import UNet
from thinslice.runtime import heap
from thinslice.training.precision import cpu_has_bf16

Ways = Mapping[str, Callable[[Tensor], Tensor]]


def drawn(net: nn.Module) -> nn.Module:
    """The network with weights of usual size, so that every part matters."""
    for parameter in net.parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5)
    return net.eval()


def roundings(net: nn.Module) -> Ways:
    """Float32, and bfloat16 where this CPU has units for it."""
    ways = {"fp32": InPrecision(net, "fp32")}
    return {**ways, "bf16": InPrecision(net, "bf16")} if cpu_has_bf16() else ways


def seconds(way: Callable[[Tensor], Tensor], x: Tensor) -> tuple[float, float]:
    """User and system seconds of one pass."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    way(x)
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime


def compare(title: str, ways: Ways, x: Tensor, rounds: int) -> None:
    """Print a line for each way; the first is the baseline."""
    answers = {name: way(x) for name, way in ways.items()}
    runs = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            runs[name].append(seconds(way, x))
    base = next(iter(ways))
    least = {name: min(each, key=sum) for name, each in runs.items()}
    for name, (user, system) in least.items():
        ratio = sum(least[base]) / (user + system)
        apart = float((answers[name] - answers[base]).abs().max() / answers[base].std())
        print(f"{title:16} {name:9} {user:8.3f} {system:8.3f} {ratio:6.2f} {apart:12.1e}")


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--side", type=int, default=256, help="pixels of a plane, along both axes")
    p.add_argument("--rounds", type=int, default=2)
    a = p.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    heap.keep()
    print(f"{'network':16} {'way':9} {'user s':>8} {'sys s':>8} {'ratio':>6} {'most / sd':>12}")
    with torch.inference_mode():
        plane = torch.rand(1, 1, a.side, a.side)
        unet = drawn(UNet(16)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        compare("U-Net, 16", roundings(unet), plane, a.rounds)
        acvtt = drawn(ACVTT()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        referenced = acvtt.with_references([torch.rand(1, a.side, a.side) for _ in range(3)])
        compare("ACVTT", roundings(referenced), plane, a.rounds)
        tvsrn = drawn(TVSRNReleased())
        engines: dict[str, Callable[[Tensor], Tensor]] = {"torch": tvsrn}
        if find_spec("openvino"):
            engines["openvino"] = by_openvino(tvsrn, 1)
        compare("TVSRN, released", engines, torch.rand(1, 1, 4, a.side, a.side), a.rounds)


if __name__ == "__main__":
    main()
