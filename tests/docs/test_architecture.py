"""The architecture page draws the house as import-linter's contracts have it."""

import ast
import re
import tomllib
from itertools import pairwise

from support.paths import ROOT

PAGE = (ROOT / "docs/explanation/architecture.md").read_text()
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]
PACKAGE = ROOT / "src/thinslice"


def layers() -> list[set[str]]:
    """Rooms of each layer, top first, as import-linter checks them."""
    (contract,) = (c for c in CONTRACTS if c["type"] == "layers")
    return [set(layer.split(" | ")) for layer in contract["layers"]]


def test_the_table_lists_every_room_in_its_layer():
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", PAGE, re.MULTILINE)
    documented = [{room for n, room in rows if int(n) == k + 1} for k in range(len(layers()))]
    assert documented == layers()
    assert len(rows) == sum(map(len, layers()))


def test_every_room_is_in_a_layer():
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    rooms -= {"__init__", "__main__", "__pycache__"}
    assert rooms == set().union(*layers())


def test_the_picture_draws_every_room_and_no_arrow_up():
    picture = re.search(r"```mermaid\n(.*?)```", PAGE, re.DOTALL)[1]
    boxes = dict(re.findall(r'^ +(\w+)\["(.*)"\]$', picture, re.MULTILINE))
    depth = {room: k for k, layer in enumerate(layers()) for room in layer}
    drawn = {box: set(re.findall(r"\w+", " ".join(bold(text)))) for box, text in boxes.items()}
    assert set().union(*drawn.values()) == set(depth)
    for line in picture.splitlines():
        ends = [re.findall(r"\w+", end) for end in line.split("-->")]
        for above, below in pairwise(ends):
            for a in above:
                for b in below:
                    lowest = max(depth[room] for room in drawn[a])
                    assert lowest < min(depth[room] for room in drawn[b]), f"{a} --> {b}"


def bold(text: str) -> list[str]:
    """The names in bold of a box: the rooms it stands for."""
    return re.findall(r"<b>(.*?)</b>", text.replace("<br>", " "))


def test_the_house_stays_small():
    loose = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    assert len(loose) <= 5, f"loose modules at the top of the package: {sorted(loose)}"
    assert len(layers()) <= 11


def test_every_file_and_function_can_be_read_in_one_sitting():
    folders = (PACKAGE, ROOT / "workflow_scripts", ROOT / "envs", ROOT / "tests")
    long = []
    for path in (path for folder in folders for path in folder.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > 300:
            long.append(f"{path}: {text.count(chr(10))} lines, at most 300")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= 50:
                long.append(f"{path}:{node.lineno}: {node.name} is longer than 50 lines")
    assert not long
