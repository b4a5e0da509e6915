"""A job that needs more memory than its group has: killed by the kernel, and told so."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.checkout import Checkout, twin
from support.same_results import weights

GROUPS = Path("/sys/fs/cgroup/memory")
TARGET = "results/weights/edsr_small/phantom--box5.record.json"
LIMIT_MIB = 260  # Snakemake needs half of it, a training with torch more


@contextlib.contextmanager
def group(limit_mib: int) -> Iterator[Path]:
    """A cgroup (v1) with little memory; skips where none can be made."""
    folder = GROUPS / f"thinslice-test-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("no cgroup v1 for memory here, or not root")
    try:
        (folder / "memory.limit_in_bytes").write_text(str(limit_mib * 2**20))
        yield folder
    finally:
        folder.rmdir()


def run_within(folder: Path, checkout: Checkout, target: str) -> subprocess.CompletedProcess[str]:
    """The run and all its jobs, in the group from their start."""
    enter = ["sh", "-c", f'echo $$ > "{folder}/cgroup.procs"; exec "$@"', "sh"]
    return subprocess.run(
        [*enter, *checkout.command(target)],
        cwd=checkout.folder, env=checkout.env(), capture_output=True, text=True,
    )  # fmt: skip


@pytest.mark.slow
def test_a_job_killed_for_memory_is_told_and_goes_on_where_there_is_more(finished, tmp_path):
    checkout = twin(finished, tmp_path / "thinslice")
    (checkout.folder / TARGET).unlink()
    (checkout.folder / TARGET.replace(".record.json", ".pt")).unlink()
    with group(LIMIT_MIB) as folder:
        done = run_within(folder, checkout, TARGET)
    assert done.returncode != 0
    assert "killed: the system or a person stopped this job" in done.stderr, done.stderr
    assert "train_mem_mb" in done.stderr
    assert not (checkout.folder / TARGET).exists()
    checkout.run(TARGET)
    assert weights(checkout) == weights(finished)
