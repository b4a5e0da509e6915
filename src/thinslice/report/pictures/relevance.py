"""Relevance: which reference slice a network looks at, pixel by pixel of a plane.

ACVTT (Uhm et al.), Fig. 5. A pixel has the colour of the reference with the largest share there,
the stronger the larger the share; a reference slice has its colour as its frame.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from thinslice.report import style
from thinslice.report.pictures._planes import WINDOWS

CAPTION = "Relevance: the reference slice that counts most at every pixel of a plane."
MOST = 8  # references, one colour each


def draw(
    plane: np.ndarray,
    references: Sequence[np.ndarray],
    shares: np.ndarray,
    out_stem: Path,
    *,
    step_mm: tuple[float, float],
    words: str,
    window: tuple[float, float] = WINDOWS["soft"],
    sim: str = "",
) -> list[Path]:
    """Draw the plane, the plane coloured by its most relevant reference, and the references.

    plane    [P, Q], its first row at the bottom
    shares   [R, P, Q], of the references; they sum to one
    step_mm  distance of the plane's rows and of its columns
    """
    if not 1 <= len(references) <= MOST or len(references) != len(shares):
        raise ValueError(f"{len(references)} references have {len(shares)} shares; 1 to {MOST} fit")
    colours = style.PALETTE[: len(references)]
    height_mm, width_mm = (n * step for n, step in zip(plane.shape, step_mm))
    columns = max(2, len(references))
    with style.figure(2.4 * columns, 4.6) as drawn:
        top, below = drawn.subplots(2, columns, squeeze=False)
        for axes in (*top, *below):
            axes.set_visible(False)
        grey = _grey(plane, window)
        for axes, image, name in zip(
            top, (grey, _coloured(grey, shares, colours)), ("plane", "most relevant reference")
        ):
            axes.imshow(image, origin="lower", extent=(0, width_mm, 0, height_mm))
            _name(axes, name)
        for number, (axes, slice_YX, colour) in enumerate(zip(below, references, colours), 1):
            axes.imshow(_grey(slice_YX, window))
            _name(axes, f"reference {number}", colour)
        style.title(drawn, words, bool(sim))
        return style.save(drawn, out_stem, style.PICTURE)


def _grey(image: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    """[P, Q, 3] from 0 to 1."""
    low, high = window
    unit = np.clip((image - low) / (high - low), 0.0, 1.0)
    return np.repeat(unit[..., None], 3, axis=2)


def _coloured(grey: np.ndarray, shares: np.ndarray, colours: Sequence[str]) -> np.ndarray:
    """The image mixed with the colour of the largest share; at equal shares it is untouched."""
    even = 1.0 / len(shares)
    strength = 0.65 * (shares.max(0) - even) / max(1.0 - even, 1e-9)
    colour = np.array([to_rgb(name) for name in colours])[shares.argmax(0)]
    return grey * (1 - strength[..., None]) + colour * strength[..., None]


def _name(axes: Axes, name: str, frame: str = "") -> None:
    """A title, no ticks, and a frame only where it says which reference this is."""
    axes.set_visible(True)
    axes.set_title(name, loc="center")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(bool(frame))
    for spine in axes.spines.values() if frame else ():
        spine.set(color=frame, linewidth=2.5)
