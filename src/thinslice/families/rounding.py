"""Numbers in which a network restores: float32, TF32 on a GPU, bfloat16 where there are units.

In bfloat16 convolutions and matrix products are rounded to 8 bits; what is corrected stays float32,
for families hand the plane itself around the network. How far answers differ from those in float32
is measured on the scan that is restored (``Differences``), stated beside it, and refused beyond
``LIMIT``: torch has had bfloat16 convolutions that were wrong on some CPUs (pytorch#163347,
pytorch#169688).

Shape suffixes: B planes, C channels, P Q the axes of a plane.
"""

import math
from collections.abc import Sequence
from threading import Lock
from typing import Any, get_args

import torch
from torch import Tensor, nn

from thinslice.errors import Refused
from thinslice.interfaces import Run
from thinslice.runtime.device import choose
from thinslice.training import precision
from thinslice.training.plan import Precision

LIMIT = 5e-4  # of the window that a network sees, root mean square in a tile: 2 HU of 4095
EVERY = 4  # tiles number 1, 2, 4, 16, 64, ... are computed in float32 as well
MIDDLE = 128  # pixels of a tile's middle along y and x, where that alone is


class Differences:
    """How far tiles differ from the same in float32 by torch; added to by any thread.

    window   that a network sees as 0 to 1, in the unit of the scan
    way      in which tiles are computed: a precision, or an engine
    limit    of the difference, root mean square in a tile, as a share of the window
    """

    def __init__(self, window: float, way: str, limit: float = LIMIT):
        self.window, self.way, self.limit, self._lock = window, way, limit, Lock()
        self._calls = self.tiles = self._n = 0
        self._squares = self._most = 0.0

    def due(self) -> bool:
        """Whether this tile is to be compared; counts it."""
        with self._lock:
            self._calls += 1
            exponent = round(math.log(self._calls, EVERY))
            return self._calls in (2, EVERY**exponent)  # the first may be the trial of a memory cap

    def add(self, x: Tensor, answer: Tensor, exact: Tensor) -> None:
        """One tile in both; Refused where they differ by more than rounding does.

        A tile ``x`` of one value is checked, and not counted.
        """
        apart = (answer - exact).abs().double()
        squares, most = float(apart.square().sum()), float(apart.max())
        if not math.sqrt(squares / apart.numel()) <= self.limit:  # NaN too
            rms = math.sqrt(squares / apart.numel()) * self.window
            raise Refused(
                f"by {self.way} a tile differs by {rms:.3g} (root mean square) from float32, "
                f"expected at most {self.limit * self.window:.3g}: restore in fp32 by torch"
            )
        if bool(x.min() == x.max()):
            return
        with self._lock:
            self.tiles, self._n = self.tiles + 1, self._n + apart.numel()
            self._squares, self._most = self._squares + squares, max(self._most, most)

    def to_json(self) -> dict[str, float]:
        """In the unit of the scan (HU): root mean square and largest, and of how many tiles."""
        rms = math.sqrt(self._squares / max(self._n, 1))
        return {"rms": rms * self.window, "max": self._most * self.window, "tiles": self.tiles}


class InPrecision(nn.Module):
    """A network whose products are rounded to ``numbers``; its answer is float32."""

    def __init__(self, net: nn.Module, numbers: Precision):
        super().__init__()
        self.net: Any = net
        self.numbers: Precision = numbers

    def __getattr__(self, name: str) -> Any:  # ``reach``, ``align`` and the like are the network's
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("net"), name)

    def forward(self, x_BCPQ: Tensor) -> Tensor:
        with precision.matmuls(self.numbers), precision.forward(self.numbers, x_BCPQ.device):
            return self.net(x_BCPQ).float()

    def with_references(self, references: Sequence[Tensor]) -> nn.Module:
        """The network with what it works out of references once, in float32."""
        return InPrecision(self._referenced(references)[1], self.numbers)

    def _referenced(self, references: Sequence[Tensor]) -> tuple[nn.Module, nn.Module]:
        """With these references, as worked out and as they are multiplied."""
        with precision.matmuls("fp32"):
            encoded = self.net.with_references(references)
        if self.numbers != "bf16":
            return encoded, encoded
        return encoded, encoded.rounded(torch.bfloat16)  # once, else they are for every tile


class Compared(InPrecision):
    """The same, and now and then compared with float32: the first tile too, from which the room
    that a view's tiles take is foretold.

    exact   the network to compare with, where it is not the same in float32
    """

    def __init__(
        self,
        net: nn.Module,
        numbers: Precision,
        differences: Differences,
        exact: nn.Module | None = None,
    ):
        super().__init__(net, numbers)
        self.exact, self.differences, self.begun = exact or net, differences, False

    def forward(self, x_BCPQ: Tensor) -> Tensor:
        answer = super().forward(x_BCPQ)
        first, self.begun = not self.begun, True
        if self.differences.due() or first:
            with precision.matmuls("fp32"):
                self.differences.add(x_BCPQ, answer, self.exact(x_BCPQ))
        return answer

    def with_references(self, references: Sequence[Tensor]) -> nn.Module:
        """The network with what it works out of references once, in float32."""
        exact, rounded = self._referenced(references)
        return Compared(rounded, self.numbers, self.differences, exact)


class ByEngine(nn.Module):
    """A network run by another engine, and now and then compared with torch.

    The first tile is compared whole, of others the middle, which both compute anew: a whole tile by
    torch takes longer than by the engine, and a plane may be one tile.
    """

    def __init__(self, engine: nn.Module, net: nn.Module, differences: Differences):
        super().__init__()
        self.engine, self.net, self.differences, self.begun = engine, net, differences, False

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        answer = self.engine(x_B1ZYX)
        first, self.begun = not self.begun, True
        if not self.differences.due():
            return answer
        if first:
            self.differences.add(x_B1ZYX, answer, self.net(x_B1ZYX))
        else:
            part = middle(x_B1ZYX)
            self.differences.add(part, self.engine(part), self.net(part))
        return answer


def middle(x: Tensor, side: int = MIDDLE) -> Tensor:
    """At most ``side`` pixels of the last two axes."""
    for axis in (-2, -1):
        pixels = min(x.shape[axis], side)
        x = x.narrow(axis, (x.shape[axis] - pixels) // 2, pixels)
    return x


class RoundedRestoring:
    """What methods share whose setting ``restore_precision`` says in which numbers they restore."""

    recipe: Any
    differences: Differences | None = None  # of the scan restored last; None: float32

    def precision_on(self, device: torch.device | str) -> Precision:
        """Of restoring; Refused where ``device`` has no units for it."""
        numbers: Precision = self.recipe.settings.restore_precision
        refuse_without_units(numbers, torch.device(device))
        return numbers

    def _rounding(self, run: Run, window: float) -> Precision:
        """Begin a scan: its numbers, and nothing compared yet."""
        numbers = self.precision_on(choose(run))
        self.differences = None if numbers == "fp32" else Differences(window, numbers)
        return numbers

    def _rounded(self, net: nn.Module, numbers: Precision) -> nn.Module:
        """The network in these numbers; in bfloat16 its channels lie together, which is faster."""
        if self.differences is None:
            return InPrecision(net, "fp32")
        if numbers == "bf16":
            net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return Compared(net, numbers, self.differences)


def refuse_without_units(numbers: Precision, device: torch.device) -> None:
    """Refuse numbers that a device would only emulate, or does not know."""
    if numbers not in get_args(Precision):
        known = ", ".join(get_args(Precision))
        raise Refused(f"restore_precision: found {numbers!r}, expected one of {known}")
    if numbers == "tf32" and device.type != "cuda":
        raise Refused(f"restore_precision tf32: a {device.type} has none; use fp32")
    if numbers == "bf16" and device.type == "cpu" and not precision.cpu_has_bf16():
        raise Refused("restore_precision bf16: this CPU is slower in it than in fp32; use that")
    if numbers == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        raise Refused("restore_precision bf16: this GPU has no units for it; use fp32 or tf32")
