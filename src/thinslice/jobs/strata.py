"""What the cases of a data set are told apart by: maker, thicknesses, kernel; or set aside."""

from collections.abc import Mapping
from typing import Any

from thinslice.errors import SetAside
from thinslice.interfaces import Case

UNKNOWN = "unknown"
ABOUT = ("patient", "split", "maker", "ratio", "kernel")


def stratum_of(case: Case) -> dict[str, str] | None:
    """Of a case with thin and thick slices, as its data set says, else as its files do."""
    if case.thin is None or case.thick is None:
        return None
    thin, thick = (case.source.get(role) for role in ("thin", "thick"))
    thin, thick = (each if isinstance(each, Mapping) else {} for each in (thin, thick))
    ratio = f"{case.thin.grid.thickness_mm:g}/{case.thick.grid.thickness_mm:g}"
    by_files = {
        "maker": (str(thin.get("maker") or "").lower().split() or [UNKNOWN])[0],
        "ratio": ratio,
        "kernel": kernel(thin.get("kernel"), thick.get("kernel")),
    }
    given = case.source.get("stratum", {})
    return {
        "case": case.name,
        "patient": case.patient,
        "split": case.split,
        **by_files,
        **given,
    } | {"set_aside": ""}


def kernel(thin: Any, thick: Any) -> str:
    """ "same", "different" or "unknown", as the files state it."""
    if not thin or not thick:
        return UNKNOWN
    return "same" if thin == thick else "different"


def of_set_aside(name: str, error: SetAside) -> dict[str, str]:
    """Of a case that its data set does not give."""
    about = {key: str(error.about.get(key, UNKNOWN)) for key in ABOUT}
    return {"case": name, **about, "set_aside": " ".join(str(error).split())}
