"""What annotators answered, read and held against the study's key."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from thinslice.errors import refused
from thinslice.study import documents
from thinslice.study.draw import Shown

SIDES = ("left", "right")
ASK = "ask the annotator to open the same page in the same browser and to go on"


class Key(NamedTuple):
    """The key of a study: which method was where."""

    study: str
    page: str
    methods: tuple[str, ...]
    groups: tuple[str, ...]
    pairs: tuple[Shown, ...]


class Annotator(NamedTuple):
    """One annotator's answers.

    sides   of every pair: "left", "right", or None where it was not answered
    ms      milliseconds until each answer
    """

    name: str
    group: str
    sides: tuple[str | None, ...]
    ms: tuple[int | None, ...]

    @property
    def missing(self) -> int:
        """Pairs without an answer."""
        return self.sides.count(None)


def read_key(path: Path) -> Key:
    """The key in a file; Refused where it is none, or was edited."""
    content = documents.read(path, documents.KEY)
    pairs = tuple(Shown(**pair) for pair in content["pairs"])
    methods, groups = tuple(content["methods"]), tuple(content["groups"])
    return Key(content["study"], content["page"], methods, groups, pairs)


def read_all(paths: Sequence[Path], key: Key, *, partial: bool = False) -> list[Annotator]:
    """Every annotator's answers to this study, in the order of the files.

    partial   pairs may be without an answer; else each must have one

    Refused by name: answers of another study, of a page that was edited, of an annotator given
    twice, and incomplete ones.
    """
    read = [(path, _read(path, key, partial)) for path in paths]
    seen: dict[str, Path] = {}
    for path, annotator in read:
        word = annotator.name.casefold()
        if word in seen:
            raise refused(
                path, f"answers of {annotator.name!r}, whose answers {seen[word]} holds, too",
                "one file of each annotator", "keep the right one of the two",
            )  # fmt: skip
        seen[word] = path
    return [annotator for _, annotator in read]


def _read(path: Path, key: Key, partial: bool) -> Annotator:
    content = documents.read(path, documents.ANSWERS)
    _check_study(path, content, key)
    annotator = _annotator(path, content, len(key.pairs))
    if annotator.group not in key.groups:
        raise refused(
            path, f"group {annotator.group!r}", f"one of {', '.join(key.groups)}",
            "take the file as the page saved it",
        )  # fmt: skip
    if annotator.missing and not partial:
        raise refused(
            path,
            f"no answer to {annotator.missing} of {len(key.pairs)} pairs",
            "an answer to each",
            f"{ASK}, or score what is there with --partial",
        )
    return annotator


def _check_study(path: Path, content: Mapping[str, Any], key: Key) -> None:
    if content.get("study") != key.study:
        raise refused(
            path,
            f"answers to study {str(content.get('study'))[:12]}",
            f"answers to {key.study[:12]}, which this key is of",
            "give the key of that study, or the answers to this one",
        )
    if content.get("page") != key.page:
        raise refused(
            path,
            "answers from a page that was edited",
            "the page as it was made",
            "give annotators the page as it is, and ask this one again",
        )


def _annotator(path: Path, content: Mapping[str, Any], pairs: int) -> Annotator:
    """The answers as the page writes them; Refused for any other content."""
    answers, name = content.get("answers"), content.get("annotator")
    given = answers if isinstance(answers, list) else []
    form = len(given) == pairs and isinstance(name, str) and name
    if not form or not all(each is None or _is_answer(each) for each in given):
        raise refused(
            path, "answers of another form", f"{pairs} answers, left or right",
            "take the file as the page saved it",
        )  # fmt: skip
    sides = tuple(each[0] if each else None for each in given)
    ms = tuple(each[1] if each else None for each in given)
    return Annotator(str(name), str(content.get("group")), sides, ms)


def _is_answer(each: Any) -> bool:
    match each:
        case [str(side), int(ms)]:
            return side in SIDES and ms >= 0 and not isinstance(ms, bool)
    return False
