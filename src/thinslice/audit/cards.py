"""Compare the cards of a record with the present config, setting by setting."""

from collections.abc import Iterator, Mapping
from typing import Any

from thinslice.workflow.cards import method_entry

KIND_OF_CARD = {
    "dataset": "datasets",
    "degradation": "degradations",
    "method": "methods",
    "protocols": "protocols",
    "analysis": "analyses",
    "figure": "figures",
}
OWN = {"name", "code"}  # of a card, and not of its config entry
ALWAYS = {"module", "settings", "weights"}  # may be added to an entry that had none


def changed_cards(
    cards: Mapping[str, Any], config: Mapping[str, Any], fitted_on: str | None = None
) -> Iterator[str]:
    """In words, each setting of each card that the config has otherwise.

    fitted_on   the dataset that a method of the cards is fitted on, which gives it its window
    """
    for key, card in cards.items():
        kind = KIND_OF_CARD.get(key)
        if kind is None:
            continue
        if isinstance(card, list):
            yield from _changed_names(kind, [each["name"] for each in card], config)
        for each in card if isinstance(card, list) else [card]:
            if "code" in each:  # the acquired series has a name alone
                yield from _changed_card(kind, each, _entry(kind, each["name"], config, fitted_on))


def _entry(
    kind: str, name: str, config: Mapping[str, Any], fitted_on: str | None
) -> Mapping[str, Any] | None:
    """The config entry of a card; None if it is gone."""
    if name not in config[kind]:
        return None
    return method_entry(config, name, fitted_on) if kind == "methods" else config[kind][name]


def _changed_names(kind: str, names: list[str], config: Mapping[str, Any]) -> Iterator[str]:
    for name in config[kind]:
        if name not in names:
            yield f"config: {kind}.{name} is new"


def _changed_card(
    kind: str, card: Mapping[str, Any], entry: Mapping[str, Any] | None
) -> Iterator[str]:
    where = f"{kind}.{card['name']}"
    if entry is None:
        yield f"config: {where} is gone"
        return
    keys = (card.keys() - OWN) | (ALWAYS & entry.keys())
    for key in sorted(keys):
        yield from differences(f"{where}.{key}", card.get(key), entry.get(key))


def differences(where: str, then: Any, now: Any) -> Iterator[str]:
    """Each leaf that differs, by its path in the config."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for key in sorted({*then, *now}):
            yield from differences(f"{where}.{key}", then.get(key), now.get(key))
    elif then != now:
        yield f"config: {where} was {_shown(then)}, is {_shown(now)}"


def _shown(value: Any) -> str:
    return "not set" if value is None else repr(value)
