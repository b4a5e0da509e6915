"""Verdict on a restored scan: one sentence on whether it agrees with the scanner's slices."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from thinslice.restoration.agreement import Agreement

FLAGGED = 0.05  # share of slices that may differ


class Verdict(NamedTuple):
    """``agrees`` is None where the check cannot tell."""

    agrees: bool | None
    sentence: str

    def advice(self, outside: Sequence[str], flagged: Sequence[int]) -> str:
        """How far to trust the scan, in a word, and what to do about it, with the reason.

        outside   each way in which the scan differs from those the method was fitted on
        flagged   slices that differ, counted from 1
        """
        if self.agrees is False:
            return f"low, look at slices {listed(flagged)}, because, {self.sentence}"
        if self.agrees is None:
            return f"unknown, compare it with the thick scan, because {self.sentence}"
        if outside:
            unlike = "the scan is unlike those the weights were fitted on"
            return f"limited, compare it with the thick scan, because {unlike}; {self.sentence}"
        return f"good, as far as the thick slices can tell: {self.sentence}"


def verdict_on(found: Agreement, unit: str) -> Verdict:
    """The verdict; slices are counted from 1, and those not compared are named."""
    n = len(found.slices)
    if not n:
        return Verdict(None, f"no slice could be compared with the scanner's{_left_out(found)}")
    flagged = [check.slice for check in found.slices if check.flagged]
    left = _rms([check.block_rmse for check in found.slices])
    plain = _rms([check.interpolated for check in found.slices])
    start = "made thick again, the restored scan"
    end = f"it leaves {left:.3g} {unit} of the {plain:.3g} {unit} that interpolation leaves"
    end += _left_out(found)
    if len(flagged) > FLAGGED * n:
        words = f"{start} differs from the scanner's slices on {len(flagged)} of {n} slices"
        return Verdict(False, f"{words} ({listed(flagged)}); {end}")
    words = f"{start} agrees with the scanner's slices on {n - len(flagged)} of {n} slices"
    if flagged:
        words += f" (not on {listed(flagged)})"
    if not any(check.telling for check in found.slices):
        return Verdict(None, f"{words}, but so would plain interpolation; {end}")
    return Verdict(True, f"{words}; {end}")


def listed(numbers: Sequence[int], most: int = 6) -> str:
    """The first few runs of ascending numbers, e.g. "1, 5 to 9, 12, ..."."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    words = [_run(numbers) for numbers in runs]
    shown = ", ".join(words[:most])
    return shown if len(words) <= most else f"{shown}, ..."


def _run(numbers: Sequence[int]) -> str:
    if len(numbers) < 3:
        return ", ".join(map(str, numbers))
    return f"{numbers[0]} to {numbers[-1]}"


def _left_out(found: Agreement) -> str:
    """The slices that were not compared, and why."""
    reasons = {"without a patient": found.no_patient, "reaching beyond it": found.at_an_end}
    words = [f"{listed(numbers)} ({why})" for why, numbers in reasons.items() if numbers]
    return f"; not compared: {', '.join(words)}" if words else ""


def _rms(values: Sequence[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
