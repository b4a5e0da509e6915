"""The docs name what is there: every plug-in, every setting with its default, every linked file."""

import inspect
import re
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.paths import ROOT
from thinslice import plugins
from thinslice.columns import CASES, COLUMNS, PAIRS, RUNS, SCORES, Column
from thinslice.datasets._phantoms import PhantomSettings
from thinslice.datasets.phantom import THICK, THIN, Series
from thinslice.families.cube import CubeSettings
from thinslice.families.interpolated import InterpolatedSettings
from thinslice.families.interpolated_planes import InterpolatedPlanesSettings
from thinslice.families.plane import PlaneSettings
from thinslice.families.positions import PositionSettings
from thinslice.families.referenced import ReferencedSettings
from thinslice.families.self_supervised import SelfSupervised
from thinslice.families.two_stage_settings import TwoStageSettings
from thinslice.families.two_view import TwoViewSettings
from thinslice.interfaces import FIDELITIES

CONFIG_PAGE = (ROOT / "docs/reference/config.md").read_text()
RESULTS_PAGE = (ROOT / "docs/reference/results.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
CATALOGUES = {
    "datasets": "Data sets",
    "degradations": "Degradations",
    "methods": "Methods",
    "protocols": "Protocols",
    "analyses": "Analyses",
    "figures": "Figures",
}
PLUGINS = [(kind, name) for kind in plugins.KINDS for name in plugins.names(kind)]
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
REQUIRED = "required"
SHARED = {
    PhantomSettings: "Both phantoms of known truth",
    SelfSupervised: "Methods that learn from the scan",
    CubeSettings: "Every cube network",
    InterpolatedSettings: "Every network on an interpolated scan",
    InterpolatedPlanesSettings: "Every network on planes of an interpolated scan",
    PlaneSettings: "Every plane network",
    PositionSettings: "Every network of positions",
    TwoStageSettings: "Both two-stage methods",
    TwoViewSettings: "Both ACVTT methods",
    ReferencedSettings: "Every network with references",
}
METHODS_PAGE = (ROOT / "docs/explanation/methods.md").read_text()
GLOSSARY = (ROOT / "docs/reference/glossary.md").read_text()
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def section(title: str, level: int, text: str = CONFIG_PAGE) -> str:
    """What stands under a heading; a bracketed word after the title tells namesakes apart."""
    head = re.escape("#" * level + " " + title) + r"(?: \(\w+\))?"
    found = re.search(rf"^{head}\n(.*?)(?=^#{{1,{level}}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"docs/reference/config.md has no heading {title!r}"
    return found[1]


def rows(text: str) -> dict[str, str]:
    """First column -> second column of the tables in a text, both in backticks or plain."""
    found = re.findall(r"^\| `(\w+)` \| `?(.*?)`? \|", text, re.MULTILINE)
    assert len({name for name, _ in found}) == len(found), f"a row stands twice: {found}"
    return dict(found)


def as_yaml(value: Any) -> str:
    """A default as it would stand in config.yaml, on one line."""
    if isinstance(value, tuple):
        value = list(value)
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=200)
    return text.removesuffix("...\n").strip()


def of_dataclass(settings: type) -> dict[str, str]:
    out = {}
    for f in fields(settings):
        made = f.default_factory() if f.default_factory is not MISSING else f.default
        out[f.name] = REQUIRED if made is MISSING else as_yaml(made)
    return out


def of_signature(function: Any) -> dict[str, str]:
    given = inspect.signature(function).parameters.values()
    named = [p for p in given if p.kind is not p.VAR_KEYWORD]
    empty = inspect.Parameter.empty
    return {p.name: REQUIRED if p.default is empty else as_yaml(p.default) for p in named}


def settings_of(kind: str, name: str) -> dict[str, str]:
    """Every setting of a plug-in with its default; those it shares with its kin left out."""
    module = plugins.module(kind, {"name": name})
    if not hasattr(module, "Settings"):
        return of_signature(module.build)
    own = of_dataclass(module.Settings)
    kin = [base for base in SHARED if issubclass(module.Settings, base)]
    shared = of_dataclass(kin[0]) if kin else {}
    return {key: value for key, value in own.items() if shared.get(key) != value}


@pytest.mark.parametrize(("kind", "name"), PLUGINS)
def test_every_plugin_stands_in_the_config_page_with_its_settings(kind, name):
    own = section(name, 3, section(CATALOGUES[kind], 2))
    documented = rows(own.split("Each of the two series")[0])
    assert documented == settings_of(kind, name)


def test_no_plugin_stands_there_that_is_not_in_the_code():
    for kind, title in CATALOGUES.items():
        named = re.findall(r"^### ([a-z]\w+)", section(title, 2), re.MULTILINE)
        assert sorted(named) == plugins.names(kind)


@pytest.mark.parametrize(("settings", "title"), SHARED.items())
def test_settings_that_methods_share(settings, title):
    assert rows(section(title, 3)) == of_dataclass(settings)


def test_the_phantom_s_two_series():
    text = section("phantom", 3).split("Each of the two series")[1]
    found = re.findall(r"^\| `(\w+)` \| `(.*?)` \| `(.*?)` \|", text, re.MULTILINE)
    expected = of_dataclass(Series)
    for column, differs in ((1, THIN), (2, THICK)):
        series = {**expected, **{key: as_yaml(value) for key, value in differs.items()}}
        assert {row[0]: row[column] for row in found} == series


def test_every_column_is_in_the_results_page_with_its_type_and_meaning():
    text = section("Columns", 2, RESULTS_PAGE)
    found = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*) \|$", text, re.MULTILINE)
    assert [Column(*row) for row in found] == list(COLUMNS)


@pytest.mark.parametrize(
    ("name", "columns"), [("scores", SCORES), ("runs", RUNS), ("pairs", PAIRS), ("cases", CASES)]
)
def test_the_columns_of_the_evidence_are_in_the_results_page(name, columns):
    text = section("Columns", 2, RESULTS_PAGE).split(f"- `{name}.csv`:")[1].split("\n- ")[0]
    assert tuple(re.findall(r"`(\w+)`", text)) == columns


def test_every_key_of_the_schema_stands_there():
    schema = yaml.safe_load((ROOT / "rules/config.schema.yaml").read_text())
    missing = [key for key in sorted(set(keys_of(schema))) if f"`{key}`" not in CONFIG_PAGE]
    assert missing == []


def keys_of(schema: Any) -> list[str]:
    """Names of all properties of a schema, at any depth."""
    if isinstance(schema, list):
        return [key for part in schema for key in keys_of(part)]
    if not isinstance(schema, dict):
        return []
    own = list(schema.get("properties", {}))
    return own + [key for part in schema.values() for key in keys_of(part)]


def test_scheduling_is_what_the_config_says():
    documented = rows(section("Scheduling", 3))
    assert documented == {key: as_yaml(value) for key, value in CONFIG["scheduling"].items()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    assert page.is_file()
    for link in LINK.findall(page.read_text()):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.relative_to(ROOT)} links to {link}"
        if anchor:
            assert anchor in anchors(target), f"{target.name} has no heading #{anchor}"


def anchors(page: Path) -> set[str]:
    """Headings of a page as links name them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head).strip().lower().replace(" ", "-") for head in heads}


def test_every_page_is_in_the_index():
    linked = set(LINK.findall((ROOT / "docs/README.md").read_text()))
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").glob("[!a]*/*.md")}
    assert linked == {*pages, "adr/README.md", "../CONTRIBUTING.md"}


def test_every_overlay_is_named_in_a_page_that_says_what_it_is_for():
    pages = [path for path in PAGES if path.name != "CHANGELOG.md"]
    text = "\n".join(path.read_text() for path in pages)
    overlays = sorted((ROOT / "experiments").glob("*.yaml"))
    assert overlays
    assert [path.name for path in overlays if f"experiments/{path.name}" not in text] == []


def test_decisions_are_numbered_without_gaps_and_listed_in_their_index():
    folder = ROOT / "docs/adr"
    pages = sorted(page.name for page in folder.glob("0*.md"))
    assert [name[:4] for name in pages] == [f"{k:04}" for k in range(1, len(pages) + 1)]
    index = re.findall(
        r"^\| \[(\d+)\]\((.+?)\) \|", (folder / "README.md").read_text(), re.MULTILINE
    )
    assert index == [(name[:4], name) for name in pages]
    assert all((folder / name).read_text().startswith(f"# {name[:4]} ") for name in pages)


def test_every_fidelity_is_explained_where_a_reader_looks_it_up():
    labels = re.search(r"^\| label \| meaning \|\n(.*?)\n\n", METHODS_PAGE, re.M | re.S)
    assert labels
    assert set(re.findall(r"^\| `([\w-]+)` \|", labels[1], re.M)) == set(FIDELITIES)
    term = re.search(r"^\| fidelity \| (.*) \| \|$", GLOSSARY, re.M)
    assert term
    assert set(re.findall(r"`([\w-]+)`", term[1])) == set(FIDELITIES)
    shown = dict(re.findall(r"^\| `(\w+)` \| ([\w-]+) \|", METHODS_PAGE, re.M))
    for name in plugins.names("methods"):
        if name != "interpolation":
            about = plugins.build("methods", {"name": name}).about
            assert shown[name] == about.fidelity, name
