"""Protocol sr4zct: PSNR and SSIM of coronal and sagittal images, after SR4ZCT's Table 1.

Shi et al. 2023 score "coronal and sagittal images in the central area, after cropping the empty
regions"; their released code scores nothing. This is our reading of that sentence, and no replica:

    Empty      what is outside the smallest box around the body (above -400 HU, as in v1) of the
               *thin* scan, along z, y and x. The restored volume does not change it.
    Central    the images through the middle half of that box: coronal ones at the middle half of
               its rows, sagittal ones at the middle half of its columns (``central``). Each is
               scored over the whole box, without padding.
    Range      -1024..3071 HU (``window``). Their networks see a scan's own minimum and maximum,
               which in 12-bit CT are mostly these; a fixed range is the same for every case.
               Nothing is clipped: nothing in their code does so.
    Scores     PSNR and scikit-image's default SSIM (a flat 7 x 7 window) of each image, then the
               mean over images. An image without error has infinite PSNR.

CT only: the body of MR has no threshold that the paper could have meant.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thinslice.interfaces import Score, ScoringInput
from thinslice.metrics.errors import decibels
from thinslice.metrics.ssim import PLANES
from thinslice.metrics.ssim_uniform import SIDE, fits, plane_scores
from thinslice.protocols._comparable import body, check, measured, passed_over

METRICS = ("psnr_db", "ssim")
VIEWS = ("coronal", "sagittal")
Box = tuple[slice, ...]


@dataclass(frozen=True)
class Sr4zct:
    """The protocol; see the module."""

    peak: float  # HU
    central: float  # share of the box's rows and columns

    def score(self, case: ScoringInput) -> list[Score]:
        """PSNR and SSIM of both views; none, with a line on stderr, for MR or without a body."""
        check(case)
        box = body_box(body(case)) if case.thin.modality == "CT" else None
        if box is None or not fits(*(side.stop - side.start for side in box)):
            return passed_over("sr4zct", f"CT with a body of {SIDE} voxels to a side", case)
        scores, known = [], measured(case)
        for view in VIEWS:
            cut = middle(box, PLANES[view], self.central)
            restored, thin = case.restored.voxels[cut], case.thin.voxels[cut]
            inside = None if known is None else known[cut]
            scores += view_scores(restored, thin, view, self.peak, inside)
        return scores


def build(window: Sequence[float] = (-1024.0, 3071.0), central: float = 0.5) -> Sr4zct:
    low, high = window
    if not high > low:
        raise ValueError(f"window needs high > low, found {list(window)}")
    if not 0 < central <= 1:
        raise ValueError(f"central is a share of the body, above 0 and up to 1, found {central}")
    return Sr4zct(high - low, central)


def body_box(body: np.ndarray) -> Box | None:
    """The smallest box around a body, boolean [Z, Y, X]; None where there is none."""
    if not body.any():
        return None
    across = [tuple(k for k in range(3) if k != axis) for axis in range(3)]
    inside = [np.flatnonzero(body.any(axis=others)) for others in across]
    return tuple(slice(int(at[0]), int(at[-1]) + 1) for at in inside)


def middle(box: Box, axis: int, share: float) -> Box:
    """The box with this share of ``axis``, about its middle; at least one plane."""
    side = box[axis].stop - box[axis].start
    n = max(1, round(side * share))
    start = box[axis].start + (side - n) // 2
    return (*box[:axis], slice(start, start + n), *box[axis + 1 :])


def view_scores(
    restored: np.ndarray,
    thin: np.ndarray,
    view: str,
    peak: float,
    known: np.ndarray | None = None,
) -> list[Score]:
    """PSNR and SSIM of the images of one view of two blocks [Z, Y, X], mean over images.

    known   boolean [Z, Y, X], false where there is padding, which is not scored
    """
    axis = PLANES[view]
    images = zip(*(np.moveaxis(v, axis, 0) for v in (restored, thin)))
    if known is not None:
        inside = np.moveaxis(known, axis, 0)
        images = [(r[k], t[k]) for (r, t), k in zip(images, inside) if k.any()]
    errors = [float(np.square(r - t).mean(dtype=np.float64)) for r, t in images]
    ssim = plane_scores(restored, thin, peak, axis, known)
    if not errors or not len(ssim):
        return []
    psnr = np.mean([decibels(error, peak) for error in errors])
    return [
        Score("psnr_db", "dB", "higher", float(psnr), len(errors), view=view),
        Score("ssim", "1", "higher", float(ssim.mean()), len(ssim), view=view),
    ]
