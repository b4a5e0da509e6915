"""Files and packages that are not there are refused when a run is planned."""

import copy

import pytest

from support import trained_nnunet
from support.cards import configs
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


def of_nnunet(folder):
    return {"segmentation": {"datasets": ["phantom"], "settings": {"nnunet": str(folder)}}}


@pytest.mark.parametrize("missing", ["dataset.json", "plans.json", "fold_*/checkpoint_final.pth"])
def test_a_trained_nnunet_must_be_there(tmp_path, monkeypatch, missing):
    trained = trained_nnunet.make(tmp_path, monkeypatch)
    check_inputs.check_nnunet({})
    check_inputs.check_nnunet({"segmentation": {"datasets": ["phantom"]}})
    check_inputs.check_nnunet(of_nnunet(trained))
    with pytest.raises(ValueError, match="settings: nnunet: found no /nowhere; expected the fold"):
        check_inputs.check_nnunet(of_nnunet("/nowhere"))
    for path in trained.glob(missing):
        path.unlink()
    with pytest.raises(ValueError, match="nnunet: found no ") as refusal:
        check_inputs.check_nnunet(of_nnunet(trained))
    assert f"found no {trained}/{missing}; " in str(refusal.value)


def test_nnunet_itself_must_be_installed(tmp_path, monkeypatch):
    trained = trained_nnunet.make(tmp_path, monkeypatch)
    monkeypatch.setattr(check_inputs, "find_spec", lambda _: None)
    check_inputs.check_nnunet(of_nnunet(trained))  # its command is on the path
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ValueError, match="nnunet: nnunetv2 is not installed; install it where"):
        check_inputs.check_nnunet(of_nnunet(trained))


def test_patients_are_made_for_the_cells_that_cases_plan():
    config = copy.deepcopy(configs()["config.yaml"])
    phantom = config["datasets"]["phantom"]
    phantom["settings"]["patients"] = {"train": 1, "val": 0, "test": 1}
    check_inputs.check_patients(config)  # fewer than cases says: that is scheduling alone
    phantom["settings"]["patients"] = {"test": 1}
    with pytest.raises(ValueError, match=r"phantom: found no train patients, .*cases: {train: 0}"):
        check_inputs.check_patients(config)
    phantom["cases"] = {"train": 0}
    check_inputs.check_patients(config)
    phantom["settings"]["patients"] = {"test": 0}
    with pytest.raises(ValueError, match="phantom: found no test patients"):
        check_inputs.check_patients(config)


@pytest.mark.parametrize("file", configs())
def test_every_config_of_ours_has_patients(file):
    check_inputs.check_patients(configs()[file])
