"""Keys that a config file gives twice are refused with their lines, at any depth."""

import pytest

from support.paths import ROOT
from thinslice.workflow.config_files import check_keys, check_syntax, place_of

OURS = [ROOT / "config.yaml", *sorted((ROOT / "experiments").rglob("*.yaml"))]


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.stem)
def test_every_config_of_ours_gives_each_key_once(file):
    check_keys([file])


@pytest.mark.parametrize(
    ("text", "key", "lines"),
    [
        ("a: 1\nb: 2\na: 3\n", "a", (3, 1)),
        ("m:\n  e: {steps: 1,\n      steps: 2}\n", "steps", (3, 2)),
        ("m:\n- {x: 1}\n- x: 1\n  'x': 2\n", "x", (4, 3)),
        ("m: {1: a}\nn:\n  1: a\n  1: b\n", "1", (4, 3)),
        ('{"a": 1,\n "a": 2}', "a", (2, 1)),
    ],
)
def test_a_key_given_twice_is_refused_with_both_lines(tmp_path, text, key, lines):
    file = tmp_path / "overlay.yaml"
    file.write_text(text)
    with pytest.raises(ValueError, match="again") as refused:
        check_keys([file])
    again, first = lines
    assert str(refused.value) == (
        f"{file}, line {again}: found key {key!r} again, first on line {first}; expected each key "
        "once; keep one, or put what both hold into it"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: {x: 1}\nb: {x: 1}\n",
        "1: a\n'1': b\n",
        "a: &one {x: 1}\nb: {<<: *one, x: 2}\nc: *one\n",
    ],
)
def test_the_same_key_in_two_tables_or_of_two_types_is_no_key_twice(tmp_path, text):
    file = tmp_path / "overlay.yaml"
    file.write_text(text)
    check_keys([file])


def test_what_is_no_yaml_is_refused_with_its_line(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("a:\n  b: 1\n   c: 2\n")
    with pytest.raises(ValueError, match=r"line 3: found .*; expected YAML; check the indentation"):
        check_syntax(file)
    file.write_text("a: 1\n")
    check_syntax(file)


def test_all_files_are_looked_at_and_every_key_is_told(tmp_path):
    files = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    files[0].write_text("a: 1\na: 2\na: 3\n")
    files[1].write_text("b: 1\nb: 2\n")
    with pytest.raises(ValueError, match="again") as refused:
        check_keys(files)
    assert len(str(refused.value).splitlines()) == 3


def test_the_place_of_a_key_is_in_the_last_file_that_gives_it(tmp_path):
    files = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    files[0].write_text("a:\n  b: 1\n")
    files[1].write_text("a:\n  c: 1\n\n  b: 2\n")
    assert place_of(("a", "b"), files) == f"{files[1]}, line 4"
    assert place_of(("a", "b"), files[:1]) == f"{files[0]}, line 2"
    assert place_of(("a", "d"), files) is None
