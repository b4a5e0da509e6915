"""The interfaces of the benchmark, on one page.

A plug-in is a module ``thinslice/<kind>/<name>.py`` (a figure: ``report/figures/<name>.py``) that
exposes ``build(**settings)`` and returns an object of the kind below. Adding one: that file, and
its line in config.yaml.

Axes are always [Z, Y, X], z through-plane; lengths are mm; CT is HU.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from thinslice.volume import Grid, Modality, Padding, Volume

if TYPE_CHECKING:  # the workflow's interpolating jobs never import pandas or scipy.sparse
    import pandas as pd
    from scipy.sparse import csr_array

SPLITS = ("train", "val", "test")
# What a method reproduces, as tables print it; docs/explanation/methods.md explains each.
FIDELITIES = ("textbook", "as-published", "as-released", "from-abstract", "own")
ACQUIRED = "acquired"  # the degradation of a scanner's own thick series; others are simulated


class Scan(Protocol):
    """A volume in memory or still on disk: a ``Volume``, or a case of a store."""

    @property
    def grid(self) -> Grid: ...
    @property
    def modality(self) -> Modality: ...
    @property
    def padding(self) -> Padding | None: ...
    @property
    def second(self) -> "Scan | None":
        """Another contrast of the same patient (``Volume``); None: there is none."""
        ...

    def read(self, z: slice = ..., y: slice = ..., x: slice = ...) -> np.ndarray:
        """A block of voxels, float32 [z, y, x]; padding is filled (``Volume``)."""
        ...

    def padded(self, z: slice = ..., y: slice = ..., x: slice = ...) -> np.ndarray | None:
        """Boolean [z, y, x], true where nothing was measured; None for a scan without padding."""
        ...


class Case(NamedTuple):
    """One scan of one patient; ``thick`` where the scanner reconstructed it too, or it alone.

    A scan without thin slices can be restored, never scored; ``target`` is the grid to restore to.
    Where there is a thin scan, that is its grid.
    """

    name: str  # unique in the dataset, [a-z0-9_-]
    patient: str  # splits never cut through a patient
    split: str  # "train", "val" or "test"
    thin: Volume | None
    thick: Volume | None = None
    source: Mapping[str, Any] = {}  # what the files said: kernel, maker, file names; JSON
    target: Grid | None = None


class Pair(NamedTuple):
    """A thick scan and its thin truth, as a method is fitted on them."""

    case: str
    thick: Scan
    thin: Scan


class Dataset(Protocol):
    """A source of scans."""

    @property
    def simulated(self) -> bool:
        """Whether scans are made, not acquired; the same as ``simulated`` of a config line."""
        ...

    def fetch(self, raw: Path, mirror: str | None = None) -> None:
        """Download into ``raw``, from ``mirror`` (folder or address) first, and verify."""

    def files(self, raw: Path) -> Sequence[Path]:
        """Every raw file the cases are read from, for the audit trail."""
        ...

    def cases(self, raw: Path) -> Iterator[Case]:
        """One case at a time, in a fixed order."""
        ...


@runtime_checkable
class ReadByCase(Dataset, Protocol):
    """A data set whose cases several processes can read; ``cases`` gives the same, in order."""

    def readers(self, raw: Path) -> Mapping[str, Callable[[], Case]]:
        """By case, a function that reads it; a function of a module, or a partial of one.

        It may raise ``SetAside``: the case is left out, and the record says why.
        """
        ...


@runtime_checkable
class ComparedByCase(ReadByCase, Protocol):
    """A data set whose cases must not be copies of each other."""

    def compare(self, digests: Mapping[str, str]) -> None:
        """Refuse copies, by the SHA-256 of each case's thin voxels."""


class Degradation(Protocol):
    """Thin to simulated thick: one sparse matrix along z, a pure function of the grids.

    Threads of one process simulate cases at once, each with its own object: what a module's calls
    share must be safe for that.
    """

    def thick_grid(self, thin: Grid) -> Grid:
        """The thick slices this degradation makes from a scan on ``thin``."""
        ...

    def matrix(self, thin: Grid, thick: Grid) -> "csr_array":
        """[n_thick, n_thin]; every row sums to one."""
        ...


@runtime_checkable
class PlaneDegradation(Degradation, Protocol):
    """A degradation that makes pixels coarser as well; its setting ``in_plane`` says how much."""

    def planes(self, thin: Grid, thick: Grid) -> "tuple[csr_array, csr_array]":
        """[y_thick, y_thin] and [x_thick, x_thin]; every row sums to one."""
        ...


RESTORED_BY = {"restore_precision": "fp32", "engine": "torch"}  # settings, and what is usual
# Settings that make no method another than the source's: seed and ``ct``, the HU that a network
# sees as 0 and 1, are the data's.
UNMARKED = ("seed", "ct", *RESTORED_BY)


def restored_by(fidelity: str, settings: Mapping[str, Any]) -> str:
    """A label, with the numbers and the engine that restored after it, where they are not usual."""
    how = [settings.get(name, usual) for name, usual in RESTORED_BY.items()]
    return ", ".join([fidelity, *(word for word in how if word not in RESTORED_BY.values())])


class About(NamedTuple):
    """What a method's table row says of it."""

    title: str  # as printed, e.g. "TVSRN"
    fidelity: str  # one of FIDELITIES
    paper: str  # short reference; "" for textbook methods, and it may be for our own
    idea: str  # one sentence
    fixed_factor: bool = False  # restores only the ratio of increments that it was fitted on
    in_plane: bool = False  # can restore on finer pixels too
    second: bool = False  # sees a second contrast of the patient (``Volume``), and needs it
    published_settings: Mapping[str, tuple[Any, ...]] = {}  # by name: the source's, ablations too

    def fidelity_of(self, settings: Mapping[str, Any]) -> str:
        """The label of one config line: plain for values that the source published."""
        ours = any(
            name not in UNMARKED and value not in self.published_settings.get(name, ())
            for name, value in settings.items()
        )
        marked = ours and self.fidelity.startswith("as-")
        return restored_by(f"{self.fidelity}, own settings" if marked else self.fidelity, settings)


@dataclass(frozen=True)
class Run:
    """How a job runs, never what it computes: device, threads, memory, progress."""

    device: str = "auto"  # "auto", "cpu", "cuda", "cuda:1"
    threads: int | None = None  # None: leave as the process has it
    max_memory_gib: float | None = None  # tiles, and what a training keeps, stay below it
    data_gib: float | None = None  # of scans that a training keeps in memory; None: 2
    progress: bool = True
    work: Path | None = None  # where a method that learns from the scan itself keeps checkpoints
    rank: int = 0  # of the processes that train together, this one; the first is 0 and leads
    processes: int = 1  # that train together
    reserved_gpus: int = 0  # for this job by the workflow: an error if torch cannot use them


@runtime_checkable
class WithLabels(Protocol):
    """A data set that knows structures of its thin scans, for ``segmentation``."""

    structures: Sequence[str]  # names of the labels 1, 2, ...

    def labels(self, raw: Path) -> Mapping[str, Callable[[Grid], np.ndarray]]:
        """By case, what gives its labels on the grid of its thin scan: uint8 [Z, Y, X], 0: none."""
        ...


class Method(Protocol):
    """Thick to restored. It sees the thick volume and the target grid, never the thin volume."""

    @property
    def about(self) -> About:
        """Title, source and traits of the method, for tables and lists."""
        ...

    def restore(self, thick: Volume, grid: Grid, *, run: Run = ...) -> Volume:
        """A volume on exactly ``grid``; ``thick`` is left alone."""
        ...

    def parameters(self) -> int:
        """Numbers learned from data; 0 for interpolation."""
        ...


class Trainable(Method, Protocol):
    """A method that learns from a population before it restores (``fit: population``)."""

    def fit(
        self, train: Sequence[Pair], val: Sequence[Pair], *, work: Path, run: Run = ...
    ) -> Path:
        """Learn, resuming from checkpoints in ``work``; return the path of the curve's CSV."""
        ...

    def save(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write weights and ``about`` (JSON) to one file, atomically."""

    def load(self, path: Path) -> None:
        """Weights from ``save``; refuses weights of another network or other settings."""


class Score(NamedTuple):
    """One number about one case."""

    metric: str  # e.g. "rmse_hu", "ssim"
    unit: str  # "HU", "dB", "1"
    better: str  # "lower", "higher" or "" where neither is
    value: float
    n: int  # voxels (or slices) it was taken over
    view: str = ""  # "axial", "coronal", "sagittal" or "3d", where the metric has one
    range: str = ""  # values compared, e.g. "lung"; "": all
    phase_mm: str = ""  # distance of the slices from a thick one; "": all slices
    mask: str = ""  # first 8 hex digits of the SHA-256 of the case's body mask; "": no mask


@dataclass(frozen=True)
class ScoringInput:
    """What a protocol scores: one restored case, its truth and its input."""

    restored: Volume
    thin: Volume
    thick: Volume
    matrix: "csr_array | None" = None  # [n_thick, n_thin], how thick arises from thin, if known
    planes: "tuple[csr_array, csr_array] | None" = None  # likewise rows, columns; None: same pixels
    known: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)  # by protocols


class ScoringProtocol(Protocol):
    """A fixed, named way of scoring; its name accompanies every number."""

    def score(self, case: ScoringInput) -> list[Score]: ...


@dataclass(frozen=True)
class Evidence:
    """What analyses answer from: tables alone, no volumes. Their columns: ``columns``.

    scores   one row per cell x case x metric (SCORES)
    runs     one row per cell x case (RUNS)
    pairs    one row per dataset x case x relation x metric, of thin, thick, simulated thick (PAIRS)
    cases    one row per dataset x case that has both: its stratum, or why it was set aside (CASES)
    """

    scores: "pd.DataFrame"
    runs: "pd.DataFrame"
    pairs: "pd.DataFrame"
    skipped: Sequence[tuple[str, str]] = field(default_factory=tuple)  # (cell, reason in words)
    scans: Sequence[tuple[str, str]] = field(default_factory=tuple)  # (dataset, what to know of it)
    cases: "pd.DataFrame | None" = None  # None: unknown


class Analysis(Protocol):
    """Evidence in, one table out; every row carries ``n`` and ``records`` (ids, spaced).

    The module's constant ``LAYOUT`` names how the table is printed (``report.tables``).
    """

    def __call__(self, evidence: Evidence) -> "pd.DataFrame": ...


class Figure(Protocol):
    """A table in, one figure out. The module's constant ``CAPTION`` says what it shows."""

    def __call__(self, table: "pd.DataFrame", out_stem: Path) -> list[Path]:
        """Draw ``out_stem``.png, .pdf and .svg; LookupError for another analysis' table."""
        ...
