"""Text that ``thinslice restore`` prints before and after restoring a scan."""

from collections.abc import Iterator
from pathlib import Path

from thinslice.interfaces import Run
from thinslice.provenance.environment import versions
from thinslice.restoration import output
from thinslice.restoration.notices import RESTORED as NOTICE
from thinslice.restoration.restore import Plan, Result
from thinslice.runtime.progress import in_words
from thinslice.volume import Grid

FITS = {
    "none": "interpolation, learns nothing",
    "volume": "learns from this scan alone",
    "population": "fitted on other scans",
}


def beforehand(path: Path, planned: Plan, run: Run) -> Iterator[str]:
    """Lines on the scan, the target grid, the method, the device and its threads."""
    source = planned.scan.source if planned.scan else {}
    maker, kernel = source.get("maker"), source.get("kernel")
    facts = [source.get("format"), planned.thick.modality, maker, kernel]
    chosen = planned.chosen
    yield f"scan     {path}  {' '.join(str(word) for word in facts if word)}"
    yield f"         {described(planned.thick.grid)}"
    yield f"thin     {described(planned.grid)}"
    yield f"method   {chosen.card['name']}: {chosen.about.title}, {FITS[chosen.fit]}"
    if chosen.weights is not None:
        yield f"weights  {chosen.weights}  sha256 {(chosen.weights_sha256 or '')[:16]}"
    if planned.refine is not None:
        yield f"refine   {planned.refine} on this scan's axial slices, before it is restored"
    threads = f", {run.threads} thread{'s' if run.threads > 1 else ''}" if run.threads else ""
    yield f"device   {run.device}{threads}"


def details(planned: Plan, run: Run) -> Iterator[str]:
    """Lines for ``--verbose``: the method's settings, the memory cap, and versions."""
    settings = planned.chosen.card.get("settings", {})
    pairs = [f"{name} {value}" for name, value in settings.items()]
    yield f"settings {', '.join(pairs) or 'as the method has them'}"
    cap = f"{run.max_memory_gib:g} GiB" if run.max_memory_gib else "none"
    yield f"memory   cap {cap}"
    yield f"versions {', '.join(f'{name} {version}' for name, version in versions().items())}"


def afterwards(out: Path, restored: Result) -> Iterator[str]:
    """Lines on what was written, and how far it agrees with the scan."""
    trust = restored.trust
    if restored.refined is not None:
        steps, repeat = restored.refined.steps, restored.refined.repeat
        yield f"refined  {steps} steps; the same bits again: {repeat}"
    if restored.differences is not None:
        apart = restored.differences
        yield (
            f"numbers  {restored.precision}: {apart['rms']:.2g} {trust.unit} from float32 (root "
            f"mean square), at most {apart['max']:.2g}, in {apart['tiles']} tiles compared"
        )
    if trust.noise is not None:
        yield f"noise    {trust.noise:.3g} {trust.unit} in the scan, where tissue is flat"
    if trust.step and trust.step.cut:
        yield f"cut      {trust.step.cut} voxels to what a scanner can hold"
    name = out.name
    yield f"written  {out}  in {in_words(restored.wall_s)}"
    yield f"         {name}{output.STATEMENT}, {name}{output.PREVIEW}"
    yield f"Trust: {trust.advice}"
    yield NOTICE


def described(grid: Grid) -> str:
    """The slices, pixels and gaps of a grid, in one line."""
    rows, columns = grid.shape
    y, x = grid.pixel_mm
    meeting = ""
    if abs(grid.overlap_mm) >= 0.01:
        word = "overlapping by" if grid.overlap_mm > 0 else "with gaps of"
        meeting = f", {word} {abs(grid.overlap_mm):.3g} mm"
    return (
        f"{grid.n} slices of {rows} x {columns} pixels of {y:.4g} x {x:.4g} mm, "
        f"{grid.thickness_mm:g} mm thick every {grid.increment_mm:g} mm{meeting}"
    )
