"""Write docs/reference/speed.md from the last run of the benchmarks; no number is typed there."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LAST_RUN = HERE / "last_run.json"
PAGE = HERE.parent / "docs" / "reference" / "speed.md"

AIMS = (  # what ``measuring.reached`` prints, before, aim
    ("TVSRN as released, restore, user, eager", "1.26x", "1.4x"),
    ("TVSRN as released, restore, user + system, eager", "2.5x", "3x"),
    ("TVSRN as released, restore, user, OpenVINO", "-", "1.8x"),
    ("TVSRN as released, restore, user + system, OpenVINO", "-", "4x"),
    ("TVSRN training step, user", "0.79x", "1.1x"),
    ("TVSRN training step, user + system", "1.04x", "1.1x"),
    ("ACVTT restore, fp32", "1.5x", "1.8x"),
    ("ACVTT restore, bf16", "-", "5x"),
    ("ACVTT training step, user", "1.03x", "1x"),
    ("ACVTT training step, user + system", "1.11x", "1x"),
    ("TVSRN as published, 300 slices of 512 x 512, by torch", "705 s", "320 s"),
    ("TVSRN as published, 300 slices of 512 x 512, by OpenVINO", "-", "320 s"),
    ("TVSRN as published, 300 slices of 512 x 512, by OpenVINO, bf16", "-", "320 s"),
    ("default restore, 60 slices of 512 x 512", "200 s", "110 s"),
    ("restore by sr4zct_small, 60 slices of 512 x 512", "200 s", "110 s"),
    ("v1 scoring against scikit-image", "11.4x", "15x"),
    ("convert on 2 workers against 1", "1.0x", "1.8x"),
    ("convert on 2 workers against 1, reckoned", "1.0x", "1.8x"),
    ("degrade on 2 workers against 1", "1.0x", "1.8x"),
    ("degrade on 2 workers against 1, reckoned", "1.0x", "1.8x"),
    ("score on 2 workers against 1", "1.0x", "1.8x"),
    ("score on 2 workers against 1, reckoned", "1.0x", "1.8x"),
    ("plan of 3,000 jobs", "5.4 s", "5 s"),
    ("crop 16 x 256 x 256 against nibabel, user", "40x", "60x"),
)
HEAD = """\
# Speed

The last run of each benchmark (`make bench`), written by `benchmarks/bench.py`; no result is typed
here. Against a named baseline, whose output is equal or whose difference is printed, it is CPU
seconds of one thread, user and system apart, both sides in turn in one run. A plan is CPU seconds,
reckoned for 3,000 jobs from those planned. Of convert, degrade and score the ratio is of wall
seconds; *reckoned* is what CPU seconds would give on an idle machine. *Load* is that of the machine
as the benchmark began: above its number of cores, neighbours slowed what was measured, wall seconds
most. *Before* is of another day and load. The baseline of TVSRN and ACVTT is plain PyTorch in the
structure of their authors' code, with the same weights; it is not the authors' files, which are
measured beside it (kind *authors*) where they were there; their MiB come on top of a pass of the
same size, so they are no measure of memory. ACVTT's restoring is user seconds. Numbers in bfloat16
are measured on a CPU that gains by it (AMX, or AVX-512 of AMD's), and are missing on another.

## Aims

| | before | aim | reached |
|---|---:|---:|---:|
"""


def page(last: Mapping[str, Any]) -> str:
    """The page, from outputs by the benchmarks' names."""
    values = _reached(last)
    rows = [
        f"| {aim} | {before} | {wanted} | {values.get(aim, 'not measured')} |"
        for aim, before, wanted in AIMS
    ]
    parts = [HEAD + "\n".join(rows) + "\n"]
    for name, entry in sorted(last.items()):
        where = f"{entry['date']}, {entry['machine']}, load {entry['load']}"
        parts.append(f"## {name}\n\n{where}\n\n{_shown(entry['output'])}\n")
    return "\n".join(parts)


def _reached(last: Mapping[str, Any]) -> dict[str, str]:
    lines = [line for entry in last.values() for line in entry["output"].splitlines()]
    split = [line.split(" | ") for line in lines if line.startswith("reached | ")]
    return {aim: value for _, aim, value in split}


def _shown(output: str) -> str:
    """Tables as they are, other lines as text of their own."""
    lines = [line for line in output.splitlines() if not line.startswith("reached | ")]
    tables = any(line.startswith("|") for line in lines)
    text = "\n".join(lines).strip()
    if not tables:
        return f"```text\n{text}\n```"
    spaced = []
    for line in lines:
        if spaced and spaced[-1] and line.startswith("|") != spaced[-1].startswith("|"):
            spaced.append("")
        spaced.append(line.rstrip())
    return "\n".join(spaced).strip()


if __name__ == "__main__":
    PAGE.write_text(page(json.loads(LAST_RUN.read_text())))
