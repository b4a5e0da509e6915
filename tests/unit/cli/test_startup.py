"""What a command loads: help, version and inspect start without the heavy libraries."""

import subprocess
import sys

import pytest

from support.nifti_maker import saved, scan_ras
from support.paths import ROOT
from thinslice.cli import command, main

HEAVY = ["torch", "pandas", "matplotlib", "SimpleITK", "scipy.ndimage", "scipy.sparse", "zarr"]
LIGHT_ONLY = [*HEAVY, "nibabel", "pydicom", "numpy"]


def loaded(words, which):
    """The modules of ``which`` that the command loads."""
    code = (
        "import sys; from thinslice.cli import main\n"
        f"try: main({[*map(str, words)]!r})\n"
        "except SystemExit: pass\n"
        f"print(*[name for name in {which!r} if name in sys.modules], file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "src", capture_output=True, text=True, check=True
    )
    assert ran.stdout
    return ran.stderr.split()


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["-h"]])
def test_help_and_version_load_no_library(words):
    assert loaded(words, LIGHT_ONLY) == []


def test_inspect_loads_what_it_reads_with(tmp_path):
    saved(tmp_path / "a.nii.gz", *scan_ras())
    assert loaded(["inspect", tmp_path], HEAVY) == []
    assert loaded(["inspect", "--help"], HEAVY) == []


def test_methods_and_the_help_of_restore_load_no_torch():
    assert loaded(["methods"], HEAVY) == []
    assert loaded(["restore", "--help"], HEAVY) == []


@pytest.mark.parametrize("name", command.COMMANDS)
def test_the_list_of_commands_says_what_each_says_of_itself(capsys, name):
    """Each is loaded where it is called; its line in the list is the same, called or not."""

    def listed(*words):
        with pytest.raises(SystemExit):
            main([*words, "--help"])
        return " ".join(capsys.readouterr().out.split())

    assert command.COMMANDS[name] in listed()
    words = command.parser_of([name]).format_help()
    assert f"{name} {command.COMMANDS[name]}" in " ".join(words.split())
