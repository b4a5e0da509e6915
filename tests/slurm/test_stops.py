"""The Slurm that tests start is gone after them, whatever happened meanwhile."""

from pathlib import Path

import pytest

from support import slurm_cluster

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(300)]


@pytest.mark.skipif(slurm_cluster.missing() is not None, reason=str(slurm_cluster.missing()))
def test_nothing_runs_on_after_a_test_that_failed_with_jobs_running(tmp_path):
    folder = tmp_path / "cluster"
    with pytest.raises(RuntimeError, match="a test fails"):
        fail_with_jobs_running(folder)
    assert processes(folder) == []


def fail_with_jobs_running(folder: Path) -> None:
    with slurm_cluster.started(folder) as cluster:
        for _ in range(slurm_cluster.GPUS + 1):
            cluster.ask("sbatch", "--gpus=1", "--output=/dev/null", "--wrap=sleep 600")
        assert len(processes(folder)) >= 3  # the daemons
        raise RuntimeError("a test fails")


def processes(folder: Path) -> list[str]:
    """Commands running now that name a folder, or were started with it in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            if str(folder).encode() in told:
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:  # ended meanwhile
            continue
    return found
