"""From a restored case to rows of numbers: what is asked of the protocols, and their answers."""

from collections.abc import Iterator, Mapping
from typing import Any

from thinslice import plugins, ssp
from thinslice.cells import ACQUIRED
from thinslice.seams import Degradation, Question, ScoringProtocol
from thinslice.volume import Volume


def degradation_of(card: Mapping[str, Any]) -> Degradation | None:
    """The simulation behind a thick store; None for the acquired series."""
    return None if card["name"] == ACQUIRED else plugins.build("degradations", card)


def question(
    restored: Volume, thin: Volume, thick: Volume, made_by: Degradation | None
) -> Question:
    """One case for the protocols, with the matrix by which its thick slices arise from thin ones.

    Simulated thick: the declared one. Acquired thick: taps fitted to this case's own pair, since
    no scanner declares its profile.
    """
    if made_by is None:
        matrix = ssp.estimate(thin, thick)
    else:
        matrix = made_by.matrix(thin.grid, thick.grid)
    return Question(restored, thin, thick, matrix)


def rows(asked: Question, protocols: Mapping[str, ScoringProtocol]) -> Iterator[dict[str, Any]]:
    """One row per protocol and metric."""
    for name, protocol in protocols.items():
        for score in protocol.score(asked):
            yield {"protocol": name, **score._asdict()}
