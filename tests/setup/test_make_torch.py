"""`make TORCH=...` installs that build, refuses what it cannot have, and remembers the choice."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.paths import ROOT


@pytest.fixture
def folder(tmp_path):
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy2(ROOT / name, tmp_path / name)
    return tmp_path


def planned(folder: Path, *words: str) -> str:
    """What make would run to set up .venv."""
    command = ["make", "--dry-run", ".venv/.ready", f"PYTHON={sys.executable}", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.replace("\\\n", " ")


def set_up(folder: Path, torch: str) -> None:
    """Leave what a finished set-up leaves."""
    (folder / ".venv").mkdir()
    (folder / ".venv/torch.txt").write_text(torch + "\n")
    (folder / ".venv/.ready").touch()


def test_all_but_torch_is_installed_by_hash_and_torch_within_the_pins(folder):
    commands = planned(folder)
    assert "--no-deps --require-hashes -r .venv/packages.lock" in commands
    assert "--constraint .venv/pins.txt torch\n" in commands


def test_a_build_is_asked_for_by_its_label_from_the_index_that_is_named(folder):
    commands = planned(folder, "TORCH=cu126", "TORCH_INDEX=https://index/cu126")
    assert "--extra-index-url https://index/cu126" in commands
    assert "torch==2.13.0+cu126" in commands


def test_the_site_s_torch_is_not_installed_again(folder):
    commands = planned(folder, "TORCH=site")
    assert "site_torch.pth" in commands
    assert "--constraint .venv/pins.txt" not in commands


def test_the_choice_is_remembered_and_another_one_makes_the_environment_afresh(folder):
    set_up(folder, "cpu")
    assert "up to date" in planned(folder)
    assert "up to date" in planned(folder, "TORCH=cpu")
    commands = planned(folder, "TORCH=default")
    assert "-m venv --clear .venv" in commands
    assert "echo default > .venv/torch.txt" in commands
