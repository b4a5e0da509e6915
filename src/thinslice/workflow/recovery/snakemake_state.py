"""Whether Snakemake remembers how the results that are here were made. Standard library only.

What is out of date shows by comparing code and settings with those of the run before, which
Snakemake keeps in .snakemake. Results copied or moved without it would all look up to date,
whatever had changed since: a stale result must rather be refused than kept.
"""

from pathlib import Path

KEPT_IN = ("metadata", "incomplete")  # jobs that ended, jobs that were under way


def check(results: Path, memory: Path) -> None:
    """Refuse results without the memory of their making; ValueError."""
    if any((memory / part).is_dir() and any((memory / part).iterdir()) for part in KEPT_IN):
        return
    if next(results.rglob("*.record.json"), None) is None:
        return
    raise ValueError(
        f"{results.resolve()} holds results, but {memory}, where Snakemake remembers how they were "
        f"made, is empty: nothing tells which of them are out of date. Bring {memory} along with "
        "them, or move them away"
    )
