"""The code digest: what computes the same has the same digest, what does not has another."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from support.paths import ROOT
from thinslice.provenance.code_digest import PLUMBING, code_digest, module_digests

NETWORK = '''"""A network."""
import math
from thinslice.nets import layers


def width(x: int) -> int:
    """How wide."""
    # why: because
    return layers.double(x) + 1
'''
LAYERS = "def double(x):\n    return 2 * x\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    nets = tmp_path / "thinslice" / "nets"
    nets.mkdir(parents=True)
    (tmp_path / "thinslice" / "__init__.py").write_text("")
    (nets / "__init__.py").write_text('"""Nets."""\n')
    (nets / "network.py").write_text(NETWORK)
    (nets / "layers.py").write_text(LAYERS)
    (nets / "other.py").write_text("x = 1\n")
    return tmp_path


def digest_of(source: Path) -> str:
    return code_digest("thinslice.nets.network", source=source)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# why: because", "# another comment, longer"),
        ('"""How wide."""', '"""As wide as it is."""'),
        ("layers.double(x) + 1", "(\n        layers.double(x)\n        + 1\n    )"),
        ("\n\n\ndef width", "\n\ndef width"),
    ],
)
def test_what_reads_otherwise_but_computes_the_same_keeps_its_digest(source, old, new):
    before = digest_of(source)
    file = source / "thinslice" / "nets" / "network.py"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    assert digest_of(source) == before


@pytest.mark.parametrize(("old", "new"), [("+ 1", "+ 2"), ("width", "height"), ("+ 1", "- 1")])
def test_a_changed_number_name_or_sign_changes_it(source, old, new):
    before = digest_of(source)
    file = source / "thinslice" / "nets" / "network.py"
    file.write_text(file.read_text().replace(old, new))
    assert digest_of(source) != before


def test_an_imported_module_counts_and_an_unimported_one_does_not(source):
    before = digest_of(source)
    (source / "thinslice" / "nets" / "other.py").write_text("x = 2\n")
    assert digest_of(source) == before
    (source / "thinslice" / "nets" / "layers.py").write_text(LAYERS.replace("2", "3"))
    assert digest_of(source) != before


def test_touching_a_file_changes_nothing(source):
    before = digest_of(source)
    (source / "thinslice" / "nets" / "network.py").touch()
    assert digest_of(source) == before


@pytest.mark.parametrize(
    "line",
    [
        "from . import layers",
        "from .layers import double",
        "from ..nets.layers import double",
        "import thinslice.nets.layers as layers",
        "from thinslice.nets import layers as others",
        "from thinslice.nets.layers import *",
    ],
)
def test_every_way_to_import_a_module_counts(source, line):
    nets = source / "thinslice" / "nets"
    (nets / "network.py").write_text(f"{line}\n")
    before = digest_of(source)
    (nets / "layers.py").write_text(LAYERS.replace("2", "3"))
    assert digest_of(source) != before


@pytest.mark.parametrize("line", ["from . import other", "from .other import x"])
def test_what_a_package_runs_on_the_way_in_counts(source, line):
    """nets/__init__.py runs before nets/network.py, which need not name it."""
    nets = source / "thinslice" / "nets"
    before = digest_of(source)
    (nets / "__init__.py").write_text(f'"""Nets."""\n{line}\n')
    with_init = digest_of(source)
    assert with_init != before
    (nets / "other.py").write_text("x = 2\n")
    assert digest_of(source) != with_init


def test_a_script_counts_with_what_it_imports(source, tmp_path):
    script = tmp_path / "train.py"
    script.write_text("from thinslice.nets.network import width\nprint(width(1))\n")
    before = code_digest(script=script, source=source)
    (source / "thinslice" / "nets" / "layers.py").write_text(LAYERS.replace("2", "3"))
    assert code_digest(script=script, source=source) != before


@pytest.mark.parametrize("room", PLUMBING)
def test_plumbing_does_not_count_nor_what_is_reached_through_it_alone(source, room):
    nets, rooms = source / "thinslice" / "nets", source / "thinslice" / room
    rooms.mkdir()
    (rooms / "__init__.py").write_text("")
    (rooms / "pipes.py").write_text("from thinslice.nets import other\n")
    with (nets / "network.py").open("a") as file:
        file.write(f"from thinslice.{room} import pipes\n")
    before = digest_of(source)
    (rooms / "pipes.py").write_text("from thinslice.nets import other\nLINE = 'reworded'\n")
    (rooms / "__init__.py").write_text("LINE = 1\n")
    (nets / "other.py").write_text("x = 2\n")
    assert digest_of(source) == before


def test_each_module_has_a_digest_of_its_own(source, tmp_path):
    script = tmp_path / "train.py"
    script.write_text("from thinslice.nets.network import width\n")
    before = module_digests(script=script, source=source)
    assert set(before) == {
        "train.py", "thinslice.nets", "thinslice.nets.network", "thinslice.nets.layers"
    }  # fmt: skip
    (source / "thinslice" / "nets" / "layers.py").write_text(LAYERS.replace("2", "3"))
    after = module_digests(script=script, source=source)
    assert {name for name in before if before[name] != after[name]} == {"thinslice.nets.layers"}


def test_the_workflow_half_of_the_package_needs_only_the_standard_library():
    """Imported where nothing is installed; pyproject's contract names the same modules."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (half,) = [c for c in contracts["contracts"] if c["name"].startswith("the workflow half")]
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r})\n"
    code += "".join(f"import {name}\n" for name in half["source_modules"])
    code += "import thinslice.workflow.cells, thinslice.provenance.job\n"
    code += "print(*(name for name in sys.modules if name.startswith('thinslice.')))"
    bare = [sys.executable, "-I", "-S", "-c", code]
    done = subprocess.run(bare, capture_output=True, text=True)
    assert done.stderr == ""
    rooms = tuple(half["source_modules"])
    assert all(name.startswith(rooms) for name in done.stdout.split())


def test_a_module_that_is_not_there_is_named(source):
    with pytest.raises(LookupError, match="no_such"):
        code_digest("thinslice.nets.no_such", source=source)
