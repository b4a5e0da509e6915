"""Choose the method that restores a scan: by name, by its weights, or the default.

A method without weights is an interpolation or learns from the scan itself. A weights file names
its method and settings, and the scans it was fitted on. The default's weights come with the
package.
"""

import tomllib
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, NamedTuple

from thinslice import plugins
from thinslice.errors import Refused, refused
from thinslice.fs.hashing import sha256_of_file
from thinslice.interfaces import About, Method
from thinslice.volume import Volume

PRESETS = Path(__file__).with_name("presets.toml")
DEFAULT = "conditioned_unet"  # any thickness and increment; its weights come with the package
ALONE = "sr4zct_small"  # needs no weights, and models the scan's own thickness and overlap
PACKAGED = Path(__file__).with_name("weights") / f"{DEFAULT}.safetensors"
Fit = Literal["none", "volume", "population"]  # learns nothing, from the scan itself, from others


class MethodChoice(NamedTuple):
    """A method, ready to restore, with its card and its weights."""

    card: Mapping[str, Any]  # name, module, settings
    method: Method
    fit: Fit
    weights: Path | None
    weights_sha256: str | None
    fitted_on: Mapping[str, Any] | None  # None: not fitted on other scans

    @property
    def about(self) -> About:
        """Title, source and traits of the method."""
        return self.method.about

    @property
    def fidelity(self) -> str:
        """The label of the method with these settings."""
        return self.about.fidelity_of(self.card.get("settings", {}))


def presets() -> dict[str, dict[str, Any]]:
    """The named settings that come with the package: name to card."""
    cards = tomllib.loads(PRESETS.read_text(encoding="utf-8"))
    return {name: {"name": name, **card} for name, card in cards.items()}


def known() -> dict[str, dict[str, Any]]:
    """Every method by its name on the command line, a module's or a preset's: name to card."""
    return {**{name: {"name": name} for name in plugins.names("methods")}, **presets()}


def fit_of(method: Method) -> Fit:
    """What a method has to learn from before it restores."""
    if hasattr(method, "load"):
        return "population"
    return "volume" if method.parameters() else "none"


def choose(
    method: str | None = None,
    weights: Path | None = None,
    *,
    precision: str | None = None,
    engine: str | None = None,
) -> MethodChoice:
    """The named method; with weights the one they were fitted for; without either the default.

    Refused for an unknown name, for a method that needs weights and got none, and for weights that
    are damaged or of another method.
    """
    name, cards = method or DEFAULT, known()
    how = {"restore_precision": precision, "engine": engine}
    if weights is None and name == PACKAGED.stem:
        weights = packaged()
    if weights is not None:
        return _by_weights(method, weights, how)
    if name not in cards:
        near = get_close_matches(name, cards, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise Refused(
            f"{hint}there is no method {name!r}; `thinslice methods` lists those there are"
        )
    card = _with(cards[name], how)
    built = plugins.build("methods", card)
    if fit_of(built) == "population":
        raise refused(
            name,
            "a method that is fitted on other scans, but no weights",
            "--weights FILE, as the workflow writes them",
            f"give weights, or use {DEFAULT!r}, whose weights come with the package",
        )
    return MethodChoice(card, built, fit_of(built), None, None, None)


def _with(card: Mapping[str, Any], how: Mapping[str, str | None]) -> dict[str, Any]:
    """The card with what is asked of restoring among its settings; Refused where it has no such.

    how   settings and their values; None: as the method has it
    """
    given = {name: value for name, value in how.items() if value is not None}
    if not given:
        return dict(card)
    changed = {**card, "settings": {**card.get("settings", {}), **given}}
    try:
        plugins.build("methods", changed)
    except TypeError:
        raise Refused(_no_choice(card["name"], given)) from None
    except ValueError as error:
        raise Refused(f"{card['name']}: {as_option(str(error))}") from error
    return changed


def _no_choice(name: str, given: Collection[str]) -> str:
    """What to do where a method lacks these settings of restoring."""
    from thinslice.restoration import catalogue  # which lists what this module chooses from

    options = [setting.removeprefix("restore_") for setting in given]
    others = ", ".join(catalogue.taking(options))
    advice = "leave it out" + (f", or use one that has: {others}" if others else "")
    return f"{name} has no choice of {' or '.join(options)}: {advice}"


def as_option(words: str) -> str:
    """What is said of a setting, by the name of its option on the command line."""
    return words.replace("restore_precision", "--precision")


def refuse_one_contrast(chosen: MethodChoice, thick: Volume) -> None:
    """Refuse a scan without the second contrast that its method sees."""
    if chosen.about.second and thick.second is None:
        raise refused(
            chosen.card["name"],
            "a scan without a second contrast of the patient",
            "a `Volume` with its `second`, from Python; a command reads one contrast",
            "restore the scan by another method",
        )


def packaged() -> Path:
    """The default's weights, which come with the package; Refused where they are missing."""
    if not PACKAGED.is_file():
        found = "no weights, although they come with the package"
        advice = f"install the package again, or use --method {ALONE}, which needs none"
        raise refused(PACKAGED, found, f"those of {PACKAGED.stem!r}", advice)
    return PACKAGED


def card_of(path: Path) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """The method card in a weights file, and all its other notes; Refused for other files."""
    from thinslice.training import weights  # imports torch: only where there are weights

    try:
        about = weights.head(path)["about"]
    except FileNotFoundError:
        expected = "weights as the workflow writes them"
        raise refused(path, "no file", expected, "correct the name") from None
    except ValueError as error:
        raise Refused(f"{error}; {_mend(path)}") from error
    card = about.get("card")
    whole = isinstance(card, Mapping) and isinstance(card.get("name"), str)
    if not whole or not isinstance(card.get("settings", {}), Mapping):
        raise refused(path, "weights without a method card", "a card", _mend(path))
    return {key: card[key] for key in ("name", "module", "settings") if key in card}, about


def _mend(path: Path) -> str:
    """What to do about weights that cannot be used: the package's are not trained by its user."""
    if path == PACKAGED:
        return f"install the package again, or use --method {ALONE}, which needs no weights"
    return "train again, or give another file"


def _by_weights(method: str | None, path: Path, how: Mapping[str, str | None]) -> MethodChoice:
    card, about = card_of(path)
    if method not in (None, card["name"], card.get("module", card["name"])):
        raise refused(path, f"weights of {card['name']!r}", repr(method), "leave out --method")
    card = _with(card, how)
    try:
        built = plugins.build("methods", card)
        built.load(path)
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        found = f"weights that cannot be used ({str(error).removeprefix(f'{path}: ')})"
        raise refused(path, found, "weights of a method of this version", _mend(path)) from error
    sha256 = sha256_of_file(path)
    return MethodChoice(card, built, "population", path, sha256, about.get("fitted_on", {}))
