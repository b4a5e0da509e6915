"""The page that lists every input that is tried, with its outcome; ``make`` it after a change.

PYTHONPATH=src:tests python -m support.inputs_page > docs/reference/inputs.md
"""

import re
from itertools import groupby

from support.inputs import TABLES
from support.reading_law import Case

HEAD = """# Inputs that are tried

Every input below is made by the tests and read at each change: {n} in all. It is read exactly, as a
second decoder has it, or refused in one line that names the file and says what was found, what was
expected and what to do. *Chosen* means that an option was given (`--series`, `--acquisition`,
`--declared-thickness` and the like). *Read or refused* is a random fault: what is read is right.
The words of a refusal or a note are a pattern of that line. `tests/support/inputs_page.py` makes
this page.
"""


def page() -> str:
    """The page, from the tables of the tests."""
    n = sum(len(module.CASES) for module in TABLES.values())
    return "\n".join([HEAD.format(n=n), *map(_table, TABLES)])


def _table(kind: str) -> str:
    """One section: read, chosen, then refused."""
    rows = []
    cases = TABLES[kind].CASES
    for name, numbered in groupby(cases, key=lambda name: re.sub(r" \d+$", "", name)):
        names = list(numbered)
        outcome, words = _outcome(cases[names[0]])
        times = f" ({len(names)} inputs)" if len(names) > 1 else ""
        shown = name if len(names) > 1 else names[0]
        rows.append(f"| {_plain(shown)}{times} | {outcome} | {_plain(words)} |")
    lines = [f"## {kind}", "", "| input | outcome | refusal or note |", "|---|---|---|"]
    return "\n".join([*lines, *rows, ""])


def _outcome(case: Case) -> tuple[str, str]:
    if case.right is None:
        return "refused", case.refused or ""
    if case.refused is not None:
        return "read or refused", case.refused
    return "chosen" if case.say else "read", case.noted or ""


def _plain(text: str) -> str:
    """Text that a cell of a table can hold."""
    return text.replace("\\", "").replace("|", " or ").replace(".*", "...").replace("\n", " ")


if __name__ == "__main__":
    print(page(), end="")
