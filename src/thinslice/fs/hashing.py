"""SHA-256 of files and folders, in hex."""

import hashlib
from pathlib import Path


def sha256_of_file(path: Path) -> str:
    """Hash of the bytes of one file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_by_name(path: Path) -> dict[str, str]:
    """Hash of every file in a folder by its path below the folder, sorted; of a file, its own."""
    if path.is_file():
        return {path.name: sha256_of_file(path)}
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return {file.relative_to(path).as_posix(): sha256_of_file(file) for file in files}
