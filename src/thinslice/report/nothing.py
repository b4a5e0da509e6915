"""A figure of nothing: where no row answers its question, the picture says so in words."""

from pathlib import Path

from thinslice.report import style


def draw(out_stem: Path, words: str) -> list[Path]:
    """One line of text instead of a figure, as PNG and PDF."""
    with style.figure(6.0, 0.6) as drawn:
        drawn.text(0.012, 0.5, words, va="center", color=style.QUIET)
        return style.save(drawn, out_stem)
