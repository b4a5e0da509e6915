"""Which reference a network with references looks at, pixel by pixel of one plane.

ACVTT (Uhm et al.), Fig. 5: the shares by which references are weighted at the finest level.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from thinslice.interfaces import Run
from thinslice.nets.acvtt import ACVTT
from thinslice.runtime.device import choose


class Relevance(NamedTuple):
    """One plane, the references that it was restored with, and the share of each."""

    plane: np.ndarray  # [P, Q], interpolated thick slices, in the scan's unit
    references: Sequence[np.ndarray]  # [Y, X] each, in the same unit
    shares: np.ndarray  # float32 [R, P, Q]; they sum to one


def shares_of(
    net: ACVTT, unit_PQ: np.ndarray, references: Sequence[np.ndarray], run: Run
) -> np.ndarray:
    """Shares of the references in a plane, float32 [R, P, Q]; all as the network sees them."""
    device = choose(run)
    net = net.to(device).eval()
    with torch.inference_mode():
        plane_11PQ = torch.from_numpy(np.ascontiguousarray(unit_PQ, np.float32))[None, None]
        pyramid = net.encode_references([torch.from_numpy(r)[None].to(device) for r in references])
        return net.relevance(plane_11PQ.to(device), pyramid)[0].cpu().numpy()
