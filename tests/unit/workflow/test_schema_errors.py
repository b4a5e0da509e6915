"""What the schema refuses is said in one line, with the nearest key."""

import jsonschema
import pytest
import yaml

from support.cards import configs
from support.paths import ROOT
from thinslice.workflow import schema_errors

SCHEMA = yaml.safe_load((ROOT / "rules/config.schema.yaml").read_text())


def line(**changes):
    config = {**configs()["config.yaml"], **changes}
    with pytest.raises(jsonschema.ValidationError) as caught:
        jsonschema.Draft202012Validator(SCHEMA).validate(config)
    assert schema_errors.is_of_schema(caught.value)
    return schema_errors.in_words(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"gird": {}}, "config: no key 'gird'; did you mean 'grid'?"),
        (
            {"methods": {"edsr": {"fit": "none", "env": "core", "setings": {}}}},
            "config: methods: edsr: no key 'setings'; did you mean 'settings'?",
        ),
        (
            {"protocols": {"v1": {"settings": None}}},
            "config: protocols: v1: settings: found null; expected a table (lines of key: value)",
        ),
        (
            {"grid": {"datasets": ["phantom"], "degradations": ["box5"], "methods": "linear"}},
            'config: grid: methods: found "linear"; expected a list',
        ),
    ],
)
def test_it_names_the_place_and_what_was_meant(changes, words):
    assert line(**changes) == words


def test_a_key_that_is_not_there_is_named_with_the_one_meant_for_it():
    config = dict(configs()["config.yaml"])
    config["devise"] = config.pop("device")
    errors = jsonschema.Draft202012Validator(SCHEMA).iter_errors(config)
    lines = {schema_errors.in_words(error) for error in errors}
    assert "config: no key 'device', which is required; did you mean it by 'devise'?" in lines
    assert "config: no key 'devise'; did you mean 'device'?" in lines


def test_a_text_of_another_form_is_told_the_form():
    assert line(device="gpu") == (
        "config: device: found 'gpu'; expected auto, cpu, cuda, or cuda:1 for the second GPU"
    )


def test_a_quoted_table_is_cut_short():
    assert len(line(grid="x" * 5000)) < 300


def test_other_errors_are_not_of_the_schema():
    assert not schema_errors.is_of_schema(ValueError("no"))
    assert not schema_errors.is_of_schema(None)
