"""What the headers of two reconstructions say about whether one acquisition made both.

Not one of them is proof: UIDs are copied, and times of reconstructions are stored as those of
acquisitions. Tags on which the two disagree reject the pair; the images must still agree.
"""

from typing import Any

from thinslice.io.dicom.headers import Slice
from thinslice.pairs.certificate import Reason
from thinslice.pairs.reconstructions import Reconstruction

PHASES = (
    "NominalPercentageOfCardiacPhase",
    "NominalPercentageOfRespiratoryPhase",
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
)
COUNTED = ("AcquisitionNumber", "ContrastBolusAgent")  # of which scanners keep poor count
COMPUTED = {"SECONDARY", "MPR", "MIP", "MINIP", "AVERAGE", "REFORMATTED", "PROJECTION IMAGE"}
COMPUTED |= {"RESAMPLED", "CPR", "CURVED", "VOLREN"}
APART_S = 1.0  # times of one acquisition, written twice
DOSE = ("CTDIvol", "Exposure", "XRayTubeCurrent")


def facts_of(thin: Reconstruction, thick: Reconstruction) -> dict[str, Any]:
    """What the headers say of both, plain JSON; nothing that tells who the patient is."""
    both = {"thin": thin, "thick": thick}
    return {
        "kernel": kernel(thin.first, thick.first),
        "maker": thin.first.facts["maker"],
        "device": thin.first.facts["device"],
        **{name: _facts(each) for name, each in both.items()},
    }


def kernel(thin: Slice, thick: Slice) -> str:
    """ "same", "different" or "unknown" kernel, by the headers."""
    a, b = thin.facts["kernel"], thick.facts["kernel"]
    if not a or not b:
        return "unknown"
    return "same" if a.upper() == b.upper() else "different"


def reasons(thin: Reconstruction, thick: Reconstruction) -> list[Reason]:
    """Those by which the headers speak against the pair."""
    found = [*_kinds(thin, thick), *_identity(thin.first, thick.first)]
    for code, tags in {
        "patient_position": ("PatientPosition",),
        "energy": ("KVP",),
        "phase": PHASES,
    }.items():
        found += [Reason(code, text) for tag in tags if (text := _unlike(thin, thick, tag))]
    found += _acquisition(thin, thick)
    if any(s.lossy for each in (thin, thick) for s in each.slices):
        found.append(Reason("lossy", "compressed with loss: noise and edges are not the scanner's"))
    return found


def miscounted(thin: Reconstruction, thick: Reconstruction) -> list[Reason]:
    """Tags that differ between reconstructions of some scanners too: the noise must decide."""
    texts = [_unlike(thin, thick, tag) for tag in COUNTED]
    return [Reason("acquisition_number", text) for text in texts if text]


def silent(thin: Reconstruction, thick: Reconstruction) -> list[str]:
    """Notes on UIDs and the PatientID that a header lacks, which then say nothing."""
    names = {
        "PatientID": "patient",
        "StudyInstanceUID": "study",
        "FrameOfReferenceUID": "reference",
    }
    return [
        f"no {name} in one of the two"
        for name, key in names.items()
        if not all(getattr(each.first, key).strip() for each in (thin, thick))
    ]


def without_noise(thin: Reconstruction, thick: Reconstruction) -> tuple[list[Reason], list[str]]:
    """Of a pair whose noise cannot be compared: a reason where no time tells either, or a note."""
    text = "the noise of the two cannot be compared"
    if all(_values(each, "AcquisitionTime") for each in (thin, thick)):
        return [], [f"{text}: that one acquisition made both, the headers alone say"]
    words = "and one of them states no AcquisitionTime: nothing tells one acquisition from two"
    return [Reason("noise", f"{text}, {words}")], []


def _kinds(thin: Reconstruction, thick: Reconstruction) -> list[Reason]:
    found = []
    for which, each in (("thin", thin), ("thick", thick)):
        if each.first.modality != "CT":
            found.append(Reason("modality", f"the {which} series is {each.first.modality}, not CT"))
        words = {w.strip().upper() for s in each.slices for w in _type(s)}
        if computed := sorted(_computed(words)):
            stated = "/".join(_type(each.first))
            found.append(Reason("derived", f"{which}: ImageType {stated} ({', '.join(computed)})"))
        if each.refusal is not None:
            found.append(Reason("stack", f"{which}: {each.refusal}"))
    return found


def _computed(words: set[str]) -> set[str]:
    """Those that tell of a computed image. SECONDARY alone does not: some scanners write ORIGINAL,
    of raw data, and SECONDARY, made after the examination (as ``io.derived``)."""
    return words & (COMPUTED if "DERIVED" in words else COMPUTED - {"SECONDARY"})


def _type(image: Slice) -> list[str]:
    return image.facts["apart"].get("ImageType", "").split("\\")


def _identity(thin: Slice, thick: Slice) -> list[Reason]:
    """UIDs are too long to print in full; of the patient nothing is printed."""
    found = []
    names = [each.patient.strip() for each in (thin, thick)]
    if all(names) and names[0] != names[1]:
        found.append(Reason("patient", "two PatientIDs"))
    if thin.study != thick.study:
        found.append(Reason("study", f"StudyInstanceUID {_tails(thin.study, thick.study)}"))
    if thin.reference and thick.reference and thin.reference != thick.reference:
        tails = _tails(thin.reference, thick.reference)
        found.append(Reason("frame", f"FrameOfReferenceUID {tails}"))
    for key in ("maker", "device"):
        a, b = ((each.facts[key] or "").strip() for each in (thin, thick))
        if a and b and a.upper() != b.upper():
            found.append(Reason("scanner", f"{a} and {b}"))
            break
    return found


def _tails(a: str, b: str, n: int = 12) -> str:
    return f"...{a[-n:]} and ...{b[-n:]}"


def _values(each: Reconstruction, tag: str) -> list[str]:
    """Different values of a tag in its slices, sorted; those that are silent left out."""
    tags = [s.facts["apart"] | s.facts["stated"] for s in each.slices]
    return sorted({stated[tag] for stated in tags if tag in stated})


def _unlike(thin: Reconstruction, thick: Reconstruction, tag: str) -> str | None:
    """The values of a tag, if both state it and have none in common."""
    a, b = _values(thin, tag), _values(thick, tag)
    if not a or not b or {*map(_plain, a)} & {*map(_plain, b)}:
        return None
    return f"{tag} {_few(a)} (thin) and {_few(b)} (thick)"


def _plain(value: str) -> str:
    """120 for "120.0": one number however it is written."""
    try:
        return f"{float(value):.9g}"
    except ValueError:
        return value.strip().upper()


def _few(values: list[str]) -> str:
    return values[0] if len(values) == 1 else f"{values[0]} to {values[-1]}"


def _acquisition(thin: Reconstruction, thick: Reconstruction) -> list[Reason]:
    """Spans of AcquisitionTime that are apart; several seconds of one spiral overlap."""
    dates = _unlike(thin, thick, "AcquisitionDate")
    if dates:
        return [Reason("acquisition", dates)]
    a, b = (_span_s(_values(each, "AcquisitionTime")) for each in (thin, thick))
    if a is None or b is None:
        return []
    apart_s = max(a[0], b[0]) - min(a[1], b[1])
    if apart_s <= APART_S:
        return []
    times = [_few(_values(each, "AcquisitionTime")) for each in (thin, thick)]
    text = f"AcquisitionTime {times[0]} (thin) and {times[1]} (thick), {apart_s:.4g} s apart"
    return [Reason("acquisition", text)]


def _span_s(times: list[str]) -> tuple[float, float] | None:
    """First and last of DICOM times, in seconds of the day; None where none is one."""
    seconds = []
    for time in times:
        digits = time.replace(":", "").partition(".")
        whole = digits[0].ljust(6, "0")
        if whole.isdecimal() and len(whole) == 6:
            fraction = float(f"0.{digits[2]}") if digits[2].isdecimal() else 0.0
            h, m, s = (int(whole[k : k + 2]) for k in (0, 2, 4))
            seconds.append(3600 * h + 60 * m + s + fraction)
    return (min(seconds), max(seconds)) if seconds else None


def _facts(each: Reconstruction) -> dict[str, Any]:
    first, times = each.first, _values(each, "AcquisitionTime")
    facts: dict[str, Any] = {
        "folder": str(each.folder),
        "series": each.name,
        "acquisition": each.acquisition,
        "series_uid": first.series,
        "label": first.label.strip(),
        "slices": len(each.slices),
        "kernel": first.facts["kernel"],
        "thickness_mm": each.thickness_mm,
        "increment_mm": each.place and round(each.grid.increment_mm, 6),
        "size": list(each.place.grid.shape if each.place else first.shape),
        "pixel_mm": list(each.place.grid.pixel_mm) if each.place else None,
        "diameter_mm": _mean(_values(each, "ReconstructionDiameter")),
        "times": [*times[:1], *times[1:][-1:]],
        "numbers": _values(each, "AcquisitionNumber")[:3],
    }
    stated = [[s.facts["stated"].get(tag) for s in each.slices] for tag in DOSE]
    for name, values in zip(("ctdi_vol_mgy", "mas", "ma"), stated):
        facts[name] = _mean([value for value in values if value])
    return facts


def _mean(values: list[str]) -> float | None:
    numbers = []
    for value in values:
        try:
            numbers.append(float(value))
        except ValueError:
            continue
    return round(sum(numbers) / len(numbers), 4) if numbers else None
