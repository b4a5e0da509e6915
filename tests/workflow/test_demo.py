"""The demo gives the numbers that README and tutorial print."""

import subprocess
import sys

import pytest

from support import demo
from support.checkout import fresh


@pytest.mark.slow
def test_a_run_of_the_demo_prints_the_numbers_of_the_docs(tmp_path):
    checkout = fresh(tmp_path / "thinslice")
    command = [sys.executable, "-m", "snakemake", "--cores", "2"]
    done = subprocess.run(
        command, cwd=checkout.folder, env=checkout.env(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert demo.differences(checkout.folder / "results") == []
    audited = checkout.thinslice("audit", "results/report.html")
    assert audited.returncode == 0, audited.stdout + audited.stderr
