"""``thinslice study``: a blind comparison by readers, and what their answers say."""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from thinslice.cli.arguments import count, seed
from thinslice.errors import counted, refused
from thinslice.fs.atomic import write_text

if TYPE_CHECKING:
    from thinslice.study.answers import Annotator
    from thinslice.study.score import Agreement, Preference


def add_to(commands: argparse._SubParsersAction) -> None:
    """Register the subcommand."""
    parser = commands.add_parser("study", help="a blind comparison of methods by readers")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    _add_make(actions)
    _add_score(actions)


def _add_make(actions: argparse._SubParsersAction) -> None:
    parser = actions.add_parser(
        "make", help="a page for annotators, and its key",
        description="Cut pairs of planes of the same place restored by two methods. "
        "PAGE is for annotators; KEY says which side is which, and is not.",
    )  # fmt: skip
    add = parser.add_argument
    add("page", type=Path, metavar="PAGE", help="the page to write, .html")
    add(
        "scans", nargs="+", metavar="NAME=PATH",
        help="a method, and what it restored: a store, a folder of scans, or a scan",
    )  # fmt: skip
    add("--key", type=Path, required=True, metavar="JSON", help="the key to write")
    add("--seed", type=seed, required=True, metavar="N", help="that draws pairs and sides")
    add("--reference", type=Path, metavar="PATH", help="thin scans, shown between the two")
    add("--pairs", type=count, default=100, metavar="N", help="default 100")
    add(
        "--planes", nargs="+", choices=["axial", "coronal", "sagittal"],
        default=["coronal", "sagittal"], metavar="PLANE", help="default: coronal sagittal",
    )  # fmt: skip
    add("--title", default="", metavar="TEXT", help="of the page")
    add("--question", default="", metavar="TEXT", help="asked of every pair")
    add(
        "--groups", nargs="+", default=["radiologist", "other"], metavar="GROUP",
        help="that annotators choose theirs from; default: radiologist other",
    )  # fmt: skip
    add("--overwrite", action="store_true", help="replace a page and a key that are there")
    parser.set_defaults(run=run_make)


def _add_score(actions: argparse._SubParsersAction) -> None:
    parser = actions.add_parser("score", help="preferences and agreement from answers")
    add = parser.add_argument
    add("key", type=Path, metavar="KEY", help="of the study, as make wrote it")
    add("answers", type=Path, nargs="+", metavar="ANSWERS", help="a file of each annotator")
    add("-o", "--out", type=Path, metavar="CSV", help="also write OUT.csv and OUT.agreement.csv")
    add("--partial", action="store_true", help="score incomplete answers, and say so")
    add("--overwrite", action="store_true", help="replace tables that are there")
    parser.set_defaults(run=run_score)


def run_make(arguments: argparse.Namespace) -> int:
    """0 if the page and its key are written, 2 if not."""
    from thinslice.study import make, sources

    make.refuse_taken(arguments.page, arguments.key, overwrite=arguments.overwrite)
    named = [sources.parse(text) for text in arguments.scans]
    reference = arguments.reference and sources.open_source("(reference)", arguments.reference)
    study = make.make(
        make.Plan(
            [sources.open_source(*each) for each in named],
            reference,
            arguments.seed,
            arguments.pairs,
            list(dict.fromkeys(arguments.planes)),
            arguments.title or make.TITLE,
            arguments.question,
            arguments.groups,
        )
    )
    make.write(study, arguments.page, arguments.key)
    size = len(study.page.html) / 2**20
    size_words = f"{counted(arguments.pairs, 'pair')} of {counted(study.cases, 'case')}"
    print(f"study    {study.page.study[:12]}: {size_words}")
    print(f"written  {arguments.page}  ({size:.1f} MiB): give it to annotators")
    print(f"written  {arguments.key}: keep it to yourself until every answer is in")
    return 0


def run_score(arguments: argparse.Namespace) -> int:
    """0 if all answers were scored, 2 if some are refused."""
    from thinslice.study import answers, score

    tables = _tables(arguments.out, overwrite=arguments.overwrite)
    key = answers.read_key(arguments.key)
    annotators = answers.read_all(arguments.answers, key, partial=arguments.partial)
    rows = score.preferences(key, annotators)
    agreed = score.agreements(key, annotators)
    print("\n".join(_words(rows, agreed, annotators)))
    for path, some, kind in zip(tables, (rows, agreed), (score.Preference, score.Agreement)):
        write_text(path, score.as_csv(some, kind._fields))
        print(f"written  {path}")
    return 0


def _tables(out: Path | None, *, overwrite: bool) -> list[Path]:
    """Where the two tables go; Refused where one is there."""
    if out is None:
        return []
    paths = [out, out.with_suffix(".agreement.csv")]
    for path in paths:
        if path.exists() and not overwrite:
            raise refused(path, "a file", "a new name", "choose another, or add --overwrite")
    return paths


def _words(
    rows: Sequence["Preference"], agreed: Sequence["Agreement"], annotators: Sequence["Annotator"]
) -> list[str]:
    """Both tables, for people."""
    missing = sum(each.missing for each in annotators)
    are = "is" if missing == 1 else "are"
    lines = [f"PARTIAL: {counted(missing, 'answer')} {are} missing"] if missing else []
    couple = None
    for row in rows:
        if couple != (row.method, row.against):
            couple = (row.method, row.against)
            lines.append(f"{row.method} preferred over {row.against} (95 % Wilson interval)")
        share = f"{_percent(row.share)} ({_percent(row.low)} to {_percent(row.high)})"
        counts = f"{row.preferred} : {row.against_preferred}"
        name = row.who if row.scope != "annotator" else f"  {row.who} ({row.group})"
        lines.append(f"  {name:<28} {counts:>12}   {share}   left {_percent(row.left)}")
    lines.append("agreement on the side beyond chance (kappa; over the pairs that all answered)")
    for row in agreed:
        kappa = "undefined" if math.isnan(row.kappa) else f"{row.kappa:.3f}"
        lines.append(
            f"  {row.who:<28} {row.annotators} annotators, {row.pairs} pairs: "
            f"{row.statistic} {kappa}, same side {_percent(row.same)}"
        )
    if not agreed:
        lines.append("  needs two annotators")
    return lines


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{100 * share:.1f} %"
