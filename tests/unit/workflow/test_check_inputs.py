"""Files and packages that are not there are refused when a run is planned."""

import pytest

from thinslice.workflow import check_inputs


@pytest.mark.parametrize("setting", ["nodules", "manifest"])
def test_a_list_must_be_there(tmp_path, monkeypatch, setting):
    monkeypatch.chdir(tmp_path)
    phantom = {"module": "phantom_fda", "settings": {setting: "list.csv"}}
    config = {"datasets": {"mine": phantom, "qiba_liver": {}}, "grid": {"datasets": ["mine"]}}
    with pytest.raises(ValueError, match=rf"mine: {setting}: found no file list\.csv") as refusal:
        check_inputs.check_lists(config)
    assert f"relative to {tmp_path}" in str(refusal.value)
    (tmp_path / "list.csv").touch()
    check_inputs.check_lists(config)
    check_inputs.check_lists({**config, "grid": {"datasets": ["qiba_liver"]}})


def test_an_engine_must_be_installed(monkeypatch):
    lines = {"fast": {"settings": {"engine": "openvino"}}, "usual": {}}
    monkeypatch.setattr(check_inputs, "find_spec", lambda _: None)
    check_inputs.check_engines({"methods": lines, "grid": {"methods": ["usual"]}})
    config = {"methods": lines, "grid": {"methods": ["usual", "fast"]}}
    with pytest.raises(ValueError, match="methods fast: engine: openvino is not installed; pip"):
        check_inputs.check_engines(config)
    monkeypatch.setattr(check_inputs, "find_spec", lambda _: "there")
    check_inputs.check_engines(config)
