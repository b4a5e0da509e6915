"""Copies of the workflow with a tiny config, for tests that edit and kill."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from support.paths import ROOT

PARTS = ("Snakefile", "config.yaml", "rules", "workflow_scripts", "src", "envs", "profiles")
CONFIG = "tests/tiny.yaml"
WEIGHTS = "results/weights/edsr_small/phantom--acquired.pt"
TORCH = ("results/scores/phantom/acquired/edsr_small/phantom--acquired.csv",)


@dataclass
class Checkout:
    """One copy of the workflow, and the commands that run in it."""

    folder: Path

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run Snakemake to its end; a failed assertion shows its output."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            capture_output=True,
            text=True,
            env=self.env(),
        )
        assert done.returncode == 0 or not check, done.stdout + done.stderr
        return done

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start Snakemake as the leader of a process group of its own."""
        with (self.folder / "driver.log").open("wb") as log:
            return subprocess.Popen(
                self.command(*arguments), cwd=self.folder, env=self.env(), stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def planned(self, *arguments: str) -> set[str]:
        """First outputs of the jobs a dry run lists."""
        text = self.run("-n", *arguments).stdout
        return set(re.findall(r"^\w+ +(results/\S+)  \(", text, flags=re.MULTILINE))

    def thinslice(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the thinslice command of this copy."""
        command = [sys.executable, "-m", "thinslice", *arguments]
        return subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, env=self.env()
        )

    def command(self, *arguments: str) -> list[str]:
        snakemake = [sys.executable, "-m", "snakemake", "--configfile", CONFIG, "--cores", "2"]
        return [*snakemake, *arguments]

    def env(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(self.folder / "src"), "OMP_NUM_THREADS": "1"}

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace text in one file; the old text must be there."""
        path = self.folder / file
        text = path.read_text()
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new, 1))


def fresh(folder: Path) -> Checkout:
    """A copy with no results."""
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(source, folder / part, ignore=ignore)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / part)
    (folder / "tests").mkdir(exist_ok=True)
    shutil.copy2(ROOT / CONFIG, folder / CONFIG)
    return Checkout(folder)


def twin(of: Checkout, folder: Path) -> Checkout:
    """A copy with the results and Snakemake's metadata, file times preserved."""
    shutil.copytree(of.folder, folder, symlinks=True)
    return Checkout(folder)
