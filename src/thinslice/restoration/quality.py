"""Estimate how far to trust a restored scan without a thin truth to compare it with.

Three questions can be answered without one. Made thick again, does the restored scan reproduce the
slices of the scanner (``agreement``)? Does it hold values that the scan does not (``value_range``)?
And does the scan resemble those the method was fitted on (``fitted_on``)? None shows that a
structure is real: a method may invent detail between the slices and agree with all of them.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from thinslice.metrics.noise import noise
from thinslice.operators.thickening import SliceProfile
from thinslice.restoration import agreement, value_range
from thinslice.restoration.agreement import Again, Agreement, Measured, SliceCheck
from thinslice.restoration.consistent import Step
from thinslice.restoration.value_range import ValueRange
from thinslice.restoration.verdict import Verdict, verdict_on
from thinslice.volume import Volume

OUTSIDE = "unlike the scans the weights were fitted on"


class Trust(NamedTuple):
    """The trust report; lengths in mm, values in the scan's unit.

    noise     of the thick scan where tissue is flat; None where there is no tissue
    step      by which the scan was made consistent; None: the method's answer as it is
    """

    agreement: Agreement
    noise: float | None
    values: ValueRange
    step: Step | None
    outside: tuple[str, ...]
    unit: str

    @property
    def slices(self) -> tuple[SliceCheck, ...]:
        """The slices that were compared."""
        return self.agreement.slices

    @property
    def verdict(self) -> Verdict:
        """Whether the restored scan agrees with the scanner's slices, in one sentence."""
        return verdict_on(self.agreement, self.unit)

    @property
    def advice(self) -> str:
        """How far to trust the scan, in a word, and which slices to look at, with the reason."""
        return self.verdict.advice(self.outside, self.flagged)

    @property
    def flagged(self) -> list[int]:
        """The slices that differ, counted from 1."""
        return [check.slice for check in self.slices if check.flagged]

    def to_json(self) -> dict[str, Any]:
        """Plain numbers and lists."""
        found = self.agreement
        return {
            "verdict": self.verdict._asdict(),
            "consistency": {
                "profile": found.words,
                "noise": self.noise,
                "bias": found.bias,
                "rmse": found.rmse,
                "flagged": self.flagged,
                "without_patient": list(found.no_patient),
                "at_an_end": list(found.at_an_end),
                "slices": [check._asdict() for check in found.slices],
            },
            "step": self.step.to_json() if self.step else None,
            "values": self.values.to_json(),
            "outside_of_what_was_learned": list(self.outside),
        }


def report(
    restored: Volume,
    thick: Volume,
    *,
    outside: Sequence[str] = (),
    profile: SliceProfile | None = None,
    again: Again | None = None,
    step: Step | None = None,
    measured: Measured | None = None,
) -> Trust:
    """The trust report of one restored scan.

    outside   each way in which the scan differs from those the method was fitted on
              (``fitted_on.outside``)
    profile   of the thick slices; None: measured on the two scans
    again     the restored scan made thick again, where no profile and grid can say it
    step      by which ``restored`` was made consistent
    measured  of ``thick``, where it is known already
    """
    level = noise(thick)
    return Trust(
        agreement.of_slices(again, thick, level)
        if again
        else agreement.compare(restored, thick, level, profile, measured),
        level,
        value_range.compare(restored, thick),
        step,
        tuple(outside),
        "HU" if thick.modality == "CT" else "units",
    )


def warnings(trust: Trust) -> list[str]:
    """What a user should read before looking at the restored scan, one sentence each."""
    sentences = [f"{OUTSIDE}: {words}" for words in trust.outside]
    if trust.verdict.agrees is not True:
        sentences.append(trust.verdict.sentence)
    if trust.values.beyond:
        sentences.append(trust.values.sentence(trust.unit))
    return sentences
