"""A job ends on a known condition with one line; on anything else with its traceback."""

import errno
import subprocess
import sys

import pytest

from support.paths import ROOT
from thinslice import errors
from thinslice.errors import Refused
from thinslice.provenance.records import BrokenLinkError
from thinslice.runtime.device import DeviceError
from thinslice.store import StoreError
from thinslice.training.checkpoint import UnusableError

ENDING = ROOT / "workflow_scripts/job_exit.sh"


def raised(error: BaseException) -> pytest.ExceptionInfo[SystemExit]:
    def main() -> None:
        raise error

    with pytest.raises(SystemExit) as ended:
        errors.run_script(main)
    return ended


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a.npy"), "a.npy: the disk is full"),
        (OSError(errno.EROFS, "Read-only file system"), "the disk is read-only"),
        (MemoryError("Unable to allocate 2 TiB"), "more memory is needed"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "more memory is needed"),
        (StoreError("a.zarr: torn;\n make it again"), "a.zarr: torn; make it again"),
        (BrokenLinkError("a.csv is missing"), "a.csv is missing"),
    ],
)
def test_a_known_condition_is_one_line(error, words, capsys):
    raised(error)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"refused: {words}")


def test_a_full_disk_is_known_in_whatever_wraps_it(capsys):
    wrapped = RuntimeError("cannot write")
    wrapped.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert raised(wrapped).value.code == errors.OF_DISK
    assert "the disk is full" in capsys.readouterr().err


def test_a_file_that_may_not_be_read_is_no_full_disk(capsys):
    refused = raised(PermissionError(errno.EACCES, "Permission denied", "scan.dcm"))
    assert refused.value.code == 1
    assert "scan.dcm: no permission" in capsys.readouterr().err


@pytest.mark.parametrize("base", [Refused, BrokenLinkError, StoreError, UnusableError, DeviceError])
def test_errors_of_ours_have_one_base(base):
    assert issubclass(base, errors.ThinsliceError)


def test_a_bug_met_while_an_error_of_ours_is_handled_keeps_its_traceback():
    bug = KeyError("a")
    bug.__context__ = StoreError("a.zarr: torn")
    with pytest.raises(KeyError):
        errors.run_script(lambda: (_ for _ in ()).throw(bug))


@pytest.mark.parametrize("error", [ValueError("shapes"), KeyError("a"), FileNotFoundError("b")])
def test_what_is_not_known_keeps_its_traceback(error):
    with pytest.raises(type(error)):
        errors.run_script(lambda: (_ for _ in ()).throw(error))


@pytest.mark.parametrize("ask", ["numpy.empty(2**44)", "torch.empty(2**44)"])
def test_memory_that_is_not_there_is_known_by_every_library(ask):
    run = f"errors.run_script(lambda: {ask}.fill_(0))"
    code = f"import numpy, torch; from thinslice import errors; {run}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("refused: more memory is needed"), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("last", "status", "said"),
    [
        ("kill -9 $BASHPID", 137, "killed: the system or a person stopped this job"),
        (f"exit {errors.OF_DISK}", errors.OF_DISK, "refused: the disk under results"),
        ("exit 1", 1, ""),
        ("true", 0, ""),
    ],
)
def test_the_shell_speaks_for_a_job_that_cannot(last, status, said):
    code = f"set -euo pipefail; source {ENDING}; ({last}) &>/dev/null"
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True)
    assert done.returncode == status
    assert (said in done.stderr) if said else not done.stderr
