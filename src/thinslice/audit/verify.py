"""Verify the chain behind a question, and compute its tables again from the per-case scores."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from thinslice.audit import chain, recompute
from thinslice.audit.chain import Link
from thinslice.audit.question import Question
from thinslice.provenance import reruns
from thinslice.provenance.records import BrokenLinkError, read_record, sha256_of

OF_RESULTS = (
    "run the same snakemake command again: it remakes what changed and everything made from it; if",
    "it finds nothing to do, delete the record named above, then run it again",
)
HOLDS, BROKEN, UNCHECKED = 0, 1, 3  # exit statuses; 2 is a question without an answer


@dataclass
class Verdict:
    """What an audit saw.

    links       of the chain, nearest first
    problems    what is broken, each by name
    removed     volumes that were removed to free disk space
    elsewhere   files that are not here to be checked
    recomputed  what was computed again, and found equal
    made_again  cells that were made again from raw data, and how far they agreed
    notes       what may change last digits, or could not be compared
    remedy      what to do where something is broken, in lines
    """

    links: list[Link] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    recomputed: list[str] = field(default_factory=list)
    made_again: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    remedy: Sequence[str] = OF_RESULTS

    @property
    def status(self) -> int:
        """The exit status."""
        if self.problems:
            return BROKEN
        return UNCHECKED if self.removed or self.elsewhere else HOLDS

    def add(self, link: Link) -> None:
        """Take a link and what is to be said of it."""
        self.links.append(link)
        self.problems += link.problems
        self.removed += link.removed
        self.notes += [note for note in link.notes if note not in self.notes]


def verify(question: Question, show: Callable[[Link], None] = lambda link: None) -> Verdict:
    """Verify every link, then compute the tables again; paths count from the current folder.

    show    called with each link when it is verified
    """
    wanted = scores_of(question)
    verdict = Verdict()
    for link in chain.Walk(frozenset(wanted)).links(question.record):
        verdict.add(link)
        show(link)
    try:
        _stamps(verdict, show)
        if not verdict.problems:
            _recompute(question, wanted, verdict)
    except BrokenLinkError as error:
        verdict.problems.append(str(error))
    return verdict


def _stamps(verdict: Verdict, show: Callable[[Link], None]) -> None:
    """What is known of cells of the chain that were made again; the file of it is a link too."""
    stamps = reruns.read()
    scored = {link.record_id for link in verdict.links if link.rule == "score"}
    verdict.made_again += map(reruns.words, reruns.latest(stamps, scored))
    if stamps:
        made = ((str(reruns.FILE), sha256_of(reruns.FILE)),)
        link = Link(0, "reruns", "-", reruns.FILE, made)
        verdict.add(link)
        show(link)


def scores_of(question: Question) -> list[str]:
    """Ids of the records that a table's rows, or one of them, say they rest on."""
    if question.table is None:
        return []
    if question.row is None:
        return recompute.records_of(question.table)
    return recompute.row(question.table, question.row).get("records", "").split()


def _recompute(question: Question, wanted: list[str], verdict: Verdict) -> None:
    """The tables in the chain once more, the one of the question by its row."""
    records = {link.record_id: link.record for link in verdict.links}
    if lost := [identity for identity in wanted if identity not in records]:
        verdict.problems += [f"no record {identity} in the chain" for identity in lost]
        return
    for link, table in _tables(verdict.links):
        if reason := recompute.impossible(read_record(link.record)):
            verdict.notes.append(f"{table} is not computed again: {reason}")
            continue
        ids = wanted if table == question.table else recompute.records_of(table)
        sources = {each: records[each] for each in ids if each in records}
        verdict.problems += recompute.unlike_their_source(table, sources)
        row = question.row if table == question.table else None
        verdict.problems += recompute.differences(table, row)
        verdict.recomputed.append(f"{table} from the per-case scores of {len(sources)} record(s)")


def _tables(links: Iterable[Link]) -> Iterator[tuple[Link, Path]]:
    """The links of analyses, each with its CSV."""
    for link in links:
        if link.rule == "analyse":
            yield from ((link, Path(path)) for path, _ in link.made if path.endswith(".csv"))
