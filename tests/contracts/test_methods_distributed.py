"""Every method that is fitted beforehand can be fitted by two processes together."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from support.cards import module_of
from support.tiny_methods import CARDS, FITTED, RUN, THIN, built, fit_all, thick
from support.toy_distributed import tensors
from thinslice.interfaces import Run
from thinslice.runtime import device
from thinslice.training.distributed import together

# Processes drop paths each for themselves; what follows from that is not what one process learns.
DROPS = {"tvsrn", "tvsrn_no_tab", "tvsrn_released"}


@pytest.fixture(scope="module")
def fitted(tmp_path_factory) -> dict[int, Path]:
    """Folders of what one process and what two made."""
    folders = {n: tmp_path_factory.mktemp(f"by{n}") for n in (1, 2)}
    for n, folder in folders.items():
        with device.group(Run(device="cpu", threads=n, progress=False), n) as runs:
            together(partial(fit_all, folder), runs)
    return folders


@pytest.mark.slow
@pytest.mark.parametrize("name", FITTED)
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
