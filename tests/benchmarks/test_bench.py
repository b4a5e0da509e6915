"""``make bench B=NAME`` runs that benchmark, and lists their names where there is none."""

import subprocess
import sys

from support.paths import BENCHMARKS


def test_a_name_that_no_benchmark_has_is_answered_with_theirs():
    command = [sys.executable, str(BENCHMARKS / "bench.py"), "nosuch"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("no benchmark nosuch; there are store_crops, ")
    assert not done.stdout
