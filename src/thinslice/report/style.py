"""The look of every figure: calm, colour-blind safe, the same bytes from the same numbers.

Colours are Okabe and Ito's (2008), distinct with every common colour vision deficiency.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from thinslice.fs.atomic import replacing

PALETTE = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C8C8C", "#B8A800",
)  # fmt: skip
INK, QUIET = "#222222", "#6B6B6B"
# Pale to mid blue: black numbers stay readable on every shade.
SHADES = LinearSegmentedColormap.from_list("shades", ["#F7F9FB", "#7FB0D3"])
PNG_DPI = 160
RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.6,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "figure.dpi": 100,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",  # words stay words
    "svg.hashsalt": "thinslice",  # ids that are the same twice
}


@contextmanager
def figure(width_in: float, height_in: float) -> Iterator[Figure]:
    """A figure in the house style, in inches; nothing global is left changed."""
    with mpl.rc_context(RC):
        yield Figure(figsize=(width_in, height_in), layout="constrained")


FIGURE, PICTURE = (".png", ".pdf", ".svg"), (".png", ".pdf")  # volumes are no drawing


def save(drawn: Figure, stem: Path, endings: Sequence[str] = FIGURE) -> list[Path]:
    """``stem``.png, .pdf and .svg, without dates: drawn twice, the bytes are the same."""
    kinds: dict[str, dict[str, Any]] = {
        ".png": {"dpi": PNG_DPI, "metadata": {"Software": None}},
        ".pdf": {"metadata": {"CreationDate": None, "Creator": None, "Producer": None}},
        ".svg": {"metadata": {"Date": None, "Creator": None}},
    }
    written = []
    for ending in endings:
        how = kinds[ending]
        path = stem.with_name(stem.name + ending)
        with replacing(path) as temporary:
            drawn.savefig(temporary, format=ending[1:], facecolor="white", **how)
        written.append(path)
    return written


def title(drawn: Figure, words: str, sim: bool) -> None:
    """What the figure shows, above it; "sim" leads where the scans are simulated."""
    drawn.suptitle(
        f"sim  |  {words}" if sim else words, x=0.012, ha="left", fontsize=9, color=INK, wrap=True
    )


def of_row(row: Mapping[str, Any]) -> str:
    """The id of a mark that stands for a CSV row: the page ties it to the row."""
    return f"row-{row['row']}"


def broken(name: str, most: int = 16) -> str:
    """A name on as many lines as fit above a narrow image, broken at underscores."""
    lines = [""]
    for word in name.split("_"):
        joined = f"{lines[-1]}_{word}" if lines[-1] else word
        if len(joined) <= most or not lines[-1]:
            lines[-1] = joined
        else:
            lines.append(f"_{word}")
    return "\n".join(lines)


def colours(names: Iterable[str]) -> dict[str, str]:
    """One colour per name, by its place in the alphabet; more than eight names repeat."""
    return {name: PALETTE[k % len(PALETTE)] for k, name in enumerate(sorted(set(names)))}


def numbers_only(axes: Axes, axis: str = "y") -> None:
    """Thin grid lines along the axis that carries numbers, none elsewhere."""
    axes.grid(axis="y" if axis == "y" else "x")
    axes.tick_params(axis="both", length=0)


def draw_nothing(out_stem: Path, words: str) -> list[Path]:
    """One line of text instead of a figure, in its files."""
    with figure(6.0, 0.6) as drawn:
        drawn.text(0.012, 0.5, words, va="center", color=QUIET)
        return save(drawn, out_stem)
