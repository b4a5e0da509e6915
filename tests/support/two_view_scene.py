"""Small settings and weights for tests of two-view methods."""

import numpy as np

from thinslice.families.two_view import TwoViewMethod
from thinslice.interfaces import Run

RUN = Run(device="cpu", threads=1, progress=False)
TINY = {
    "channels": 8,
    "levels": 2,
    "references": 2,
    "side": 16,
    "batch": 4,
    "steps": 60,
    "steps_fusion": 20,
    "lr": 2e-3,
    "schedule": "cosine",
    "validate_every": 20,
    "val_batches": 4,
}
SHORT = {**TINY, "channels": 4, "batch": 2, "steps": 6, "steps_fusion": 4, "validate_every": 2}


def bits(method: TwoViewMethod) -> dict[str, np.ndarray]:
    return {name: t.numpy().copy() for name, t in method.net.state_dict().items()}
