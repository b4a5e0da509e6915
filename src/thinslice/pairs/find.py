"""Find the candidates for pairs in a tree of DICOM, and what is none, with the reason."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from thinslice.io.folder import Tree, look
from thinslice.pairs.certificate import Certificate
from thinslice.pairs.certify import certify
from thinslice.pairs.geometry import THICKER
from thinslice.pairs.reconstructions import Reconstruction, reconstructions


class Pair(NamedTuple):
    """A thin and a thick reconstruction, and what is certified of them."""

    thin: Reconstruction
    thick: Reconstruction
    certificate: Certificate


class Left(NamedTuple):
    """A series or file that is in no candidate for a pair, and why."""

    path: Path
    label: str
    why: str


def find_pairs(path: Path) -> list[Pair]:
    """Every candidate below a folder with its certificate, in the order of the paths.

    Reads the images of candidates that the headers do not reject, pair after pair.
    OSError for a folder that cannot be listed.
    """
    every = reconstructions(look(path))
    return [Pair(thin, thick, certify(thin, thick)) for thin, thick in candidates(every)]


def candidates(every: Sequence[Reconstruction]) -> Iterator[tuple[Reconstruction, Reconstruction]]:
    """CT series of one study, one of them at least ``THICKER`` times as thick; all that fit."""
    for thin in every:
        for thick in every:
            if _fit(thin, thick):
                yield thin, thick


def left_over(tree: Tree, every: Sequence[Reconstruction]) -> list[Left]:
    """What is in no candidate: series without a partner, other images, unreadable files."""
    taken = {id(each) for pair in candidates(every) for each in pair}
    left = [Left(e.folder, e.label, _lonely(e)) for e in every if id(e) not in taken]
    for series in tree.series:
        if not series.is_scan:
            left.append(Left(series.folder, series.words, "no slices of a scan"))
    states_nothing = "an image states no study, acquisition or kernel: pair it in a manifest"
    left += [Left(file, file.name, states_nothing) for file in tree.niftis]
    left += [Left(file, file.name, f"unreadable: {error}") for file, error in tree.broken]
    return left


def _fit(thin: Reconstruction, thick: Reconstruction) -> bool:
    a, b = thin.thickness_mm, thick.thickness_mm
    if thin.first.study != thick.first.study or a is None or b is None:
        return False
    both_ct = thin.first.modality == thick.first.modality == "CT"
    return both_ct and b >= THICKER * a and not (thin.place is None and thick.place is None)


def _lonely(each: Reconstruction) -> str:
    if each.first.modality != "CT":
        return f"{each.first.modality}, not CT"
    if each.thickness_mm is None:
        return f"no slice thickness: {each.refusal}" if each.refusal else "no slice thickness"
    words = f"{each.thickness_mm:g} mm, and no CT series of its study"
    words += f" is {THICKER:g} times thicker or thinner"
    return words + (f"; {each.refusal}" if each.refusal else "")
