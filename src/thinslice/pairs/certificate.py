"""What is certified of a pair of reconstructions, and every reason that speaks against it."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple

Verdict = Literal["certified", "flagged", "rejected"]
CODES: dict[str, tuple[Verdict, str]] = {  # of reasons: what they lead to, and what they are about
    "stack": ("rejected", "a series is no regular stack: tilted, uneven, missing or double slices"),
    "modality": ("rejected", "a series is no CT"),
    "derived": ("rejected", "a series was computed from another one, by its ImageType"),
    "patient": ("rejected", "the headers name two patients"),
    "study": ("rejected", "two studies"),
    "frame": ("rejected", "two frames of reference"),
    "scanner": ("rejected", "two scanners"),
    "patient_position": ("rejected", "the patient lay otherwise"),
    "energy": ("rejected", "two tube voltages"),
    "phase": ("rejected", "two phases of the heart, the breath or of time"),
    "acquisition": ("rejected", "two acquisitions, by time or because they share no noise"),
    "noise": ("flagged", "the noise of the two has little in common, or tells nothing"),
    "acquisition_number": (
        "flagged",
        "two acquisition numbers or contrast agents, without shared noise",
    ),
    "thickness": ("rejected", "the thick slices are not clearly thicker than the thin ones"),
    "orientation": ("rejected", "slices of other planes"),
    "field_of_view": ("rejected", "other pixels: size, pitch, position or diameter"),
    "table_range": ("rejected", "too few thick slices lie on the thin scan to measure anything"),
    "table_range_partly": ("flagged", "most of the thick slices lie outside of the thin scan"),
    "gap": ("flagged", "slices that do not meet"),
    "lossy": ("flagged", "compressed with loss"),
    "order": ("rejected", "thick slices run the other way than their positions"),
    "z_offset": ("flagged", "thick slices lie elsewhere along z than their headers say"),
    "in_plane": ("rejected", "images shifted or magnified against each other"),
    "odd_slices": ("flagged", "single slices show something else than their neighbours"),
    "anatomy": ("rejected", "images of something else"),
    "simulated": ("flagged", "one was computed from the other: no noise of its own"),
    "profile": ("flagged", "measured slices are not as thick as stated"),
    "hu_scale": ("flagged", "HU of the two differ in scale or offset"),
    "kernel": ("flagged", "two kernels, by the headers or by the images"),
    "residual": ("flagged", "thick slices that no slice profile explains, for no other reason"),
    "flat": ("flagged", "images that vary too little to measure anything"),
}
WORST: tuple[Verdict, ...] = ("certified", "flagged", "rejected")


class Reason(NamedTuple):
    """One reason against a pair."""

    code: str  # one of CODES
    text: str  # with the numbers

    @property
    def verdict(self) -> Verdict:
        """What it leads to."""
        return CODES[self.code][0]


@dataclass(frozen=True)
class Measured:
    """What the images of a pair say; HU and mm. None where it could not be measured."""

    slices: int  # thick slices that were predicted from the thin ones, each by others' taps
    rmse_hu: float  # of the predicted slices, where the thin columns vary
    bias_hu: float  # acquired minus predicted, blurred
    gain: float  # slope of acquired on predicted, blurred
    explained: float  # share of what varies along z, blurred
    taps: tuple[float, ...]  # weights of thin slices around a thick slice's centre
    taps_spacing_mm: float
    fwhm_mm: float
    z_offset_mm: float  # of the thick slices from their positions by the header, to the head
    noise_thin_hu: float | None
    noise_thick_hu: float | None
    shared_noise: float | None  # correlation of the noise of predicted and acquired slices
    edge_gain: float | None  # acquired over predicted, finest detail of edges: 1 for one kernel


@dataclass(frozen=True)
class Certificate:
    """The verdict on a pair, its reasons, and what was found.

    facts      what the headers say of both: kernel ("same", "different", "unknown") and more, plain
               JSON; no name or number of the patient
    measured   None where the headers alone reject the pair: then no image was read
    notes      what is odd but no reason against it
    """

    reasons: tuple[Reason, ...]
    facts: dict[str, Any]
    measured: Measured | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def verdict(self) -> Verdict:
        """The worst that a reason leads to."""
        return WORST[max((WORST.index(reason.verdict) for reason in self.reasons), default=0)]

    @property
    def codes(self) -> tuple[str, ...]:
        """Of the reasons, in their order."""
        return tuple(reason.code for reason in self.reasons)

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "verdict": self.verdict,
            "reasons": [
                {"code": r.code, "verdict": r.verdict, "text": r.text} for r in self.reasons
            ],
            "facts": self.facts,
            "measured": None if self.measured is None else asdict(self.measured),
            "notes": list(self.notes),
        }
