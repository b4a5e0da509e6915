"""Systems without fcntl and resource, such as Windows: the commands work, the workflow refuses."""

import json
import subprocess
import sys

from support.nifti_maker import saved, scan_ras
from support.paths import importing

HIDDEN = """
import os, signal, sys
for name in ("fcntl", "resource"):
    sys.modules[name] = None
for module, names in {os: ("O_DIRECTORY", "sched_getaffinity", "getloadavg", "getuid"),
                      signal: ("SIGHUP",)}.items():
    for name in names:
        delattr(module, name)
"""
COMMAND = f"{HIDDEN}\nfrom thinslice.cli import main\nsys.exit(main(sys.argv[1:]))"
WORKFLOW = f"""{HIDDEN}
from pathlib import Path
from thinslice.workflow.recovery import run_lock
run_lock.acquire(Path(sys.argv[1]))
"""


def ran(code, *words):
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=importing())


def test_inspect_methods_and_restore_run(tmp_path):
    scan, out = saved(tmp_path / "a.nii.gz", *scan_ras()), tmp_path / "b.nii.gz"
    for words in (["inspect", scan], ["methods"]):
        assert ran(COMMAND, *words).returncode == 0
    done = ran(COMMAND, "restore", scan, out, "--method", "linear")
    assert done.returncode == 0, done.stderr
    statement = json.loads(out.with_name("b.nii.gz.thinslice.json").read_text())
    assert statement["run"]["peak_memory_gib"] is None
    again = ran(COMMAND, "restore", scan, out, "--method", "linear", "--overwrite")
    assert again.returncode == 0, again.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.nii.gz", "b.nii.gz", "b.nii.gz.preview.png", "b.nii.gz.thinslice.json",
    ]  # fmt: skip


def test_the_workflow_needs_locks(tmp_path):
    done = ran(WORKFLOW, tmp_path)
    assert done.returncode == 1
    assert "needs file locks of Linux or macOS; on Windows use WSL2" in done.stderr
