"""Training on the scan: a memory cap is looked at before it, and all views share its outcome."""

from dataclasses import replace

import numpy as np
import pytest

from thinslice import plugins
from thinslice.families import self_supervised
from thinslice.families.self_supervised import SELF_SUPERVISED_TINY
from thinslice.inference import memory
from thinslice.interfaces import Run
from thinslice.operators.grids import thin_grid
from thinslice.volume import Grid, Volume

GRID = Grid(6, 5.0, 5.0, (24, 20), (1.0, 1.0))
RUN = Run(device="cpu", threads=1, progress=False)


class TrainedError(Exception):
    """Training began."""


def trained(*args, **kwargs):
    raise TrainedError


@pytest.mark.parametrize(
    ("room", "cap", "error"),
    [(0.0, 1.0, MemoryError), (1e12, 1.0, TrainedError), (0.0, None, TrainedError)],
)
def test_the_cap_is_looked_at_before_training(monkeypatch, room, cap, error):
    monkeypatch.setattr(self_supervised, "train", trained)
    monkeypatch.setattr(memory, "room_bytes", lambda *args: room)
    method = plugins.build("methods", {"name": "sr4zct", "settings": SELF_SUPERVISED_TINY})
    noise = np.random.default_rng(0).normal(0, 100, GRID.zyx).astype(np.float32)
    with pytest.raises(error):
        method.restore(
            Volume(noise, GRID), thin_grid(GRID, 1.0, 1.0), run=replace(RUN, max_memory_gib=cap)
        )


def test_a_view_is_restored_with_what_another_one_learned(monkeypatch, tmp_path):
    noise = np.random.default_rng(0).normal(0, 100, GRID.zyx).astype(np.float32)
    run, restored = replace(RUN, work=tmp_path), []
    for view in ("both", "coronal"):
        settings = {**SELF_SUPERVISED_TINY, "view": view}
        method = plugins.build("methods", {"name": "sr4zct", "settings": settings})
        restored.append(method.restore(Volume(noise, GRID), thin_grid(GRID, 1.0, 1.0), run=run))
        monkeypatch.setitem(self_supervised.LOSSES, "mse", trained)  # no step from here on
    assert not np.array_equal(restored[0].voxels, restored[1].voxels)
