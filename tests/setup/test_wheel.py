"""A wheel holds every file of the package, and the command that it installs runs from it."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import thinslice
from support.paths import ROOT
from thinslice.restoration import methods

PACKAGE = ROOT / "src/thinslice"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built as `pip wheel .` does, with the build tools that are installed."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    (source / "src").mkdir()
    for path in files():
        place = source / "src/thinslice" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes((PACKAGE / path).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet"]
    subprocess.run([*command, "--wheel-dir", folder, source], check=True)
    (built,) = folder.glob("thinslice-*.whl")
    return built


def files() -> list[Path]:
    """Every file of the package, data too, relative to it."""
    found = (path for path in PACKAGE.rglob("*") if path.is_file())
    return [path.relative_to(PACKAGE) for path in found if "__pycache__" not in path.parts]


def test_it_holds_every_file_of_the_package(wheel):
    listed = set(zipfile.ZipFile(wheel).namelist())
    missing = [str(path) for path in files() if f"thinslice/{path.as_posix()}" not in listed]
    assert missing == [], "see package-data in pyproject.toml"
    assert [path for path in files() if path.suffix != ".py"]  # presets, schema, splits
    assert f"thinslice/{methods.PACKAGED.relative_to(PACKAGE).as_posix()}" in listed


def test_the_command_runs_from_it_and_says_its_version(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = (
        "import os, sys, thinslice; assert thinslice.__file__.startswith(os.getcwd());"
        "sys.argv = ['thinslice', '--version']; from thinslice.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout == f"thinslice {thinslice.__version__}\n", done.stderr
    entry = next(tmp_path.glob("thinslice-*.dist-info/entry_points.txt")).read_text()
    assert "thinslice = thinslice.cli:main" in entry


def test_presets_and_the_schema_are_read_from_it(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "thinslice", "methods", "--json"], cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True,
    )  # fmt: skip
    assert '"sr4zct_small"' in done.stdout, done.stderr
