"""Adding a plug-in is one file and one line: the how-to's example and the templates, as they stand.

Each is put into a copy of the repository with its line in config.yaml, and there the contract of
its kind is run, with no other file changed.
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
CONTRACTS = {
    "methods": ["test_methods.py", "test_plugins.py"],
    "degradations": ["test_degradations.py", "test_plugins.py"],
}


def with_plug_in(folder: Path, kind: str, name: str, text: str, line: str) -> None:
    """A copy of the repository in ``folder`` with one more file and one more line."""
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)
    (folder / "src" / "thinslice" / kind / f"{name}.py").write_text(text)
    config = folder / "config.yaml"
    before, after = config.read_text().split(f"\n{kind}:\n")
    config.write_text(f"{before}\n{kind}:\n  {line}\n{after}")


@pytest.mark.parametrize("added", ADDED)
def test_a_file_and_a_line_are_all_that_the_contracts_need(added, tmp_path):
    kind, name, *rest = ADDED[added]
    with_plug_in(tmp_path, kind, name, *rest)
    files = [f"tests/contracts/{file}" for file in CONTRACTS[kind]]
    chosen = f"{name} or every_module" if kind == "methods" else f"{name} or every_module or kept"
    command = [sys.executable, "-m", "pytest", *files, "-k", chosen, "-q", "-n", "0", "-rA"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    expected = {
        "methods": ["saved_and_loaded", "same_seed", "a_config_line_says", "every_module"],
        "degradations": ["slab_by_slab", "positions_constants", "every_module"],
    }
    for words in expected[kind]:
        assert re.search(rf"^PASSED .*{words}", done.stdout, re.MULTILINE), words


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
