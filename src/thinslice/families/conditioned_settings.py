"""Settings of methods with a conditioned network: sizes, training, restoring."""

from dataclasses import dataclass

from thinslice.training.plan import Plan, Precision
from thinslice.training.samplers import drawn_slices

RESTORING: tuple[Precision, ...] = ("fp32", "bf16")


@dataclass(frozen=True)
class ConditionedSettings:
    """Hyperparameters; config.yaml may set any of them."""

    channels: int = 16  # features of the finest level; each level down has twice as many
    levels: int = 4  # of resolution
    neighbours: int = 2  # planes to either side that are seen too
    side: int = 64  # of training crops, rows and columns
    batch: int = 8
    steps: int = 40000
    lr: float = 1.5e-3
    warmup: int = 300  # steps of rising rate
    refine_lr: float = 2e-4  # of going on with the scan that is restored
    precision: Precision = "fp32"  # of training
    seed: int = 0
    thickness_mm: float | None = None  # learn these slices alone, every ``increment_mm``
    increment_mm: float | None = None
    ct: tuple[float, float] = (-1024.0, 3071.0)  # HU that the network sees as 0 and 1
    planes_at_a_time: int = 1  # when restoring: fastest on a CPU
    restore_precision: Precision = "bf16"  # on a CPU that has units for it; else fp32

    def __post_init__(self) -> None:
        if (self.thickness_mm is None) != (self.increment_mm is None):
            raise ValueError("thickness_mm and increment_mm are set together, or neither")
        if self.restore_precision not in RESTORING:
            raise ValueError(f"restore_precision {self.restore_precision!r} is none of fp32, bf16")

    @property
    def draw(self) -> drawn_slices.Draw:
        """How thick slices are drawn in training."""
        if self.thickness_mm is None or self.increment_mm is None:
            return drawn_slices.draw
        return drawn_slices.of(self.thickness_mm, self.increment_mm)

    def plan(self, steps: int, lr: float) -> Plan:
        """A training of so many steps, as the loop takes it."""
        return Plan(
            steps=steps,
            lr=lr,
            schedule="cosine",
            warmup=min(self.warmup, steps // 20),
            precision=self.precision,
            validate_every=max(steps // 40, 1),
            log_every=max(steps // 400, 1),
            seed=self.seed,
        )
