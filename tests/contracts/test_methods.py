"""The contract of every method, whatever it does inside: grids, values, weights, labels.

Methods run as configs name them, but with their modules' ``TINY`` settings. A new module in
``thinslice/methods`` is under this contract as it is: nothing here names a method.
"""

import inspect
import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from support.cards import module_of, named, with_settings
from support.tiny_methods import (
    ALL,
    CARDS,
    FITS,
    FITTED,
    RUN,
    THICK,
    THIN,
    design,
    pair,
    thick,
    tiny,
)
from thinslice import plugins
from thinslice.interfaces import FIDELITIES, About
from thinslice.restoration.methods import fit_of
from thinslice.training import weights
from thinslice.volume import Grid, Volume

of_fitted = pytest.mark.parametrize("ready", FITTED, indirect=True)
of_the_others = pytest.mark.parametrize(
    "ready", [name for name in CARDS if name not in FITTED], indirect=True
)
OVERLAPPING = replace(THICK, thickness_mm=8.0)
ASKED = {
    "the thin slices": THIN,
    "on the thick slices": replace(THIN, n=36, start_mm=-1.0),
    "another phase": replace(THIN, n=30, start_mm=1.37),
    "no whole ratio, overlapping": replace(THIN, increment_mm=0.93, start_mm=-2.6),
    "one slice": replace(THIN, n=1, start_mm=14.2),
    "beyond the ends": replace(THIN, n=52, start_mm=-8.5),
}


def variants() -> dict[str, str]:
    """A name for every other way in which configs ask for a module, sizes and rates aside."""
    asked = {
        name: repr((module_of(card), sorted(tiny(card).get("settings", {}).items())))
        for name, card in ALL.items()
    }
    covered = {asked[name] for name in CARDS}
    return {key: name for name, key in asked.items() if key not in covered}


def fit(name: str, work: Path):
    method = plugins.build("methods", tiny(ALL[name]))
    if hasattr(method, "fit"):
        curve = method.fit([pair(0), pair(1)], [pair(2)], work=work, run=RUN)
        assert len(curve.read_text().splitlines()) > 1
    return method


@dataclass(frozen=True)
class Ready:
    name: str
    method: Any
    work: Path

    def restore(self, grid: Grid = THIN, scan: Volume | None = None) -> np.ndarray:
        restored = self.method.restore(scan or thick(), grid, run=RUN)
        assert restored.grid == grid
        assert restored.voxels.dtype == np.float32
        assert np.isfinite(restored.voxels).all()
        return restored.voxels


@pytest.fixture(scope="module", params=CARDS)
def ready(request, tmp_path_factory) -> Ready:
    """Every method, fitted where it can be."""
    work = tmp_path_factory.mktemp(request.param)
    return Ready(request.param, fit(request.param, work / "first"), work)


def test_restores_to_exactly_the_grid_asked_for(ready):
    for grid in ASKED.values():
        assert ready.restore(grid).shape == grid.zyx


@pytest.mark.parametrize("name", variants().values())
def test_every_variant_of_a_config_is_fitted_and_restores_to_the_grid(name, tmp_path):
    restored = Ready(name, fit(name, tmp_path / "work"), tmp_path).restore()
    assert restored.shape == THIN.zyx


def test_thick_slices_may_overlap_or_be_few(ready):
    few = [replace(THICK, n=n, start_mm=4.0) for n in (1, 2, 3)]
    for grid in (OVERLAPPING, *few):
        assert ready.restore(scan=thick(grid)).shape == THIN.zyx


def test_mr_stays_mr_and_its_unit_means_nothing(ready):
    answers = []
    for gain in (1, 16):
        scan = thick(modality="MR")
        scan = scan.with_voxels(gain * scan.voxels)
        restored = ready.method.restore(scan, THIN, run=RUN)
        assert restored.modality == "MR"
        answers.append(restored.voxels / gain)
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-4 * np.ptp(answers[0]))


def test_the_input_is_left_alone_and_answers_repeat(ready):
    scan = thick()
    first = ready.restore(scan=scan)
    np.testing.assert_array_equal(scan.voxels, thick().voxels)
    assert not np.shares_memory(first, scan.voxels)
    np.testing.assert_array_equal(ready.restore(scan=scan), first)


@of_fitted
@pytest.mark.parametrize(("modality", "value"), [("CT", 3100.0), ("MR", 40_000.0)])
def test_what_lies_outside_the_window_is_kept_unless_the_authors_cut_it(ready, modality, value):
    """A rod along z, brighter than any window: each unit more of it comes back as a unit more."""

    def rod(hu: float) -> np.ndarray:
        scan = thick(modality=modality)
        scan.voxels[:, 5, 9] = hu
        return ready.restore(scan=scan)

    more = rod(2 * value) - rod(value)
    if ready.method.about.fidelity == "as-released" and not more.any():
        return
    np.testing.assert_allclose(more[:, 5, 9], value, rtol=1e-5)
    more[:, 5, 9] = 0
    assert np.abs(more).max() <= 1e-5 * value


@of_the_others
def test_a_constant_stays_constant_where_nothing_is_learned(ready):
    level = Volume(np.full(THICK.zyx, -876.0, np.float32), THICK)
    for grid in ASKED.values():
        assert np.abs(ready.restore(grid, level) + 876).max() < 1e-3


def test_other_pixels_are_answered_exactly_or_refused(ready):
    finer = replace(THIN, shape=(24, 40), pixel_mm=(0.35, 0.45))
    try:
        said = f"on {ready.restore(finer).shape}"
    except ValueError as error:
        said = str(error)
    assert said == f"on {finer.zyx}" or "pixels of" in said


@pytest.mark.parametrize("name", named("methods"))
def test_a_config_line_says_of_a_method_what_it_says_of_itself(name):
    card = named("methods")[name]
    method = plugins.build("methods", tiny(card))
    assert card["fit"] == fit_of(method)
    assert card.get("fixed_factor", False) == method.about.fixed_factor
    assert card.get("in_plane", False) == method.about.in_plane
    assert card.get("second", False) == method.about.second


def test_numbers_are_learned_by_what_learns_and_by_nothing_else(ready):
    learned = ready.method.parameters()
    assert isinstance(learned, int)
    fit = CARDS[ready.name].get("fit", FITS[ready.name])  # as its config line states it
    assert (learned > 0) == (fit != "none")
    assert hasattr(ready.method, "fit") == (fit == "population")
    assert inspect.signature(ready.method.restore).parameters["run"].default is not inspect._empty


@of_fitted
def test_the_same_seed_and_scans_fit_the_same_bits(ready):
    again = replace(ready, method=fit(ready.name, ready.work / "again"))
    np.testing.assert_array_equal(again.restore(), ready.restore())


@of_fitted
def test_saved_and_loaded_it_is_the_fitted_method(ready):
    path, other = ready.work / "weights", ready.work / "copy"
    ready.method.save(path, {"why": "contract"})
    loaded = plugins.build("methods", tiny(ALL[ready.name]))
    loaded.load(path)
    restored = replace(ready, method=loaded).restore()
    np.testing.assert_array_equal(restored, ready.restore())
    assert loaded.parameters() == ready.method.parameters()
    loaded.save(other, {"why": "contract"})
    assert other.read_bytes() == path.read_bytes()


@of_fitted
def test_it_is_fitted_without_a_val_split_too_but_never_without_training(ready):
    method = plugins.build("methods", tiny(ALL[ready.name]))
    method.fit([pair(0)], [], work=ready.work / "no_val", run=RUN)
    assert replace(ready, method=method).restore().shape == THIN.zyx
    with pytest.raises(ValueError, match="train"):
        method.fit([], [pair(0)], work=ready.work / "nothing", run=RUN)


@of_fitted
def test_broken_or_foreign_weights_are_refused_with_the_files_name(ready):
    path = ready.work / "other"
    ready.method.save(path, {})
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match=str(path)):
        ready.method.load(path)
    weights.save(path, nn.Linear(1, 1), method="another", network={}, about={})
    with pytest.raises(ValueError, match="'another'"):
        ready.method.load(path)


def test_about_is_complete(ready):
    about = ready.method.about
    assert isinstance(about, About)
    assert about.fidelity in FIDELITIES
    assert about.title
    assert about.idea.endswith(".")
    assert about.paper or about.fidelity in ("textbook", "own")


def test_every_module_is_under_the_contract_and_no_two_methods_have_one_title():
    designs = [design(card) for card in CARDS.values()]
    assert {module for module, _ in designs} == set(plugins.names("methods"))
    assert len({title for _, title in designs}) == len(designs)


def test_core_methods_need_no_torch():
    """They start in a fraction of the time, and ask for no GPU."""
    core = [card for card in named("methods").values() if card["env"] == "core"]
    assert core
    code = (
        "import json, sys; from thinslice import plugins\n"
        "for card in json.loads(sys.argv[1]): plugins.build('methods', card)\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code, json.dumps(core)], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_published_settings_keep_the_label_and_any_other_setting_is_ours():
    about = About("X", "as-published", "Y", "Z", published_settings={"references": (0, 1)})
    assert about.fidelity_of({}) == "as-published"
    assert about.fidelity_of({"references": 1, "seed": 7}) == "as-published"
    assert about.fidelity_of({"references": 2}) == "as-published, own settings"
    assert about.fidelity_of({"references": 1, "lr": 1}) == "as-published, own settings"


@pytest.mark.parametrize("name", CARDS)
def test_a_method_takes_its_published_settings(name):
    card = tiny(CARDS[name])
    for setting, values in plugins.build("methods", card).about.published_settings.items():
        for value in values:
            built = plugins.build("methods", with_settings(card, **{setting: value}))
            assert built.parameters() > 0
