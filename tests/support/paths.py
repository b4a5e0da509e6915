"""Places that tests read from, and how a child process of a test imports what the test does."""

import os
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
FIXTURES = TESTS / "fixtures"
BENCHMARKS = ROOT / "benchmarks"
REAL_SCANS = ROOT.parent / "shared" / "data"  # beside the repository; not distributed


def importing() -> dict[str, str]:
    """The environment, with the package and ``support`` to be imported."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(TESTS)])}
