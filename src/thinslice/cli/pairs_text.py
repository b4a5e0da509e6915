"""What ``thinslice pairs`` prints for people: a few lines a pair, with the numbers."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from thinslice.errors import counted, listed, one_line
from thinslice.workflow.scan_files import PassedOver

Row = dict[str, Any]


def lines(row: Row) -> Iterator[str]:
    """A pair: verdict and series, then numbers, then every reason against it."""
    facts = row["facts"]
    thin, thick = facts["thin"], facts["thick"]
    yield one_line(f"{row['verdict']:9}  {row['case']}  thin   {_series(thin)}")
    yield one_line(f"{'':9}  {'':{len(row['case'])}}  thick  {_series(thick)}")
    for numbers in (_headers(facts), _images(row["measured"])):
        if numbers:
            yield one_line("    " + "  ".join(numbers))
    for reason in row["reasons"]:
        yield one_line(f"    {reason['verdict'].upper():8}  {reason['code']}: {reason['text']}")
    for note in row["notes"]:
        yield one_line(f"    note      {note}")


def end(rows: Sequence[Row], left: Sequence[Row], skipped: PassedOver) -> Iterator[str]:
    """What is in no pair and what was not opened, then the counts."""
    for item in left:
        yield one_line(f"no pair    {item['path']}  {item['label']}: {item['why']}")
    for paths, noun, why in (
        (skipped.links, "folder", "behind a link, not followed"),
        (skipped.files, "file", "that by name are no DICOM"),
    ):
        if paths:
            words = f"{counted(len(paths), noun)} {why}: {listed(list(paths))}"
            yield one_line(f"skipped    {words}")
    n = Counter(row["verdict"] for row in rows)
    verdicts = ", ".join(
        f"{n[verdict]} {verdict}" for verdict in ("certified", "flagged", "rejected")
    )
    yield f"{verdicts}" + (f"; {len(left)} series or files in no pair" if left else "")


def written(path: Path, n: int, left: list[str]) -> Iterator[str]:
    """That a manifest was written, and the pairs left out of it."""
    pairs = counted(n, "pair")
    yield f"written  {path}: {pairs}; check the column split, which is drawn by patient"
    if left:
        yield f"left out, as one of its series is in another pair there: {listed(left)}"


def _series(series: Row) -> str:
    """Number and description, slices, folder."""
    thickness, increment = series["thickness_mm"], series["increment_mm"]
    size = f"{series['slices']} x {thickness:g} mm" if thickness else f"{series['slices']} slices"
    if thickness and increment and abs(increment - thickness) > 0.01:
        size += f" every {increment:g} mm"
    return f"{series['label']} ({size})  {series['folder']}"


def _headers(facts: Row) -> list[str]:
    """Kernel, and dose where the headers state it."""
    names = dict.fromkeys(facts[which]["kernel"] for which in ("thin", "thick"))
    kernel = facts["kernel"] + f" ({', '.join(name or 'not stated' for name in names)})"
    numbers = [f"kernel {kernel}"]
    for key, unit in (("ctdi_vol_mgy", "mGy CTDIvol"), ("mas", "mAs")):
        doses = [facts[which][key] for which in ("thin", "thick")]
        if any(doses):
            numbers.append(f"{' / '.join(_number(dose) for dose in doses)} {unit}")
    return numbers


def _images(m: Row | None) -> list[str]:
    """The slice profile and how well it explains the thick slices; noise of thin / thick."""
    if m is None:
        return []
    noise = f"{_number(m['noise_thin_hu'])} / {_number(m['noise_thick_hu'])} HU"
    return [
        f"profile {m['fwhm_mm']:.3g} mm",
        f"z offset {m['z_offset_mm']:+.2f} mm",
        f"RMSE {m['rmse_hu']:.3g} HU on {m['slices']} slices",
        f"noise {noise}",
        f"shared {_number(m['shared_noise'], 2)}",
    ]


def _number(value: float | None, digits: int = 3) -> str:
    return "?" if value is None else f"{value:.{digits}g}"
