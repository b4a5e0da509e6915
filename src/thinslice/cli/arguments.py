"""Amounts as people write them on a command line."""

import argparse
import re
from collections.abc import Callable

UNITS = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT])(?:I?B)?", re.IGNORECASE)


def gibibytes(text: str) -> float:
    """6G, 500M, 1.5GiB: memory in GiB; a number without a unit is refused."""
    found = AMOUNT.fullmatch(text.strip())
    if not found or float(found[1]) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount of memory; write 6G or 500M")
    return float(found[1]) * UNITS[found[2].upper()] / 2**30


def millimetres(text: str) -> float:
    """A positive length; a unit is allowed: 1, 0.8, 1.25mm."""
    try:
        value = float(text.strip().lower().removesuffix("mm"))
    except ValueError:
        value = float("nan")
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no length in mm; write 1 or 1.25")
    return value


def count(text: str) -> int:
    """A whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


def seed(text: str) -> int:
    """A whole number from 0, of any size."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no seed; write a whole number from 0")
    return int(text)


def add_loudness(add: Callable[..., object]) -> None:
    """Add how much a command prints, by a parser's ``add_argument``."""
    add("-q", "--quiet", action="store_true", help="print warnings and errors alone")
    add("-v", "--verbose", action="store_true", help="print settings, versions and the log too")


def add_choice(add: Callable[..., object]) -> None:
    """Add the options that choose one scan of several, by a parser's ``add_argument``."""
    add(
        "--series",
        metavar="WHICH",
        help="of several: a number as `thinslice inspect` prints it, thickest or thinnest",
    )
    add("--acquisition", metavar="N", help="of several in one series, as inspect prints it")
