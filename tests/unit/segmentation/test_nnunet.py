"""A trained nnU-Net is applied by its own command, a stand-in here, and refused by name."""

import json
from pathlib import Path

import numpy as np
import pytest

from support import trained_nnunet
from thinslice.errors import Refused
from thinslice.segmentation import nnunet, segmenters
from thinslice.segmentation.nnunet import NnUNet
from thinslice.volume import Grid, Volume

GRID = Grid(5, 1.0, 1.0, (6, 7), (0.8, 0.9), start_mm=3.0, origin_mm=(-2.0, 4.0, 0.0))


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    return trained_nnunet.make(tmp_path, monkeypatch)


def scan() -> Volume:
    values = np.random.default_rng(1).integers(-100, 300, GRID.zyx)
    return Volume(values.astype(np.float32), GRID)


def test_its_labels_lie_where_the_scan_does_under_the_numbers_of_the_structures(folder):
    found = NnUNet(["kidney", "tumour"], folder).segment(scan())
    hu = scan().voxels
    expected = np.select([hu > 200, hu > 100, hu > 0], [0, 2, 1], 0)  # a cyst is none of them
    assert found.dtype == np.uint8
    assert np.array_equal(found, expected)
    given = (folder / "given.txt").read_text()
    assert given.endswith(f"-m {folder} -f 0 3 -device cpu --disable_progress_bar")


def test_what_is_saved_is_read_again_until_the_trained_folder_is_another(folder, tmp_path):
    NnUNet(["tumour"], folder).save(tmp_path / "s.pt", {})
    loaded = segmenters.load(tmp_path / "s.pt")
    assert (loaded.structures, loaded.segment(scan()).max()) == (("tumour",), 1)
    (folder / "fold_3" / nnunet.CHECKPOINT).write_bytes(b"others")
    with pytest.raises(Refused, match="another trained nnU-Net"):
        segmenters.load(tmp_path / "s.pt")


def test_without_an_installation_it_is_refused_in_one_line(folder, monkeypatch):
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(Refused, match="nnU-Net is not installed: found no command") as refused:
        NnUNet(["kidney"], folder).segment(scan())
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"labels": {"background": 0, "kidney": [1, 2]}}, "expected kidney, tumour, each with one"),
        ({"channel_names": {"0": "CT", "1": "T2"}}, "2 channels"),
        ({"file_ending": ".nrrd"}, "in .nrrd files"),
        ({"labels": 3}, "no description of a data set"),
    ],
)
def test_a_trained_folder_of_something_else_is_refused(folder, change, words):
    (folder / "dataset.json").write_text(json.dumps({**trained_nnunet.DESCRIBED, **change}))
    with pytest.raises(Refused, match=words):
        NnUNet(["kidney", "tumour"], folder)


def test_a_folder_that_is_not_trained_or_not_there_is_refused(folder, tmp_path):
    with pytest.raises(Refused, match=r"dataset\.json"):
        NnUNet(["kidney"], tmp_path / "nowhere")
    for path in folder.glob("fold_*/*"):
        path.unlink()
    with pytest.raises(Refused, match=r"no fold_\*/checkpoint_final\.pth"):
        NnUNet(["kidney"], folder)


def test_a_command_that_fails_is_refused_with_its_last_words(folder):
    voxels = scan().voxels.copy()
    voxels[0, 0, 0] = -3000
    with pytest.raises(Refused, match="ended with 1: out of memory"):
        NnUNet(["kidney"], folder).segment(Volume(voxels, GRID))


def test_mr_is_refused(folder):
    with pytest.raises(Refused, match="was given MR"):
        NnUNet(["kidney"], folder).segment(Volume(np.zeros(GRID.zyx, np.float32), GRID, "MR"))
