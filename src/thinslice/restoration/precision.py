"""Precision and engine by which a network restores a scan, refused where a device cannot do it.

Source of the choice: ``families.rounding``, and ``families.conditioned``.
"""

from typing import Any

from thinslice.errors import Refused
from thinslice.interfaces import Method, Run
from thinslice.restoration.methods import as_option


def precision_of(method: Method, wanted: str | None, run: Run) -> str | None:
    """The precision in which a network restores; None where its method has no choice.

    Refused where the device of ``run`` gains nothing by the one ``wanted``.
    """
    choosing: Any = method
    if not hasattr(choosing, "precision_on"):
        return None
    from thinslice.runtime import device

    chosen = device.choose(run)
    try:
        numbers = choosing.precision_on(chosen)
    except Refused as error:
        if wanted is None:
            raise
        raise Refused(as_option(str(error))) from error
    if wanted not in (None, numbers):
        raise Refused(f"precision {wanted}: the {chosen.type} is no faster in it; leave it out")
    return numbers


def refuse_engine(method: Method, run: Run) -> None:
    """Refuse an engine that is not installed, or not for the device of ``run``."""
    choosing: Any = method
    if hasattr(choosing, "refuse_engine"):
        choosing.refuse_engine(run)
