"""Evidence made by rule, not measured: what tests of analyses and reports are fed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from thinslice.columns import metric_of
from thinslice.interfaces import Evidence

DEGRADATIONS = ("acquired", "average_5mm", "bell_5mm", "sparse_5mm")
UNTRAINED = {"linear": 62.0, "cubic": 58.0}
TRAINED = {"edsr": 51.0, "tvsrn": 44.0}
EASIER = {"acquired": 0.0, "average_5mm": -8.0, "bell_5mm": 3.0, "sparse_5mm": 12.0}
METRICS = {  # unit, better, value as a function of an RMSE in HU
    "rmse_hu": ("HU", "lower", lambda x: x),
    "psnr_db scan": ("dB", "higher", lambda x: 20 * np.log10(4000 / x)),
    "ssim coronal": ("1", "higher", lambda x: 1 - x / 400),
}
FIDELITY = {"tvsrn": "as-published", "edsr": "as-published"}


def score(case: str, value: float, **cell: str) -> dict[str, object]:
    """One score row; ``metric`` in the form of ``columns.metric_of``."""
    row: dict[str, object] = {
        "dataset": "phantom",
        "degradation": "acquired",
        "method": "linear",
        "fitted_on": "",
        "case": case,
        "patient": case,
        "fidelity": "textbook",
        "sim": "sim",
        "protocol": "v1",
        "metric": "rmse_hu",
        "unit": "HU",
        "better": "lower",
        "value": value,
        "n": 1000,
        "record": "r",
    }
    return row | cell | metric_of(str((row | cell)["metric"]))


def evidence_of(
    scores: Sequence[Mapping], runs: Sequence[Mapping] = (), pairs: Sequence[Mapping] = ()
) -> Evidence:
    """Evidence from rows."""
    return Evidence(*(pd.DataFrame(list(rows)) for rows in (scores, runs, pairs)))


def hu(method: str, degradation: str, fitted_on: str, patient: int) -> float:
    """A plausible RMSE: harder patients are harder for all, and foreign weights cost 9 HU."""
    base = {**UNTRAINED, **TRAINED}[method] + EASIER[degradation] + 2.5 * patient
    foreign = fitted_on not in ("", f"phantom/{degradation}")
    wobble = 0.7 * np.sin(7 * patient + len(method) + len(degradation) + len(fitted_on))
    return base + 9.0 * foreign + wobble


def cells(degradations: Sequence[str]) -> list[dict[str, str]]:
    """Untrained methods everywhere; trained ones fitted on every thick series x tested on each."""
    fits = {name: [""] for name in UNTRAINED}
    fits |= {name: [f"phantom/{d}" for d in degradations] for name in TRAINED}
    return [
        {"degradation": d, "method": m, "fitted_on": f, "fidelity": FIDELITY.get(m, "textbook")}
        for d in degradations
        for m, fitted in fits.items()
        for f in fitted
    ]


def demo(patients: int = 4, degradations: Sequence[str] = DEGRADATIONS) -> Evidence:
    """A benchmark of a few phantom patients, the first with three scans; all labelled sim."""
    scores, runs = [], []
    for k, cell in enumerate(cells(degradations)):
        for p, scan in [(p, 0) for p in range(patients)] + [(0, 1), (0, 2)]:
            case = {"case": f"p{p}-{scan}", "patient": f"p{p}", "record": f"s{k:03d}"}
            x = hu(cell["method"], cell["degradation"], cell["fitted_on"], p) + 0.31 * scan
            for metric, (unit, better, value) in METRICS.items():
                about = {"metric": metric, "unit": unit, "better": better}
                scores.append(score(value=value(x), **cell, **case, **about))
            about = {"dataset": "phantom", "sim": "sim", **cost(cell["method"], p + 0.1 * scan)}
            runs.append({**cell, **case, **about})
    return Evidence(
        pd.DataFrame(scores),
        pd.DataFrame(runs),
        pd.DataFrame([*slice_pairs(patients), *simulated_pairs(patients)]),
        [("phantom/sparse_5mm/saint", "SAINT needs an integer factor, found 4.7")],
        cases=pd.DataFrame(strata(patients)),
    )


def strata(patients: int) -> list[dict[str, str]]:
    """Patients of two makers, and one candidate that is no pair."""
    cases = [
        (f"p{p}-{scan}", p) for p, scan in [*((p, 0) for p in range(patients)), (0, 1), (0, 2)]
    ]
    rows = [(case, f"p{p}", ("ge", "siemens")[p % 2], "") for case, p in cases]
    rows.append(("odd", "odd", "ge", "frame: two frames of reference"))
    same = {"dataset": "phantom", "split": "test", "ratio": "1/5", "kernel": "same"}
    return [
        {**same, "case": c, "patient": p, "maker": m, "set_aside": why, "record": "pairs-test"}
        for c, p, m, why in rows
    ]


def simulated_pairs(patients: int) -> list[dict[str, object]]:
    """Simulated against acquired thick slices: a Gaussian is nearer than a box."""
    base = {"dataset": "phantom", "relation": "match", "distance_mm": 0.0, "split": "test"}
    base |= {"sim": "sim", "protocol": "simulated", "record": "pairs-test", "n": 5000}
    return [
        {
            **base,
            "degradation": simulation,
            "case": f"p{p}-0",
            "patient": f"p{p}",
            "metric": metric,
            "unit": unit,
            "value": value + 0.1 * p,
        }
        for p in range(patients)
        for simulation, rmse in (("box", 24.0), ("gaussian", 5.5), ("fitted", 3.5))
        for metric, unit, value in (
            ("rmse_hu", "HU", rmse),
            ("bias_hu", "HU", 0.2),
            ("fwhm_mm", "mm", 5.0),
        )
    ]


def cost(method: str, size: float) -> dict[str, object]:
    """What one volume costs a method; larger volumes take longer."""
    k = [*UNTRAINED, *TRAINED].index(method)
    return {
        "parameters": {"edsr": 412_000, "tvsrn": 1_730_000}.get(method, 0),
        "wall_s": 0.4 * 6.0**k * (1 + size / 7),
        "slices": 100,
        "peak_memory_gib": 0.3 + 0.4 * k,
        "gpu_memory_gib": np.nan,
        "train_s": {"edsr": 43_200.0, "tvsrn": 181_440.0}.get(method, np.nan),
        "device": "cpu (2 cores)",
    }


def slice_pairs(patients: int) -> list[dict[str, object]]:
    """Slice pairs whose likeness falls with their distance."""
    return [
        {
            "dataset": "phantom",
            "degradation": "acquired",
            "case": f"{split}{p}",
            "patient": f"{split}{p}",
            "split": split,
            "relation": relation,
            "distance_mm": float(k),
            "metric": metric,
            "unit": unit,
            "value": top - slope * k - 0.02 * slope * p,
            "n": 40,
            "sim": "sim",
            "protocol": "v1",
            "record": f"pairs-{split}",
        }
        for split in ("train", "val", "test")
        for p in range(patients)
        for k, relation in enumerate(("match", "near", "far"))
        for metric, unit, top, slope in (
            ("psnr_db", "dB", 36.0, 2.2),
            ("ssim", "1", 0.93, 0.04),
        )
    ]


def of_solids(v1: pd.DataFrame) -> list[pd.DataFrame]:
    """Scores against known solids, of restored and of thin slices."""
    rmse = v1.loc[v1["metric"] == "rmse_hu"].assign(protocol="truth", better="")
    return [
        rmse.assign(metric=f"{lead}{metric}", unit=unit, range=span)
        for lead in ("", "thin_")
        for metric, unit, span in (
            ("nodule_error", "%", "d5"),
            ("effective_thickness_mm", "mm", ""),
        )
    ]


def demo_with_solids(degradations: Sequence[str] = DEGRADATIONS) -> Evidence:
    """The same, with scores of every analysis: against known solids, too."""
    made = demo(degradations=degradations)
    parts = [made.scores, *of_solids(made.scores)]
    return replace(made, scores=pd.concat(parts, ignore_index=True))
