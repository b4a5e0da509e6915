"""Results without the memory of how they were made are not taken for up to date."""

import shutil

import pytest

from support.checkout import twin
from thinslice.workflow.recovery import snakemake_state
from thinslice.workflow.recovery.snakemake_state import SnakemakeState


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "results/thin").mkdir(parents=True)
    for part in ("metadata", "incomplete"):
        (tmp_path / ".snakemake" / part).mkdir(parents=True)
    return tmp_path


def check(folder):
    snakemake_state.check(folder / "results", SnakemakeState(folder / ".snakemake"))


@pytest.mark.parametrize("part", ["metadata", "incomplete"])
def test_a_record_needs_a_job_that_is_remembered(folder, part):
    check(folder)  # nothing made yet
    (folder / "results/thin/phantom.record.json").touch()
    with pytest.raises(ValueError, match="nothing tells which of them are out of date"):
        check(folder)
    (folder / ".snakemake" / part / "job").touch()
    check(folder)


def test_the_workflow_refuses_results_that_came_without_their_memory(finished, tmp_path):
    copied = twin(finished, tmp_path / "thinslice")
    shutil.rmtree(copied.folder / ".snakemake")
    copied.edit("src/thinslice/nets/edsr.py", "nn.ReLU(inplace=True)", "nn.GELU()")
    for _ in range(2):  # the refusal itself leaves no memory behind
        done = copied.run("-n", check=False)
        assert done.returncode != 0
        assert "nothing tells which of them are out of date" in done.stdout + done.stderr
