"""Slurm jobs of a killed driver: those not begun are cancelled, those running are waited for."""

import json
import os

import pytest

from thinslice.workflow.recovery import slurm_jobs

# Slurm's commands as far as they are asked here; the queue is a file, and a job ends when looked at
# once it has been waited for.
SQUEUE = """#!/usr/bin/env python3
import json, sys
queue = json.load(open("{queue}"))
for job, (state, comment, _) in queue.items():
    print(f"{{job}}|{{state}}|{{comment}}")
left = {{j: row for j, row in queue.items() if row[0] != "RUNNING" or "/other" in row[2]}}
json.dump(left, open("{queue}", "w"))
"""
SCONTROL = """#!/usr/bin/env python3
import json, sys
logs = json.load(open("{queue}.all"))
print(f"JobId={{sys.argv[-1]}} StdErr={{logs[sys.argv[-1]]}} StdOut={{logs[sys.argv[-1]]}} Power=")
"""
SCANCEL = """#!/usr/bin/env python3
import json, sys
queue = json.load(open("{queue}"))
assert sys.argv[1] == "--state=PENDING"
left = {{job: row for job, row in queue.items() if job not in sys.argv[2:]}}
json.dump(left, open("{queue}", "w"))
open("{queue}.cancelled", "a").write(" ".join(sys.argv[2:]))
"""


@pytest.fixture
def queue(tmp_path, monkeypatch):
    """Sets the queue, {job: (state, comment, log)}; the logs of this folder lie in ``logs``."""
    path = tmp_path / "queue"
    for name, text in {"squeue": SQUEUE, "scontrol": SCONTROL, "scancel": SCANCEL}.items():
        (tmp_path / name).write_text(text.format(queue=path))
        (tmp_path / name).chmod(0o755)
    (tmp_path / "a folder/logs").mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(slurm_jobs, "POLL_S", 0.01)

    def fill(jobs):
        path.write_text(json.dumps(jobs))
        (tmp_path / "queue.all").write_text(json.dumps({j: row[2] for j, row in jobs.items()}))
        return path

    return fill


def test_those_not_begun_are_cancelled_and_those_running_waited_for(queue, tmp_path, capsys):
    logs = tmp_path / "a folder/logs"
    log = f"{logs}/rule_train/1.log"
    queue({"1": ("PENDING", "rule_train_x", log), "2": ("RUNNING", "rule_restore_y", log)})
    slurm_jobs.wait_or_cancel(logs)
    assert (tmp_path / "queue.cancelled").read_text() == "1"
    assert json.loads((tmp_path / "queue").read_text()) == {}
    assert capsys.readouterr().err.startswith("cancelling Slurm jobs of a run that was killed: 1")


def test_what_is_waited_for_is_said_once_with_how_to_stop_it(queue, tmp_path, capsys):
    logs = tmp_path / "a folder/logs"
    queue({"7": ("RUNNING", "rule_train_x", f"{logs}/rule_train/7.log")})
    slurm_jobs.wait_or_cancel(logs)
    (line,) = capsys.readouterr().err.splitlines()
    assert "waiting for Slurm jobs" in line
    assert line.endswith("scancel 7")


def test_jobs_of_other_folders_and_other_jobs_are_left_alone(queue, tmp_path):
    logs = tmp_path / "a folder/logs"
    others = {
        "1": ("PENDING", "rule_train_x", "/other/.snakemake/slurm_logs/rule_train/1.log"),
        "2": ("RUNNING", "rule_train_x", "/other/.snakemake/slurm_logs/rule_train/2.log"),
        "3": ("PENDING", "(null)", f"{logs}/3.log"),
    }
    path = queue(others)
    slurm_jobs.wait_or_cancel(logs)
    assert set(json.loads(path.read_text())) == {"1", "2", "3"}


def test_without_slurm_or_its_logs_nothing_is_asked(tmp_path, monkeypatch, capsys):
    slurm_jobs.wait_or_cancel(tmp_path / "none")
    monkeypatch.setenv("PATH", str(tmp_path))
    slurm_jobs.wait_or_cancel(tmp_path)
    assert capsys.readouterr().err == ""


def test_a_controller_that_does_not_answer_is_said(tmp_path, monkeypatch, capsys):
    (tmp_path / "squeue").write_text("#!/bin/sh\necho no controller >&2; exit 1\n")
    (tmp_path / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    slurm_jobs.wait_or_cancel(tmp_path)
    assert capsys.readouterr().err == "squeue failed: no controller\n"
