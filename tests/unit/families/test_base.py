"""What every fitted method has from its family: refusals, states, settings as YAML has them."""

from dataclasses import dataclass

import pytest
import torch
from torch import nn

from support.tiny_methods import A_FAMILY_EACH, ALL, FITTED, RUN, THIN, pair, thick, tiny
from thinslice import plugins
from thinslice.families.base import FittedMethod, NetworkMethod, settings_of
from thinslice.training import loop, weights

NEEDS_FIT = {"tvsrn", "georgescu"}


@dataclass(frozen=True)
class Settings:
    patch: tuple[int, int] = (1, 2)
    lr: float = 1.0


def test_lists_become_tuples_and_unknown_settings_are_refused():
    assert settings_of(Settings, {"patch": [3, 4]}) == Settings((3, 4))
    assert settings_of(Settings, {"lr": 2.0}) == Settings(lr=2.0)
    with pytest.raises(TypeError, match="thikness"):
        settings_of(Settings, {"thikness": [3, 4]})


@pytest.mark.parametrize("name", sorted(NEEDS_FIT))
def test_a_network_shaped_by_pairs_neither_restores_nor_is_saved_before_a_fit(name, tmp_path):
    method = plugins.build("methods", tiny({"name": name}))
    for act in (
        lambda: method.restore(thick(), THIN, run=RUN),
        lambda: method.save(tmp_path / "weights", {}),
    ):
        with pytest.raises(RuntimeError, match=f"{name} has no weights yet"):
            act()
    assert not (tmp_path / "weights").exists()


@pytest.mark.parametrize("name", FITTED)
def test_a_fit_that_fails_leaves_the_method_as_it_was(name, tmp_path, monkeypatch):
    method = plugins.build("methods", tiny(ALL[name]))
    before = method.net, method.shape

    def fails(net, *_, **__):
        for tensor in net.parameters():
            tensor.data.zero_()
        raise FloatingPointError

    state = None if method.net is None else method.net.state_dict()
    copy = state and {key: value.clone() for key, value in state.items()}
    monkeypatch.setattr(loop, "train", fails)
    with pytest.raises(FloatingPointError):
        method.fit([pair(0)], [], work=tmp_path, run=RUN)
    assert (method.net, method.shape) == before
    if copy is not None:
        assert all(torch.equal(value, copy[key]) for key, value in method.net.state_dict().items())


@pytest.mark.parametrize("name", FITTED)
def test_a_second_fit_does_not_go_on_from_the_first(name, tmp_path):
    method = plugins.build("methods", tiny(ALL[name]))
    fitted = []
    for folder in ("first", "second"):
        method.fit([pair(0)], [], work=tmp_path / folder, run=RUN)
        fitted.append({key: value.clone() for key, value in method.net.state_dict().items()})
    assert all(torch.equal(value, fitted[1][key]) for key, value in fitted[0].items())


@pytest.mark.parametrize("factor", ["five", None, [5]])
def test_weights_whose_factor_is_no_whole_number_are_refused(factor, tmp_path):
    method = plugins.build("methods", tiny({"name": "tvsrn"}))
    path = tmp_path / "weights"
    foreign = {**method.identity, "factor": factor}
    weights.save(path, nn.Linear(1, 1), method="tvsrn", network=foreign, about={})
    with pytest.raises(ValueError, match=r"weights: trained with factor"):
        method.load(path)
    assert method.net is None


def tf32() -> tuple[bool, bool]:
    """Whether a GPU's float32 products round to TF32: of matrices, of convolutions."""
    return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32


def test_float32_is_float32_where_a_method_restores_and_where_it_is_fitted(tmp_path, monkeypatch):
    method, seen = plugins.build("methods", tiny({"name": "plane_unet"})), []
    monkeypatch.setattr(method, "_restore", lambda *_: seen.append(tf32()))
    monkeypatch.setattr(method, "_fit", lambda *_: seen.append(tf32()))
    before = tf32()
    method.restore(thick(), THIN, run=RUN)
    method.fit([pair(0)], [], work=tmp_path, run=RUN)
    assert seen == [(False, False), (False, False)]
    assert tf32() == before == (False, True)


@pytest.mark.parametrize("name", A_FAMILY_EACH)
def test_no_family_restores_or_fits_around_the_base(name):
    kind = type(plugins.build("methods", tiny(ALL[name])))
    if issubclass(kind, NetworkMethod):
        assert kind.restore is NetworkMethod.restore
    if issubclass(kind, FittedMethod):
        assert kind.fit is FittedMethod.fit
