"""A disk of its own for one folder: filled up, made read-only, and taken away again at the end."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

BALLAST = ".ballast"


@contextmanager
def on_small_disk(folder: Path, size_mib: int = 64) -> Iterator[Path]:
    """``folder`` with all it holds on a tmpfs; skips where none may be mounted."""
    held = folder.with_name(f"{folder.name} before")
    folder.rename(held)
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_mib}m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root mounts a small disk, and not everywhere")
    try:
        shutil.copytree(held, folder, dirs_exist_ok=True)
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path, free_kib: int) -> None:
    """Leave ``free_kib`` on the disk of ``folder``."""
    (folder / BALLAST).unlink(missing_ok=True)
    taken = shutil.disk_usage(folder).free - free_kib * 1024
    with (folder / BALLAST).open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, taken)


def empty(folder: Path) -> None:
    """Give the space back."""
    (folder / BALLAST).unlink()


def remount(folder: Path, how: str) -> None:
    """``ro`` or ``rw``: root ignores permissions, but not this."""
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)
