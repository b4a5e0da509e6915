"""With `--sdm apptainer` jobs run in the image that the config names, by the image's own Python."""

import os
import shlex
import sys

import pytest

from support.checkout import PARTS, fresh
from support.paths import ROOT

RECORD = "results/raw/phantom.record.json"
# A stand-in that contains nothing: it logs the call and runs the job with the image's PATH.
APPTAINER = """\
#!/bin/sh
[ "$1" = --version ] && exec echo "apptainer version 1.3.4"
echo "$@" >> {log}
while [ "$1" != -c ]; do shell=$1; shift; done
PATH={image}:$PATH exec "$shell" -c "$2"
"""


@pytest.fixture
def checkout(tmp_path):
    made = fresh(tmp_path / "thinslice")
    (made.folder / "thinslice.sif").touch()
    return made


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Programs of the host: apptainer; and the image's one: python."""
    host, image = tmp_path / "host", tmp_path / "image"
    log = tmp_path / "calls"
    text = APPTAINER.format(log=shlex.quote(str(log)), image=shlex.quote(str(image)))
    python = f'#!/bin/sh\necho image python >> {log}\nexec {shlex.quote(sys.executable)} "$@"\n'
    for path, content in ((host / "apptainer", text), (image / "python", python)):
        path.parent.mkdir()
        path.write_text(content)
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{host}{os.pathsep}{os.environ['PATH']}")
    return log


@pytest.mark.slow
def test_a_job_runs_in_the_image_by_its_python(checkout, programs):
    checkout.run("--sdm", "apptainer", "--config", "container=thinslice.sif", "--", RECORD)
    calls = programs.read_text()
    assert calls.startswith("exec --home")
    assert "thinslice.sif bash -c" in calls
    assert calls.endswith("image python\n")
    assert (checkout.folder / RECORD).is_file()


def test_the_image_holds_what_the_set_up_and_the_workflow_need():
    """`.dockerignore` lets in the parts that tests copy, and what `make` reads."""
    listed = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line.removeprefix("!") for line in listed if line.startswith("!")}
    make = {"Makefile", "requirements.lock", "pyproject.toml", "README.md", "LICENSE"}
    assert {*PARTS, *make, "experiments"} <= let_in
    assert listed[0] == "*"
    assert [name for name in let_in if not (ROOT / name).exists()] == []
