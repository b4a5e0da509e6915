"""Folders of the tests, and the environment of their child processes."""

import os
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
FIXTURES = TESTS / "fixtures"
BENCHMARKS = ROOT / "benchmarks"
REAL_SCANS = ROOT.parent / "shared" / "data"  # beside the repository; not distributed
GOLDENS = ROOT.parent / "shared" / "goldens"  # likewise


def importing() -> dict[str, str]:
    """Environment in which a child process imports the package and ``support``."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(TESTS)])}
