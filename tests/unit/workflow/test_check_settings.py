"""Settings that no plug-in could be built with are refused while planning, one a line."""

import copy
import dataclasses
import inspect
import math
import subprocess
import sys

import pytest

from support.cards import configs
from thinslice import plugins
from thinslice.workflow import plugin_source
from thinslice.workflow.check_metrics import check_metrics
from thinslice.workflow.check_settings import check_settings

CONFIGS = configs()


def config(kind, name, **settings):
    changed = copy.deepcopy(CONFIGS["config.yaml"])
    changed[kind].setdefault(name, {})["settings"] = settings
    return changed


def refusal(check, changed):
    with pytest.raises(ValueError, match=r".") as refused:
        check(changed)
    return str(refused.value)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"window_hu": [2048, -1024]}, "expected the lower HU first"),
        ({"window_hu": [-1024, 2048], "modality": "MR"}, "found one of MR"),
    ],
)
def test_a_window_that_no_network_could_see_is_refused(line, words):
    changed = copy.deepcopy(CONFIGS["config.yaml"])
    changed["datasets"]["phantom"].update(line)
    assert words in refusal(check_settings, changed)


@pytest.mark.parametrize("file", CONFIGS)
def test_every_config_of_ours_passes(file):
    check_settings(CONFIGS[file])
    check_metrics(CONFIGS[file])


@pytest.mark.parametrize(
    ("kind", "name", "settings", "words"),
    [
        ("methods", "edsr_small", {"stepz": 10}, "no setting 'stepz'; did you mean 'steps'?"),
        ("methods", "tvsrn_small", {"encoderblocks": 1}, "did you mean 'encoder_blocks'?"),
        ("methods", "linear", {"knid": "linear"}, "no setting 'knid'; did you mean 'kind'?"),
        ("datasets", "phantom", {"lenght_mm": 9}, "did you mean 'length_mm'?"),
        ("degradations", "box5", {"increment": 5.0, "shape": "box"}, "mean 'increment_mm'?"),
        ("degradations", "box5", {"shape": "box"}, "no increment_mm: give it in settings"),
        ("protocols", "tvsrn", {"window": [0, 1]}, "no setting 'window'; it has none"),
        ("analyses", "benchmark", {"cell": "all"}, "no setting 'cell'; did you mean 'cells'?"),
        ("figures", "bars", {"metrik": "rmse_hu"}, "no setting 'metrik'; did you mean 'metric'?"),
    ],
)
def test_a_misspelt_setting_is_refused_with_the_nearest(kind, name, settings, words):
    line = refusal(check_settings, config(kind, name, **settings))
    assert line.startswith(f"{kind} {name}: ")
    assert words in line


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"steps": "20"},
            "steps: found the text '20'; expected a whole number or null; write 20 wi",
        ),
        ({"lr": "1e-3"}, "lr: found the text '1e-3'; expected a number; write 1.0e-3"),
        ({"lr": "2e4"}, "write 2.0e+4"),
        ({"lr": "fast"}, "lr: found the text 'fast'; expected a number"),
        ({"lr": None}, "lr: found null; expected a number"),
        ({"blocks": 4.5}, "blocks: found 4.5; expected a whole number"),
        ({"blocks": True}, "blocks: found true; expected a whole number"),
        ({"blocks": [4]}, "blocks: found [4]; expected a whole number"),
        ({"schedule": "cosin"}, "schedule: found the text 'cosin'; expected constant or cosine"),
        ({"patch": [48]}, "patch: [48] has 1 values; expected 2"),
        ({"patch": [48, "48"]}, "patch: value 2: found the text '48'; expected a whole number"),
        ({"ct": {"low": 0}}, 'ct: found {"low": 0}; expected a list'),
    ],
)
def test_a_value_of_another_type_is_refused(settings, words):
    line = refusal(check_settings, config("methods", "edsr_small", **settings))
    assert line.startswith("methods edsr_small: ")
    assert words in line


@pytest.mark.parametrize(
    "settings", [{"lr": 1}, {"steps": None, "epochs": 3}, {"patch": None}, {"ct": [-1000, 1000.0]}]
)
def test_a_whole_number_is_a_number_and_null_is_what_it_is_where_it_may_be(settings):
    check_settings(config("methods", "edsr_small", **settings))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"steps": -5}, "steps: found -5; expected 1 or more"),
        ({"batch": 0}, "batch: found 0; expected 1 or more"),
        ({"lr": math.nan}, "lr: found nan; expected a number"),
        ({"lr": math.inf}, "lr: found inf; expected a finite number above 0"),
        ({"lr": 0}, "lr: found 0; expected a finite number above 0"),
        ({"ct": [math.nan, 1000]}, "ct: found nan; expected a number"),
        ({"warmup": -1}, "warmup: found -1; expected 0 or more"),
        ({"channels": 0}, "channels: found 0; expected 1 or more"),
        ({"blocks": 0}, "blocks: found 0; expected 1 or more"),
        ({"patch": [0, 0]}, "patch: found 0; expected 1 or more"),
        ({"seed": -1}, "seed: found -1; expected 0 or more"),
        ({"ct": [3071, -1024]}, "ct: found 3071 to -1024; expected the lower HU first"),
        ({"ct": [0, 0]}, "ct: found 0 to 0; expected the lower HU first"),
    ],
)
def test_a_number_that_no_training_could_use_is_refused(settings, words):
    line = refusal(check_settings, config("methods", "edsr_small", **settings))
    assert line == f"methods edsr_small: {words}"


@pytest.mark.parametrize(
    ("module", "settings", "words"),
    [
        ("conditioned_unet", {"side": -4}, "side: found -4; expected 1 or more"),
        ("conditioned_unet", {"levels": 0}, "levels: found 0; expected 1 or more"),
        ("conditioned_unet", {"neighbours": -1}, "neighbours: found -1; expected 0 or more"),
        ("conditioned_unet", {"thickness_mm": -5}, "thickness_mm: found -5; expected millimetres"),
        ("conditioned_unet", {"increment_mm": 0}, "increment_mm: found 0; expected millimetres"),
        ("sr4zct", {"crop": 0}, "crop: found 0; expected 1 or more"),
        ("srcnn3d", {"tile": 0}, "tile: found 0; expected 1 or more"),
        (
            "rdn_2d",
            {"schedule": "step", "decay_every": 0},
            "decay_every: found 0 with schedule step; expected 1 or more",
        ),
    ],
)
def test_a_number_that_no_network_could_use_is_refused(module, settings, words):
    changed = config("methods", "mine", **settings)
    changed["methods"]["mine"]["module"] = module
    assert refusal(check_settings, changed).startswith(f"methods mine: {words}")


def test_a_rate_of_any_name_is_above_0_and_no_setting_of_another_kind_is_nan():
    changed = config("methods", "georgescu", through_plane_lr=-1.0)
    changed["methods"]["georgescu"]["module"] = "georgescu"
    assert "through_plane_lr: found -1.0" in refusal(check_settings, changed)
    line = refusal(check_settings, config("datasets", "phantom", length_mm=math.nan))
    assert line == "datasets phantom: length_mm: found nan; expected a number"


@pytest.mark.parametrize("radii", [[6, 3], [0.1, 3], [6, 9.5], [3]])
def test_radii_of_nodules_come_smallest_first(radii):
    line = refusal(check_settings, config("datasets", "phantom", nodules_mm=radii))
    expected = "expected two radii of 0.5 to 8.0 mm, the smallest first"
    assert line == f"datasets phantom: nodules_mm: found {radii}; {expected}"


def test_the_place_of_a_number_is_in_the_file_that_has_the_last_word(tmp_path):
    files = [tmp_path / name for name in ("config.yaml", "overlay.yaml", "more.yaml")]
    files[0].write_text("methods:\n  edsr_small: {settings: {steps: 800}}\n")
    files[1].write_text("# mine\nmethods:\n  edsr_small:\n    settings:\n      steps: -5\n")
    files[2].write_text("grid: {}\n")
    with pytest.raises(ValueError, match="expected 1 or more; ") as refused:
        check_settings(config("methods", "edsr_small", steps=-5), files)
    assert str(refused.value).endswith(f"; correct it in {files[1]}, line 5")


def test_settings_inside_of_settings_are_compared_too():
    line = refusal(check_settings, config("datasets", "phantom", thin={"nominl_mm": 1.0}))
    assert line == "datasets phantom: thin: no setting 'nominl_mm'; did you mean 'nominal_mm'?"
    line = refusal(check_settings, config("datasets", "phantom", thick={"nominal_mm": "5"}))
    assert line.startswith("datasets phantom: thick: nominal_mm: found the text '5'")
    line = refusal(check_settings, config("datasets", "phantom", patients={"train": "two"}))
    assert (
        line == "datasets phantom: patients: train: found the text 'two'; expected a whole number"
    )


def test_all_are_refused_together():
    changed = config("methods", "edsr_small", stepz=1, lr="1e-3")
    changed["figures"]["bars"]["settings"] = {"metrik": "rmse_hu"}
    assert len(refusal(check_settings, changed).splitlines()) == 3


@pytest.mark.parametrize(
    ("kind", "name", "settings", "words"),
    [
        ("figures", "bars", {"metric": "rmsehu"}, "'rmsehu'; did you mean 'rmse_hu'?"),
        ("figures", "bars", {"metric": "psnr_db scan"}, "'psnr_db scan' is not in the table"),
        ("figures", "bars", {"protocol": "v2"}, "protocol: 'v2' is not among the protocols"),
        ("figures", "bars", {"protocol": "tvsrn"}, "'tvsrn' is not in the table patients"),
        ("analyses", "efficiency", {"metric": "psnr"}, "gives 'psnr'; did you mean 'psnr_db'?"),
        ("analyses", "patients", {"metrics": ["ssim lung coronal"]}, "is no metric; expected"),
        ("analyses", "domain_gap", {"protocols": ["v1", "tvsnr"]}, "did you mean 'tvsrn'?"),
    ],
)  # fmt: skip
def test_a_metric_or_protocol_that_nothing_gives_is_refused(kind, name, settings, words):
    line = refusal(check_metrics, config(kind, name, **settings))
    assert line.startswith(f"{kind} {name}: ")
    assert words in line


def test_a_table_of_every_metric_holds_any():
    changed = config("analyses", "patients", metrics=None)
    changed["figures"]["bars"]["settings"] = {"metric": "ssim coronal lung"}
    check_metrics(changed)


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in plugins.KINDS for name in plugins.names(kind)]
)
def test_the_source_tells_the_settings_that_build_takes(kind, name):
    """What is read from the text is what Python would take."""
    card = {"name": name, "kind": name}
    read = plugin_source.settings(plugins.module_name(kind, card))
    module = plugins.module(kind, card)
    arguments = inspect.signature(module.build).parameters.values()
    taken = {each.name for each in arguments if each.kind is not inspect.Parameter.VAR_KEYWORD}
    if len(taken) < len(arguments):
        found = getattr(module, plugin_source.SETTINGS)
        taken |= {each.name for each in dataclasses.fields(found)}
    assert read is not None
    assert set(read) == taken


def test_planning_imports_no_array_library():
    check = (
        "from thinslice.workflow import check_settings, check_metrics, schema_errors; import sys"
    )
    heavy = "print([m for m in ('numpy', 'torch', 'pandas') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", f"{check}; {heavy}"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
