"""Warnings about a readable DICOM series, from its headers alone."""

from collections import Counter
from collections.abc import Sequence

from pydicom.config import IGNORE as NO_CHECK
from pydicom.uid import UID

from thinslice.errors import listed
from thinslice.io import derived
from thinslice.io.dicom.headers import Slice

CHANGING = ("KVP", "ConvolutionKernel", "ContrastBolusAgent")
TILT_DEG = 0.5  # headers give whole or half degrees


def notes_on(
    slices: Sequence[Slice], declared_mm: float | None = None, *, tilt_deg: float = 0.0
) -> list[str]:
    """Warnings, one sentence each; none for a usual series.

    declared_mm   the thickness used instead of that of the files; None: theirs
    tilt_deg      the gantry tilt that the positions show
    """
    first, notes = slices[0], []
    if first.facts["derived"]:
        notes.append(derived.note(first.facts["derived"]))
    if declared_mm is not None and first.thickness_mm not in (None, declared_mm):
        notes.append(f"SliceThickness {first.thickness_mm:g} mm; {declared_mm:g} mm declared")
    stated_deg = first.facts["tilt_deg"]
    if tilt_deg and stated_deg is not None and abs(abs(stated_deg) - tilt_deg) > TILT_DEG:
        notes.append(
            f"GantryDetectorTilt {stated_deg:g}, but positions show {tilt_deg:.3g} degrees: "
            "the positions count"
        )
    elif stated_deg and not tilt_deg:
        notes.append(f"GantryDetectorTilt {stated_deg:g}, but positions show no tilt")
    if first.modality == "CT" and first.facts["rescale_type"] not in (None, "HU"):
        notes.append(f"RescaleType {first.facts['rescale_type']}; are the values HU?")
    return [*notes, *_changing(slices), *_shared(slices), *_rescaled(slices), *_bad_uids(slices)]


def _changing(slices: Sequence[Slice]) -> list[str]:
    """Tags that change on the way of one scan, and with them what its numbers mean."""
    notes = []
    for tag in CHANGING:
        values = sorted({str(s.facts["apart"].get(tag, "")) for s in slices})
        if len(values) > 1:
            each = ", ".join(value or "nothing" for value in values)
            notes.append(f"{tag} differs from slice to slice: {each}")
    return notes


def _shared(slices: Sequence[Slice]) -> list[str]:
    """Images that share a UID, which a viewer or an archive would take for one image."""
    named = {(s.uid, s.path) for s in slices if s.uid}
    files = Counter(uid for uid, _ in named)
    twice = [uid for uid, n in files.items() if n > 1]
    if not twice:
        return []
    names = sorted(path.name for uid, path in named if uid in twice)
    return [f"{len(names)} slices share a SOPInstanceUID with another one ({listed(names)})"]


def _rescaled(slices: Sequence[Slice]) -> list[str]:
    """Slices of a CT whose rescales differ; each is applied to its own slice."""
    rescales = Counter(s.rescale for s in slices)
    if slices[0].modality != "CT" or len(rescales) < 2:
        return []
    usual = rescales.most_common(1)[0][0]
    odd = listed(sorted(s.name for s in slices if s.rescale != usual))
    return [f"RescaleSlope and RescaleIntercept differ from slice to slice ({odd}); each is used"]


def _bad_uids(slices: Sequence[Slice]) -> list[str]:
    """UIDs that break the rules of DICOM (PS3.5 9.1), as some anonymisers write them."""
    kinds = {
        "SOPInstanceUID": {s.uid for s in slices},
        "SeriesInstanceUID": {s.series for s in slices},
        "StudyInstanceUID": {s.study for s in slices},
        "FrameOfReferenceUID": {s.reference for s in slices},
    }
    bad = {
        kind: sorted(uid for uid in uids if uid and not UID(uid, NO_CHECK).is_valid)
        for kind, uids in kinds.items()
    }
    words = [f"{kind} {uids[0]!r}" for kind, uids in bad.items() if uids]
    if not words:
        return []
    count = sum(map(len, bad.values()))
    found = f"{count} UIDs break the rules of DICOM ({', '.join(words)})"
    return [f"{found}; they are kept, and an archive may refuse them"]
