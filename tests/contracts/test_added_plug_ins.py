"""Adding a plug-in is one file and one line: the how-to's example and the templates, as they stand.

They are put into one copy of the repository with their lines in config.yaml, and there the
contracts of their kinds are run, with no other file changed.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from support.paths import ROOT
from support.tiny_methods import RUN, THIN, pair, thick
from thinslice import methods, plugins
from thinslice.interfaces import ScoringInput

HOW_TO = (ROOT / "docs" / "how-to" / "add-a-method.md").read_text()
TEMPLATES = ROOT / "docs" / "templates"
PARTS = ("src", "tests", "rules", "experiments", "config.yaml", "pyproject.toml")


def block(language: str) -> str:
    """The first block of code in a language on the how-to's page."""
    found = re.search(rf"^ *```{language}\n(.*?)^ *```$", HOW_TO, re.MULTILINE | re.DOTALL)
    assert found
    return dedent(found[1])


ADDED = {  # kind, file, its text, its line
    "the how-to's method": ("methods", "srcnn_planes", block("python"), block("yaml").strip()),
    "template of a method": (
        "methods",
        "mine",
        (TEMPLATES / "method.py").read_text().replace("NAME", "mine"),
        "mine: {fit: population, env: torch}",
    ),
    "template of a degradation": (
        "degradations",
        "mine",
        (TEMPLATES / "degradation.py").read_text().replace("NAME", "mine"),
        "mine5: {module: mine, settings: {thickness_mm: 5.0, increment_mm: 5.0}}",
    ),
}
CONTRACTS = ("test_methods.py", "test_degradations.py", "test_plugins.py")
OF_ALL = ("every_module", "positions_constants")  # tests in which a plug-in is one of many
OF_ONE = {  # of each kind, tests that name the plug-in they are run on
    "methods": ["saved_and_loaded", "same_seed", "a_config_line_says", "taken_as_it_is_written"],
    "degradations": ["slab_by_slab", "taken_as_it_is_written"],
}


def add(folder: Path, kind: str, name: str, text: str, line: str) -> None:
    """One more file and one more line in a copy of the repository."""
    (folder / "src" / "thinslice" / kind / f"{name}.py").write_text(text)
    config = folder / "config.yaml"
    before, after = config.read_text().split(f"\n{kind}:\n")
    config.write_text(f"{before}\n{kind}:\n  {line}\n{after}")


@pytest.fixture(scope="module")
def passed(tmp_path_factory) -> list[str]:
    """The contract tests that pass with all of them added, by their names."""
    folder = tmp_path_factory.mktemp("added")
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)
    for added in ADDED.values():
        add(folder, *added)
    chosen = " or ".join([*(name for _, name, *_ in ADDED.values()), *OF_ALL])
    files = [f"tests/contracts/{file}" for file in CONTRACTS]
    command = [sys.executable, "-m", "pytest", *files, "-k", chosen, "-q", "-n", "0", "-rA"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return re.findall(r"^PASSED .*::(.*)", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("added", ADDED)
def test_a_file_and_a_line_are_all_that_the_contracts_need(added, passed):
    kind, name, *_ = ADDED[added]
    for words in OF_ONE[kind]:
        assert [test for test in passed if re.search(rf"{words}.*\b{name}", test)], words
    for words in OF_ALL:
        assert [test for test in passed if words in test], words


def test_the_how_to_s_method_is_trained_restores_and_is_scored(tmp_path, monkeypatch):
    (tmp_path / "srcnn_planes.py").write_text(block("python"))
    monkeypatch.setattr(methods, "__path__", [*methods.__path__, str(tmp_path)])
    name = "srcnn_planes"
    tiny = plugins.module("methods", {"name": name}).TINY
    method = plugins.build("methods", {"name": name, "settings": {**tiny, "steps": 40}})
    scan, truth = thick(seed=4), thick(THIN, seed=4)
    untrained = method.restore(scan, THIN, run=RUN)
    curve = method.fit([pair(0), pair(1)], [pair(2)], work=tmp_path / "work", run=RUN)
    assert len(curve.read_text().splitlines()) > 40
    restored = method.restore(scan, THIN, run=RUN)
    assert (restored.voxels != untrained.voxels).any()
    scored = plugins.build("protocols", {"name": "tvsrn"}).score(
        ScoringInput(restored, truth, scan)
    )
    assert all(score.n > 0 for score in scored)
    assert len(block("python").splitlines()) <= 75
