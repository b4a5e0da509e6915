"""Make a study: cut the pairs, write the page, and the key in a file of its own."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thinslice.errors import Refused, refused
from thinslice.fs.atomic import replacing
from thinslice.interfaces import Scan
from thinslice.study import capacity, draw, page, planes
from thinslice.study.documents import KEY, signed
from thinslice.study.sources import Source, common_cases, same_voxels, scans_of

TITLE = "Comparison of images"
WITH_REFERENCE = "Which image, left or right, is more like the one in the middle?"
WITHOUT = "Which image would you rather read?"


class Plan(NamedTuple):
    """What a study asks for.

    reference   the source that is shown in the middle; None: two images alone
    groups      that annotators choose theirs from
    """

    sources: Sequence[Source]
    reference: Source | None
    seed: int
    n: int = 100
    planes: Sequence[str] = ("coronal", "sagittal")
    title: str = TITLE
    question: str = ""
    groups: Sequence[str] = ("radiologist", "other")


class Study(NamedTuple):
    """A page and its key."""

    page: page.Page
    key: dict[str, Any]
    cases: int


def make(plan: Plan) -> Study:
    """Draw, cut and pack all pairs; Refused where the scans do not give that many."""
    _check(plan)
    sources = [*plan.sources, *([plan.reference] if plan.reference else [])]
    cases = common_cases(sources)
    methods = [source.name for source in plan.sources]
    asked = draw.questions(plan.n, methods, cases, plan.planes, plan.seed)
    shown: dict[int, draw.Shown] = {}
    blocks: dict[int, page.Block] = {}
    for case in cases:
        mine = {k: question for k, question in enumerate(asked) if question.case == case}
        if mine:
            cutter = _Cutter(plan, case, _but_copies(case, scans_of(case, sources), plan), cases)
            for k, question in mine.items():
                shown[k], blocks[k] = cutter.next(question)
    head = {
        "title": plan.title,
        "question": plan.question or (WITH_REFERENCE if plan.reference else WITHOUT),
        "groups": list(plan.groups),
        "windows": {name: list(window) for name, window in planes.WINDOWS.items()},
    }
    built = page.build(head, [blocks[k] for k in range(plan.n)])
    key = _key(plan, built, [shown[k] for k in range(plan.n)])
    return Study(built, key, len({each.case for each in shown.values()}))


def write(study: Study, out: Path, key: Path) -> None:
    """Write the key, then the page: there is no page without its key."""
    with replacing(key) as temporary:
        temporary.write_text(json.dumps(study.key, indent=1, ensure_ascii=False), encoding="utf-8")
    with replacing(out) as temporary:
        temporary.write_text(study.page.html, encoding="utf-8", newline="\n")


def refuse_taken(out: Path, key: Path, *, overwrite: bool) -> None:
    """Refuse places that are one, or not there, or taken."""
    if out.absolute() == key.absolute():
        raise refused(key, "the name of the page, too", "a file of its own", "choose another name")
    for path in (out, key):
        if not path.absolute().parent.is_dir():
            raise refused(path, "no such folder", "a folder that is there", "make it first")
        if path.is_dir() or (path.exists() and not overwrite):
            taken = "a folder" if path.is_dir() else "a file"
            raise refused(path, taken, "a new name", "choose another, or add --overwrite")


class _Cutter:
    """Cuts one pair after another out of the scans of one case, no plane twice."""

    def __init__(self, plan: Plan, case: str, scans: dict[str, Scan], cases: Sequence[str]):
        self.plan, self.cases, self.scans = plan, cases, scans
        self.methods = [source.name for source in plan.sources]
        number = cases.index(case)
        self.grid = next(iter(scans.values())).grid
        self.reference = plan.reference.name if plan.reference else None
        self.left = {
            plane: iter(
                draw.order_of_planes(planes.positions(self.grid, plane), plan.seed, number, k)
            )
            for k, plane in enumerate(plan.planes)
        }

    def next(self, question: draw.Question) -> tuple[draw.Shown, page.Block]:
        """The next plane that shows the body and tells the two methods apart."""
        names = [question.left, question.right, *([self.reference] if self.reference else [])]
        modality = self.scans[names[0]].modality
        for index in self.left[question.plane]:
            images = np.stack(
                [planes.cut(self.scans[name], question.plane, index) for name in names]
            )
            if capacity.can_be_judged(images, modality):
                levels = planes.to_levels(images, modality)
                shown = draw.Shown(
                    question.case, question.plane, index, question.left, question.right
                )
                about = {"mm": planes.pixel_mm(self.grid, question.plane), "plane": question.plane}
                return shown, page.block(levels, {**about, **_windows(levels, modality)})
        raise Refused(self._too_many(question, names))

    def _too_many(self, question: draw.Question, names: Sequence[str]) -> str:
        """Why no plane is left, and how many pairs there can be."""
        couple = " and ".join(sorted(names[:2]))
        if same_voxels(self.scans[names[0]], self.scans[names[1]]):
            return f"case {question.case}: {couple} are the same scan: they differ in no voxel"
        planes_of = {
            plane: capacity.planes_of(self.scans, names, plane) for plane in self.plan.planes
        }
        most = capacity.most_pairs(
            self.plan.n, self.methods, self.cases, question.case, planes_of, self.plan.seed
        )
        plane = question.plane
        return (
            f"case {question.case}: {self.plan.n} pairs need more {plane} planes that show the "
            f"body and on which {couple} differ than the {planes_of[plane]} there are; at most "
            f"--pairs {most} is possible: ask for fewer --pairs, or other --planes"
        )


def _but_copies(case: str, scans: dict[str, Scan], plan: Plan) -> dict[str, Scan]:
    """The scans; Refused where the reference is what a method restored."""
    if plan.reference:
        for source in plan.sources:
            if same_voxels(scans[source.name], scans[plan.reference.name]):
                raise Refused(
                    f"case {case}: the reference {plan.reference.path} has the voxels of "
                    f"{source.name} everywhere; give the acquired thin scan, or no --reference"
                )
    return scans


def _windows(levels: np.ndarray, modality: str) -> dict[str, Any]:
    """The window shown first; of MR the only one."""
    if modality == "CT":
        return {"first": planes.first_window(levels)}
    return {"first": "all", "window": planes.mr_window(levels)}


def _check(plan: Plan) -> None:
    """Refuse methods that are too few or alike, and words that would tell."""
    names = [source.name for source in plan.sources]
    if len(names) < 2:
        raise Refused(f"{len(names)} method given; a study compares two or more")
    every = [*names, *([plan.reference.name] if plan.reference else [])]
    for name in every:
        if every.count(name) > 1:
            raise Refused(f"two sources are called {name!r}; give each a name of its own")
    empty = any(not group.strip() for group in plan.groups)
    if not plan.groups or empty or len(set(plan.groups)) < len(plan.groups):
        raise Refused(f"groups {list(plan.groups) or 'none'}; name one or more, each once")
    for words in (plan.title, plan.question, *plan.groups):
        for name in names:
            if _names(words, name):
                raise Refused(
                    f"the page would say {words!r}, which names the method {name!r}; "
                    "annotators must not read it"
                )


def _names(words: str, method: str) -> bool:
    """Whether a method is named: as a word of its own, so that "A" is not in "radiologist"."""
    whole = rf"(?<![^\W_]){re.escape(method.casefold())}(?![^\W_])"
    return re.search(whole, words.casefold()) is not None


def _key(plan: Plan, built: page.Page, shown: Sequence[draw.Shown]) -> dict[str, Any]:
    return signed(
        {
            "format": KEY,
            "study": built.study,
            "page": built.page,
            "title": plan.title,
            "seed": plan.seed,
            "methods": {source.name: str(source.path) for source in plan.sources},
            "reference": str(plan.reference.path) if plan.reference else None,
            "groups": list(plan.groups),
            "pairs": [each._asdict() for each in shown],
        }
    )
