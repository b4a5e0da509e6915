"""Every method that is fitted beforehand can be fitted by two processes together."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from plugin_cards import module_of
from test_contracts_methods import CARDS, RUN, THIN, TINY, pair, settled, thick
from test_team import tensors

from thinslice import plugins
from thinslice.drivers import device
from thinslice.seams import Run
from thinslice.training.team import together

TRAINED = [name for name in CARDS if module_of(CARDS[name]) in TINY]
# Processes drop paths each for themselves; what follows from that is not what one process learns.
DROPS = {"tvsrn", "tvsrn_no_tab", "tvsrn_released"}


def built(name: str):
    """The method, tiny, with a batch that can be parted."""
    card = settled(name)
    shared = {**card.get("settings", {}), "batch": 4}
    return plugins.build("methods", {**card, "settings": shared})


def fit(folder: Path, run: Run) -> None:
    """Fit all, one after the other; the first process keeps the weights and curves."""
    for name in TRAINED:
        method = built(name)
        work = folder / name / "work"
        curve = method.fit([pair(0), pair(1)], [pair(2)], work=work, run=run)
        method.save(folder / name / f"weights{run.rank}", {})
        if run.rank == 0:
            (folder / name / "curve.csv").write_bytes(curve.read_bytes())


@pytest.fixture(scope="module")
def fitted(tmp_path_factory) -> dict[int, Path]:
    """Folders of what one process and what two made."""
    folders = {n: tmp_path_factory.mktemp(f"by{n}") for n in (1, 2)}
    for n, folder in folders.items():
        with device.team(Run(device="cpu", threads=n, progress=False), n) as runs:
            together(partial(fit, folder), runs)
    return folders


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINED)
def test_two_processes_fit_it_as_one_does(name, fitted):
    one, two = (fitted[n] / name for n in (1, 2))
    assert (two / "weights0").read_bytes() == (two / "weights1").read_bytes()
    assert len((two / "curve.csv").read_text().splitlines()) == len(
        (one / "curve.csv").read_text().splitlines()
    )
    if module_of(CARDS[name]) not in DROPS:
        ours, theirs = (tensors(folder / "weights0") for folder in (two, one))
        for tensor, value in theirs.items():
            np.testing.assert_allclose(ours[tensor], value, atol=1e-5, err_msg=tensor)
    method = built(name)
    method.load(two / "weights0")
    assert method.restore(thick(), THIN, run=RUN).grid.zyx == THIN.zyx
    assert not list(two.rglob("*.part"))
