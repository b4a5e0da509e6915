"""The run behind the page, and the card at its top: which data, when, where, which code."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

from thinslice.report.html.elements import copyable, pairs

SHORT = 12  # hex digits of a commit


class Named(NamedTuple):
    """A line of the config that results rest on."""

    kind: str  # "data set", "degradation", "method" or "protocol"
    name: str
    module: str
    settings: Mapping[str, Any]


class Training(NamedTuple):
    """A training: its cost, and its learning curve."""

    method: str
    fitted_on: str
    device: str
    parameters: float
    wall_s: float
    peak_memory_gib: float
    energy_kwh: float  # estimated, not measured
    curve: Sequence[Mapping[str, float]]
    waiting: float = float("nan")  # share of the time spent waiting for batches


class Run(NamedTuple):
    """What the records behind the evidence say of the run."""

    datasets: Mapping[str, int]  # test patients
    simulated: Sequence[str]  # data sets with numbers that are labelled sim
    started: str  # ISO 8601
    ended: str
    commits: Sequence[str]
    dirty: bool
    seeds: Mapping[str, int]
    jobs: int
    wall_s: float  # of all jobs together
    energy_kwh: float  # estimated, not measured
    machines: Sequence[str]
    packages: Mapping[str, str]
    named: Sequence[Named]
    trainings: Sequence[Training]
    records: Mapping[str, Mapping[str, Any]]  # of score jobs, by id: what a row rests on
    evidence: str  # id of the record of the evidence


def title(run: Run | None) -> str:
    """The title of the page, which names the data sets."""
    words = "Thin slices from thick ones"
    return f"{words}: {', '.join(run.datasets)}" if run and run.datasets else words


def card(run: Run | None, page: str) -> str:
    """The card: facts in two columns, and how to check them.

    page    path of the page, as the audit command of the run names it
    """
    verify = f"<p><b>Verify this page</b> {copyable(f'thinslice audit {page}')}</p>"
    facts = pairs(_facts(run)) if run else ""
    return f'<div class="card">{facts}{verify}</div>'


def _facts(run: Run) -> list[tuple[str, str]]:
    data = ", ".join(
        f"{escape(name)}{' (sim)' if name in run.simulated else ''}" for name in run.datasets
    )
    patients = ", ".join(
        f"{n} of {escape(name)}" if len(run.datasets) > 1 else str(n)
        for name, n in run.datasets.items()
    )
    return [
        ("Project", "thinslice benchmark"),
        ("Data", data),
        ("Test patients", patients),
        ("Made", escape(when(run.started, run.ended))),
        ("Commit", escape(_commit(run))),
        ("Seeds", escape(", ".join(f"{name} {seed}" for name, seed in run.seeds.items()))),
        ("Computed", escape(f"{duration(run.wall_s)} in {run.jobs} jobs")),
        ("Machine", escape("; ".join(run.machines))),
        ("Versions", escape(_versions(run.packages))),
        ("Evidence", f"record <code>{escape(run.evidence)}</code>"),
    ]


def when(started: str, ended: str) -> str:
    """Date and times, UTC: "2026-11-30, 12:37 to 12:46 UTC"."""
    if not started:
        return ""
    first, last = started[:10], ended[:10]
    upto = ended[11:16] if first == last else f"{last}, {ended[11:16]}"
    return f"{first}, {started[11:16]} to {upto} UTC"


def duration(seconds: float) -> str:
    """Seconds in words: 42 s, 9 min, 3 h 47 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _commit(run: Run) -> str:
    if not run.commits:
        return "unknown: not run from a repository"
    words = ", ".join(commit[:SHORT] for commit in run.commits)
    return f"{words}, {'with uncommitted changes' if run.dirty else 'clean'}"


def _versions(packages: Mapping[str, str]) -> str:
    shown = ("thinslice", "python", "torch", "numpy", "snakemake")
    return ", ".join(f"{name} {packages[name]}" for name in shown if name in packages)
