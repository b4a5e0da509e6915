"""How numbers and names are printed: rounding by unit, arrows, labels, footnotes.

Only here is anything rounded; the CSV tables beside the typeset ones keep full precision.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

ARROWS = {"lower": "↓", "higher": "↑", "": ""}
DECIMALS = {"HU": 1, "dB": 2, "1": 4, "mm": 2, "a.u.": 4}
METRICS = {
    "rmse_hu": "RMSE",
    "mae_hu": "MAE",
    "psnr_db": "PSNR",
    "ssim": "SSIM",
    "mse": "MSE",
    "nmse": "NMSE",
    "psnr_unobserved_db": "PSNR, unobserved slices",
    "ssim_unobserved": "SSIM, unobserved slices",
    "rmse_au": "RMSE",
    "mae_au": "MAE",
    "consistency_rmse_hu": "Data consistency RMSE",
    "consistency_bias_hu": "Data consistency bias",
    "consistency_floor_hu": "Data consistency RMSE of the thin volume",
    "consistency_rmse_au": "Data consistency RMSE",
    "consistency_bias_au": "Data consistency bias",
    "consistency_floor_au": "Data consistency RMSE of the thin volume",
    "z_offset_mm": "z offset",
}
FOUND = {"dice": "Dice", "nsd": "NSD"}  # of a structure; the rest of the metric names it
VIEWS = {"3d": "3-D"}
PEAKS = {"scan": "4000", "lung": "1400", "soft": "400", "unit": ", unit range"}  # of PSNR in v1
NOTHING = "–"
FEW = 6  # patients: a one-sided Wilcoxon test of five cannot give a p below 0.03 for one pair
ODD = "‡"  # a mean that is not over every patient


def number(value: float, unit: str = "") -> str:
    """A number as printed: decimals by unit, three figures below one, a dash for nan."""
    if value is None or math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return f"{value:.{decimals(value, unit)}f}"


def decimals(value: float, unit: str) -> int:
    """Decimals for a value of this unit; small HU, dB and mm keep two significant figures."""
    usual = DECIMALS.get(unit, 3)
    if value == 0 or not math.isfinite(value) or abs(value) >= 1 or unit not in ("HU", "dB", "mm"):
        return usual
    return min(max(usual, 1 - math.floor(math.log10(abs(value)))), 6)


def interval(
    mean: float, low: float, high: float, unit: str = "", *, places: int | None = None
) -> str:
    """mean [low, high], all to the mean's decimals; the mean alone where there is no interval."""
    if math.isnan(mean) or math.isnan(low) or math.isinf(mean):
        return number(mean, unit)
    places = decimals(mean, unit) if places is None else places
    return f"{mean:.{places}f} [{low:.{places}f}, {high:.{places}f}]"


def mean_of(row: Mapping[str, Any], *, places: int | None = None) -> str:
    """A row's mean with its interval, marked where it is not over every patient."""
    text = interval(row["mean"], row["low"], row["high"], row["unit"], places=places)
    return text + odd_mark(row)


def odd_mark(row: Mapping[str, Any]) -> str:
    """The mark of a number that is not over every patient."""
    return ODD if row.get("left_out") else ""


def gain(mean: float, low: float, high: float, unit: str = "") -> str:
    """A difference with its interval, to the unit's usual decimals however small it is."""
    return interval(mean, low, high, unit, places=DECIMALS.get(unit, 3))


def signed(value: float, unit: str = "") -> str:
    """A difference with its sign; a rounded zero has none."""
    if not math.isfinite(value):
        return number(value)
    text = f"{abs(value):.{DECIMALS.get(unit, 3)}f}"
    sign = "+" if value > 0 else "-"
    return f"{sign}{text}" if text.strip("0.") else text


def p_value(p: float) -> str:
    """p to three figures, or "< 0.001"."""
    if math.isnan(p):
        return NOTHING
    return "<0.001" if p < 0.001 else f"{p:.3g}"


def count(value: float) -> str:
    """A number of parameters or volumes: 1.73 M, 412 k, 12."""
    if value is None or not math.isfinite(value):
        return number(value)
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.0f}"


def seconds(value: float) -> str:
    """Seconds to three figures, never in powers of ten."""
    if not math.isfinite(value):
        return number(value)
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """A length of time to three figures, in the largest unit that it fills: 1.7 d, 36 s."""
    if not math.isfinite(seconds):
        return number(seconds)
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def metric_name(row: Mapping[str, Any]) -> str:
    """The metric as printed: "RMSE", "PSNR1400", "SSIM coronal, lung"."""
    metric = str(row["metric"])
    name = METRICS.get(metric) or _of_structure(metric)
    view, span, phase_mm = (row.get(key, "") for key in ("view", "range", "phase_mm"))
    if view:
        name = f"{name} {VIEWS.get(view, view)}"
    if span:
        name += PEAKS.get(span, f", {span}") if metric == "psnr_db" else f", {span}"
    return f"{name} {phase_mm} mm from a thick slice" if phase_mm else name


def _of_structure(metric: str) -> str:
    """ "Dice of the kidney", or the metric as it is."""
    kind, _, structure = metric.partition("_")
    if kind not in FOUND or not structure:
        return metric
    name, thin = structure.removesuffix("_thin"), structure.endswith("_thin")
    return f"{FOUND[kind]} of the {name}" + (" in the thin scan" if thin else "")


def metric(row: Mapping[str, Any]) -> str:
    """Name, unit and the way that is better: "RMSE (HU) ↓"."""
    unit = "" if row["unit"] in ("1", "") else f" ({row['unit']})"
    return f"{metric_name(row)}{unit} {ARROWS[row.get('better', '')]}".strip()


def place(dataset: str, degradation: str = "", sim: str = "") -> str:
    """A data set and its thick slices: "phantom, acquired thick (sim)"."""
    kind = {"": "", "acquired": ", acquired thick"}.get(degradation, f", thick by {degradation}")
    return f"{dataset}{kind}{f' ({sim})' if sim else ''}"


def sim_apart(groups: Sequence[Sequence[Mapping[str, Any]]]) -> tuple[str, list[str]]:
    """ " (sim)" if it is true of everything shown; else a mark for each group."""
    marks = [" (sim)" if any(row["sim"] for row in group) else "" for group in groups]
    if len(set(marks)) == 1:
        return marks[0], [""] * len(marks)
    return "", marks


def fitted_on(source: str) -> str:
    """What weights were fitted on; a method without training says so."""
    return source or "not trained"


def patients(counts: Iterable[int]) -> str:
    """n = 4, or n = 3–4 where cells differ."""
    distinct = sorted({int(n) for n in counts})
    if not distinct:
        return "n = 0"
    return f"n = {distinct[0]}" + (f"–{distinct[-1]}" if len(distinct) > 1 else "")


def footnotes(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Every distinct note of the rows, and how their intervals were found, once each.

    A row without an interval, as of one patient, does not say how it was found.
    """
    rows = list(rows)
    bounded = [row for row in rows if row.get("low", 0.0) == row.get("low", 0.0)]  # not nan
    ways = dict.fromkeys(row["interval"] for row in bounded if row.get("interval"))
    notes = {n: None for row in rows for n in str(row.get("note", "")).split("; ") if n}
    ways = [f"[low, high]: {way}." for way in ways]
    return [*ways, *(sentence(note) for note in sorted(notes)), *odd_notes(rows)]


def sentence(words: str) -> str:
    """Words with the full stop that they may lack."""
    return words if words.endswith((".", "?", "!")) else f"{words}."


def odd_notes(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """One footnote per set of patients left out of means: whose means, and which patients."""
    named: dict[str, dict[str, dict[str, None]]] = {}
    for row in rows:
        if odd := row.get("left_out"):
            named.setdefault(odd, {}).setdefault(metric_name(row), {})[_whose(row)] = None
    return [
        f"{ODD} not over every patient, {metric} of {', '.join(names)}: without {odd}."
        for odd, metrics in named.items()
        for metric, names in metrics.items()
    ]


def _whose(row: Mapping[str, Any]) -> str:
    """What a mean is of: a method and its weights, a pair of methods, a kind of slices."""
    if "relation" in row:
        return f"{row['split']}, {row['relation']}"
    if "method" not in row:
        return ", ".join(str(row[name]) for name in ("stratum", "simulation") if name in row)
    over = f" over {row['against']}" if "against" in row else ""
    source = row.get("entrant") or ("" if "entrant" in row else row.get("fitted_on", ""))
    return f"{row['method']}{over}{f' ({source})' if source else ''}"
