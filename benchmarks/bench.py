"""Run benchmarks, keep what they print, and write the page of the last run.

    python benchmarks/bench.py                      all of them: minutes to an hour
    python benchmarks/bench.py store_crops          only these; the others stay as they were

What they print goes to ``last_run.json``, with the machine, and from there to
docs/reference/speed.md (``speed_page.py``). A failing benchmark stops the run; what was measured
before it is kept. Run it on an idle machine, and commit both files.
"""

import argparse
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from speed_page import LAST_RUN, PAGE, page

from thinslice.provenance import environment

HERE = Path(__file__).resolve().parent
SCRIPTS = (
    *("store_crops", "scoring_speed", "case_workers_speed", "planning_speed"),
    *("msd_speed", "tvsrn_speed", "acvtt_speed"),
    *("restoring_speed", "planes_speed", "whole_scan_speed"),
)
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def run(name: str) -> str:
    """What a benchmark prints, shown meanwhile."""
    command = [sys.executable, str(HERE / f"{name}.py")]
    lines = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, **ONE_THREAD}
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode:
        sys.exit(f"{name} failed with exit status {process.returncode}")
    return "".join(lines)


def measured(name: str) -> dict[str, Any]:
    """One benchmark's output, and where and when it ran."""
    load = os.getloadavg()[0]
    text = run(name)
    machine = environment.machine()
    return {
        "output": text,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{machine['cores']} cores {machine['cpu']}",
        "load": round(load, 1),
    }


def main() -> None:
    """Run what was named, else everything."""
    parser = argparse.ArgumentParser(description="Run benchmarks and write the page of speeds.")
    parser.add_argument("scripts", nargs="*", help=f"of {', '.join(SCRIPTS)}; none: all")
    last: dict[str, Any] = json.loads(LAST_RUN.read_text()) if LAST_RUN.exists() else {}
    names = parser.parse_args().scripts
    if unknown := [name for name in names if name not in SCRIPTS]:
        parser.exit(2, f"no benchmark {', '.join(unknown)}; there are {', '.join(SCRIPTS)}\n")
    for name in names or SCRIPTS:
        print(f"== {name}", flush=True)
        last[name] = measured(name)
        LAST_RUN.write_text(json.dumps(dict(sorted(last.items())), indent=1) + "\n")
        PAGE.write_text(page(last))


if __name__ == "__main__":
    main()
