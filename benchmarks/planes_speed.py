"""Measure networks of planes by OpenVINO against torch, in float32 and in bfloat16.

    python benchmarks/planes_speed.py --plane 300 512 --rounds 5

The baseline is the same network and weights in float32 by torch, with channels together as methods
restore by it; MS-D for OpenVINO is the paper's plain convolutions, since its own products do not
export. A graph serves one size of plane: preparing it (conversion and compilation, of one precision
each, and MiB that it leaves resident) comes once a size and process. Ways take turns (A B A B);
printed are median CPU seconds of one thread. Weights are random, so differences in bfloat16 are
those of no fitted network. OpenVINO is left out where it is not installed.
"""

import argparse
import math
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple

import torch
from measuring import Seconds, alternately, cpu_seconds
from msd_speed import Concatenated
from restoring_speed import drawn
from torch import Tensor, nn

from thinslice.families.rounding import InPrecision
from thinslice.nets.conditioned_unet import ConditionedUNet, Conditions
from thinslice.nets.edsr import EDSR
from thinslice.nets.folded_unet import FoldedUNet
from thinslice.nets.msd import MSD
from thinslice.nets.plane_unet import PlaneUNet
from thinslice.nets.unet import UNet
from thinslice.provenance.environment import resident_bytes
from thinslice.runtime import heap
from thinslice.training.precision import cpu_has_bf16

Way = Callable[[Tensor], Tensor]
SCAN = Conditions(5, 5, 1, 1, 0.7, 10)
LEAST_S, TICK_S = 0.4, 0.01  # of one measurement, and what a CPU second is counted in
HINTS = {"fp32": "f32", "bf16": "bf16"}
HEAD = (
    "| network | way | user, s | system | user + system | prepared, s | MiB | difference |\n"
    "|---|---|---:|---:|---:|---:|---:|---:|"
)


class Network(NamedTuple):
    """One network of planes: by torch in both precisions, and what is exported."""

    name: str
    channels: int
    torch: dict[str, Way]
    exported: nn.Module


class Prepared(NamedTuple):
    """A graph that is ready to run, and what that took."""

    way: Way
    seconds: Seconds
    mib: float


def rounded(name: str, net: nn.Module, channels: int) -> Network:
    """A network of convolutions, channels together."""
    net = drawn(net).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Network(name, channels, {n: InPrecision(net, n) for n in ("fp32", "bf16")}, net)


def networks() -> list[Network]:
    """The networks that methods of planes restore by, at their usual sizes."""
    told = drawn(ConditionedUNet())
    numbers = {"fp32": torch.float32, "bf16": torch.bfloat16}
    folded = {name: FoldedUNet(told, SCAN, number).eval() for name, number in numbers.items()}
    dense = {depth: MSD(depth).eval() for depth in (30, 100)}
    for net in dense.values():
        nn.init.normal_(net.last, std=net.last.numel() ** -0.5)
    return [
        rounded("plane U-Net", PlaneUNet(), 1),
        rounded("plane U-Net, 5 planes", PlaneUNet(neighbours=2), 5),
        Network("conditioned U-Net", 10, dict(folded), folded["fp32"]),
        rounded("EDSR", EDSR(), 1),
        rounded("U-Net of ACVTT", UNet(), 1),
        *(Network(f"MS-D, {n} layers", 1, {"fp32": d}, Concatenated(d)) for n, d in dense.items()),
    ]


def prepared(net: nn.Module, x_BCPQ: Tensor, numbers: str) -> Prepared:
    """A network as OpenVINO runs planes of that size."""
    import openvino  # pyright: ignore[reportMissingImports]

    how = {"INFERENCE_PRECISION_HINT": HINTS[numbers], "NUM_STREAMS": 1}
    before = resident_bytes()

    def compiled() -> Any:
        model = openvino.convert_model(net, example_input=x_BCPQ, input=[list(x_BCPQ.shape)])
        done = openvino.Core().compile_model(model, "CPU", {**how, "INFERENCE_NUM_THREADS": 1})
        return done.create_infer_request()

    def way(x: Tensor) -> Tensor:
        answer = request.infer([x.numpy()], share_inputs=True, share_outputs=True)
        return torch.from_numpy(answer[0])

    seconds, request = cpu_seconds(compiled)
    way(x_BCPQ)  # takes its memory
    return Prepared(way, seconds, (resident_bytes() - before) / 2**20)


def compare(network: Network, plane: tuple[int, int], rounds: int) -> None:
    """Print a line for each way; the first is the baseline."""
    x_BCPQ = torch.rand(1, network.channels, *plane)
    precisions = [n for n in network.torch if n == "fp32" or cpu_has_bf16()]
    ways = {f"torch {n}": network.torch[n] for n in precisions}
    graphs: dict[str, Prepared] = {}
    if find_spec("openvino"):
        graphs = {f"OpenVINO {n}": prepared(network.exported, x_BCPQ, n) for n in precisions}
        ways |= {name: graph.way for name, graph in graphs.items()}
    answers = {name: way(x_BCPQ).clone() for name, way in ways.items()}
    base = next(iter(ways))
    once, _ = cpu_seconds(lambda: ways[base](x_BCPQ))
    n = math.ceil(LEAST_S / max(once.total, TICK_S))

    def several(way: Way) -> Callable[[], None]:
        return lambda: [way(x_BCPQ) for _ in range(n)] and None

    seconds = alternately({name: several(way) for name, way in ways.items()}, rounds)
    seconds = {name: each.times(1 / n) for name, each in seconds.items()}
    for name, each in seconds.items():
        apart = float((answers[name] - answers[base]).abs().max() / answers[base].std())
        took = "- | -"
        if name in graphs:
            took = f"{graphs[name].seconds.total:.1f} | {graphs[name].mib:.0f}"
        ratio = seconds[base].ratio(each)
        numbers = f"{each.user:.4f} | {each.system:.4f} | {ratio:.2f}x | {took} | {apart:.0e}"
        print(f"| {network.name} | {name} | {numbers} |", flush=True)


def main() -> None:
    p = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    p.add_argument("--plane", type=int, nargs=2, default=(300, 512), help="slices and columns")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--only", default=None, help="networks named like this")
    a = p.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    heap.keep()
    print(f"One plane of {a.plane[0]} x {a.plane[1]}, 1 thread; difference: most / deviation")
    with torch.inference_mode():
        if find_spec("openvino"):
            first = prepared(nn.Conv2d(1, 1, 3), torch.rand(1, 1, 8, 8), "fp32")
            took = f"{first.seconds.total:.1f} s and {first.mib:.0f} MiB"
            print(f"OpenVINO itself, imported and tried on one layer, takes {took}")
        print(HEAD)
        for network in networks():
            if a.only is None or a.only in network.name:
                compare(network, tuple(a.plane), a.rounds)


if __name__ == "__main__":
    main()
