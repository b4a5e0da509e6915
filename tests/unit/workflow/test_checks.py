"""Configs and targets that no job could satisfy are refused; the others in test_cells."""

import pytest

from thinslice import plugins
from thinslice.workflow import checks

METHOD = {"fit": "population", "settings": {"batch": 6}}


def config(**method):
    return {"methods": {"edsr": {**METHOD, **method}}, "grid": {"methods": ["edsr"]}}


@pytest.mark.parametrize("limit", [None, 3, 8])
def test_gpus_that_divide_the_batch_and_fit_the_limit_pass(limit):
    checks.check_gpus(config(gpus=3), limit)


@pytest.mark.parametrize(
    ("method", "limit", "reason"),
    [
        ({"gpus": 2, "fit": "volume"}, None, "only a method fitted beforehand"),
        ({"gpus": 2}, 1, "the run may use 1 at once"),
        ({"gpus": 4}, 8, "set batch to a multiple of 4"),
    ],
)
def test_gpus_that_cannot_train_are_refused(method, limit, reason):
    with pytest.raises(ValueError, match=f"edsr has gpus: {method['gpus']}, but .*{reason}"):
        checks.check_gpus(config(**method), limit)


def test_one_gpu_passes_whatever_the_limit():
    checks.check_gpus(config(), 0)


def test_cleaning_runs_alone():
    checks.check_cleaning({"clean_work", "clean_restored"})
    checks.check_cleaning({"all", "results/report.html"})
    with pytest.raises(ValueError, match="clean_restored, clean_work run alone"):
        checks.check_cleaning({"clean_work", "all"})


@pytest.mark.parametrize(
    ("kind", "entry", "meant"),
    [
        ("methods", {"fit": "none", "env": "core", "module": "interpolatoin"}, "'interpolation'"),
        ("figures", {"kind": "barz", "table": "benchmark"}, "'bars'"),
        ("figures", {"kind": "wording", "table": "benchmark"}, "module 'wording'; there are"),
    ],
)
def test_a_module_that_is_not_there_is_refused_with_the_entry_s_name(kind, entry, meant):
    catalogues = {**{each: {} for each in plugins.KINDS}, kind: {"mine": entry}}
    with pytest.raises(ValueError, match=f"config: mine: {kind} has no.*{meant}"):
        checks.check_modules(catalogues)


def test_the_scanner_s_own_series_needs_no_module():
    catalogues = {**{each: {} for each in plugins.KINDS}, "degradations": {"acquired": {}}}
    checks.check_modules(catalogues)


NONE = {"fit": "none", "module": "interpolation"}
LEARNS = {"fit": "volume", "module": "sr4zct", "settings": {"depth": 8}}


def sharing(**changed):
    """Two views of one network, the second with something changed."""
    coronal = {**LEARNS, "weights_of": "sr4", "settings": {"depth": 8, "view": "coronal"}}
    return {"methods": {"sr4": LEARNS, "coronal": {**coronal, **changed}, "none": NONE}}


def test_methods_that_differ_in_restoring_only_may_learn_once():
    checks.check_weights_of(sharing())


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"settings": {"depth": 9, "view": "coronal"}}, "what they learn differs, by depth"),
        ({"settings": {"view": "coronal"}}, "what they learn differs, by depth"),
        ({"module": "smore"}, "not methods of one module"),
        ({"fit": "population"}, "not methods of one module"),
        ({"weights_of": "sr5"}, "no other method is called so; did you mean 'sr4'?"),
        ({"weights_of": "coronal"}, "no other method is called so"),
        ({**NONE, "weights_of": "none"}, "not methods of one module"),
    ],
)
def test_methods_that_learn_otherwise_may_not(changed, reason):
    with pytest.raises(ValueError, match="methods coronal has weights_of") as refused:
        checks.check_weights_of(sharing(**changed))
    assert reason in str(refused.value)


def test_what_another_restores_with_is_named_at_its_source():
    config = sharing()
    config["methods"]["third"] = {**LEARNS, "weights_of": "coronal"}
    with pytest.raises(ValueError, match="restores with what sr4 learns: name this one"):
        checks.check_weights_of(config)


def test_weights_of_others_must_be_there_and_of_use(tmp_path):
    def refusal(**line) -> str:
        with pytest.raises(ValueError, match="methods released: weights: found") as refused:
            checks.check_given({"methods": {"released": line}})
        return str(refused.value)

    file = tmp_path / "authors.pt"
    assert "found no file" in refusal(fit="population", weights=str(file))
    file.touch()
    checks.check_given({"methods": {"released": {"fit": "population", "weights": str(file)}}})
    assert "fit: volume" in refusal(fit="volume", weights=str(file))
    assert "weights_of" in refusal(fit="population", weights=str(file), weights_of="sr4")
