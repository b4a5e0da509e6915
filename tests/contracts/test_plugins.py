"""What every plug-in of every kind keeps: configs name what exists, wrong settings are refused."""

from copy import deepcopy

import pytest
from snakemake.utils import validate

from support.cards import ROOT, configs, module_of, named, with_settings
from thinslice import plugins
from thinslice.workflow import cells, checks

MODULES = [(kind, name) for kind in plugins.KINDS for name in plugins.names(kind)]
ANSWERS = {  # of each kind, a method by which its objects answer
    "datasets": "cases",
    "degradations": "thick_grid",
    "methods": "restore",
    "protocols": "score",
    "analyses": "__call__",
    "figures": "__call__",
}
NAMED = [(kind, name) for kind in plugins.KINDS for name in named(kind)]


@pytest.mark.parametrize("file", configs())
def test_every_config_asks_for_what_it_holds_and_can_run(file):
    config = deepcopy(configs()[file])  # validation fills in what the schema defaults
    validate(config, ROOT / "rules" / "config.schema.yaml")
    checks.check_names(config)
    assert cells.cells(config)


@pytest.mark.parametrize(("kind", "name"), NAMED)
def test_a_card_is_taken_as_it_is_written(kind, name, tmp_path):
    card = named(kind)[name]
    if module_of(card) == "own_data":  # the one setting that a config cannot know
        card = with_settings(card, root=str(tmp_path))
    assert callable(getattr(plugins.build(kind, card), ANSWERS[kind]))


@pytest.mark.parametrize(("kind", "name"), MODULES)
def test_an_unknown_setting_is_refused_with_the_plug_ins_name(kind, name):
    key = "kind" if kind == "figures" else "module"
    card = {"name": "mine", key: name, "settings": {"thikness": 3}}
    with pytest.raises(TypeError, match=rf"^{kind} 'mine': .*thikness"):
        plugins.build(kind, card)


@pytest.mark.parametrize("kind", plugins.KINDS)
def test_an_unknown_module_is_refused_with_what_was_meant(kind):
    name = plugins.names(kind)[0]
    with pytest.raises(
        LookupError, match=rf"{kind} has no module '{name}x'; did you mean '{name}'"
    ):
        plugins.build(kind, {"name": f"{name}x"})


@pytest.mark.parametrize("name", ["thinslice.methods.tvsrn", "tvsrn.py"])
def test_a_name_with_dots_is_refused_like_any_other_that_is_none(name):
    with pytest.raises(LookupError, match=f"methods has no module '{name}'"):
        plugins.build("methods", {"name": "mine", "module": name})


def test_a_module_beside_the_figures_is_no_kind_of_figure():
    with pytest.raises(LookupError, match=r"figures has no module 'wording'; there are bars, "):
        plugins.module_name("figures", {"name": "mine", "kind": "wording"})
