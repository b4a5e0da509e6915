"""Put a folder on a small tmpfs, to fill it up or make it read-only."""

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
    """``folder`` and its content on a tmpfs; skips where none can be mounted."""
    original = folder.with_name(f"{folder.name} before")
    folder.rename(original)
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_mib}m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root mounts a small disk, and not everywhere")
    try:
        shutil.copytree(original, folder, dirs_exist_ok=True)
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path, free_kib: int) -> None:
    """Fill the disk of ``folder`` up to ``free_kib``."""
    (folder / BALLAST).unlink(missing_ok=True)
    taken = shutil.disk_usage(folder).free - free_kib * 1024
    with (folder / BALLAST).open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, taken)


def empty(folder: Path) -> None:
    """Free the space again."""
    (folder / BALLAST).unlink()


def remount(folder: Path, how: str) -> None:
    """Remount as ``ro`` or ``rw``, which binds root too, unlike permissions."""
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)
