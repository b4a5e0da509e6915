"""``make`` and ``make help`` list every target; ``make check-method`` checks one method."""

import re
import subprocess

import pytest

from support.paths import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()


def make(*words):
    command = ["make", "--no-print-directory", "-C", str(ROOT), *words]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("words", [(), ("help",)])
def test_every_target_is_listed(words):
    (targets,) = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)
    done = make(*words)
    assert done.returncode == 0
    listed = re.findall(r"^make ([\w-]+)", done.stdout, re.MULTILINE)
    assert sorted([*listed, "another-torch"]) == sorted(targets.split())
    assert "#" not in done.stdout


def test_check_method_runs_the_contract_on_one_method():
    planned = make("-n", "check-method", "M=linear_x").stdout
    assert "ruff check src/thinslice/methods/linear_x.py" in planned
    assert re.search(r"pytest .*test_methods\.py.* -k \"linear_x\"", planned)
