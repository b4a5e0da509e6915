"""The slice viewer of the page, and the three small pictures at its top.

Without JavaScript one picture of every method stands there. The images are those of
``pictures.slices``; nothing on the page measures them.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from thinslice.report.html.elements import Section, anchor
from thinslice.report.html.row_data import as_json
from thinslice.report.tables.benchmark import main_metric
from thinslice.report.tables.sheet import best_first, rows_of, split_by
from thinslice.report.tables.typeset import AnalysisTable

Slices = Mapping[str, Any]  # a document of ``pictures.slices``
TITLES = {
    "thick": "Thick: what is given",
    "restored": "Restored",
    "thin": "Thin: the truth",
}
SHADES = (
    "Pictures have 256 shades: steps of 4 HU in soft tissue, 12 HU in lung and 39 HU in bone, and "
    "so has the difference map. Numbers are those of the tables; no picture is measured."
)


def overview(viewed: Sequence[Slices], analysed: Sequence[AnalysisTable]) -> list[str]:
    """Thick, restored by the best method, and thin: what the page is about, in three pictures."""
    chosen = [each for each in viewed if _volumes(each)]
    if not chosen:
        return []
    first = chosen[0]
    volumes = _volumes(first)
    best = best_method(first, analysed)
    restored = f"{TITLES['restored']} by {best}"
    shown = [("thick", TITLES["thick"]), (best, restored), ("thin", TITLES["thin"])]
    pictures = "".join(_still(volumes[k], title) for k, title in shown if k in volumes)
    return [f'<div class="stills three">{pictures}</div>', f"<p>{escape(_scene(first))}</p>"]


def best_method(slices: Slices, analysed: Sequence[AnalysisTable]) -> str:
    """The volume of the best method on these thick slices; the last where nothing was scored."""
    names = [name for name in _volumes(slices) if name not in ("thin", "thick")]
    for table in analysed:
        if table.layout == "benchmark" and not table.rows.empty:
            place = (slices["dataset"], slices["degradation"])
            parts = split_by(main_metric(rows_of(table.rows)), "dataset", "degradation")
            ranked = [row["method"] for row in best_first(parts.get(place, []))]
            return next((name for name in ranked if name in names), names[-1])
    return names[-1]


def viewer(viewed: Sequence[Slices], analysed: Sequence[AnalysisTable]) -> list[Section]:
    """The section with the viewer; none where no case can be shown."""
    chosen = [each for each in viewed if _volumes(each)]
    if not chosen:
        return []
    body = [_one(each, best_method(each, analysed)) for each in chosen]
    body.append(f'<p class="quiet">{SHADES}</p>')
    return [Section("viewer", "Look at the slices", body)]


def data(viewed: Sequence[Slices]) -> str:
    """The images, as a script element that runs nothing."""
    content = {_key(each): each for each in viewed if _volumes(each)}
    return f'<script type="application/json" id="slices">{as_json(content)}</script>'


def _one(slices: Slices, best: str) -> str:
    stills = "".join(_still(volume, name) for name, volume in _volumes(slices).items())
    return (
        f'<div class="viewer" data-slices="{escape(_key(slices))}" data-best="{escape(best)}">'
        f'<p>{escape(_scene(slices))}</p><div class="stills">{stills}</div></div>'
    )


def _key(slices: Slices) -> str:
    return anchor("slices", slices["dataset"])


def _volumes(slices: Slices) -> dict[str, Mapping[str, Any]]:
    """The volumes of the first case, by name."""
    cases = slices["cases"]
    return {volume["name"]: volume for volume in cases[0]["volumes"]} if cases else {}


def _still(volume: Mapping[str, Any], title: str) -> str:
    words = escape(title)
    return (
        f'<figure><img src="{volume["small"]}" alt="{words}: coronal plane">'
        f"<figcaption>{words}</figcaption></figure>"
    )


def _scene(slices: Slices) -> str:
    """What the pictures show: case, thick slices, plane, window, and sim where it is."""
    case = slices["cases"][0]
    thickness, increment = case["thick_mm"]
    sim = f" ({slices['sim']})" if slices["sim"] else ""
    window = f", {case['window']} window" if case["modality"] == "CT" else ""
    words = (
        f"{slices['dataset']}, case {case['case']}{sim}: thick slices ({slices['degradation']}) of "
        f"{thickness:g} mm every {increment:g} mm; coronal plane{window}."
    )
    if case["averaged"] > 1:
        words += f" Pixels are averaged {case['averaged']} x {case['averaged']}."
    first, last, n = case["slices_of"]
    if last - first + 1 < n:
        words += f" Slices {first} to {last} of {n}."
    if case["lossless"]:
        return words
    unit = "HU" if case["modality"] == "CT" else "units"
    return f"{words} The images are compressed with loss, {case['loss']:g} {unit} on average."
