"""From a restored case to rows of numbers: what is asked of the protocols, and their answers."""

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from thinslice import plugins
from thinslice.interfaces import Degradation, PlaneDegradation, ScoringInput, ScoringProtocol
from thinslice.operators import profile_fit
from thinslice.volume import Volume
from thinslice.workflow.cells import ACQUIRED

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def degradation_of(card: Mapping[str, Any]) -> Degradation | None:
    """The simulation behind a thick store; None for the acquired series."""
    return None if card["name"] == ACQUIRED else plugins.build("degradations", card)


def question(
    restored: Volume, thin: Volume, thick: Volume, made_by: Degradation | None
) -> ScoringInput:
    """One case for the protocols, with the matrices by which its thick slices arise from thin ones.

    Simulated thick: the declared ones. Acquired thick: taps fitted to this case's own pair, since
    no scanner declares its profile; none where its pixels are not the thin scan's.
    """
    if made_by is None:
        return ScoringInput(restored, thin, thick, _measured(thin, thick))
    grids = (thin.grid, thick.grid)
    planes = made_by.planes(*grids) if isinstance(made_by, PlaneDegradation) else None
    return ScoringInput(restored, thin, thick, made_by.matrix(*grids), planes)


def _measured(thin: Volume, thick: Volume) -> "csr_array | None":
    """The pair's own taps as a matrix; None, and said, where the pair cannot tell them."""
    try:
        return profile_fit.matrix_from_taps(
            profile_fit.fit_taps(thin, thick), thin.grid, thick.grid
        )
    except ValueError as error:
        print(f"data consistency is not scored: {error}", file=sys.stderr)
        return None


def rows(asked: ScoringInput, protocols: Mapping[str, ScoringProtocol]) -> Iterator[dict[str, Any]]:
    """One row per protocol and metric."""
    for name, protocol in protocols.items():
        for score in protocol.score(asked):
            yield {"protocol": name, **score._asdict()}
