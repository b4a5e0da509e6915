"""Label maps are read as they were written, and a damaged file is refused."""

import numpy as np
import pytest

from thinslice.errors import Refused
from thinslice.segmentation import label_maps
from thinslice.segmentation.label_maps import LabelMaps

MAPS = {"a": np.arange(24, dtype=np.uint8).reshape(2, 3, 4) % 3, "b": np.zeros((1, 2, 2), np.uint8)}


def test_written_and_read_and_the_same_bytes_again(tmp_path):
    for name in ("one.npz", "two.npz"):
        label_maps.write(tmp_path / name, ["kidney", "tumour"], MAPS.items())
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    maps = LabelMaps(tmp_path / "one.npz")
    assert maps.structures == ("kidney", "tumour")
    assert all(np.array_equal(maps.of(case), labels) for case, labels in MAPS.items())


def test_a_label_without_a_name_is_refused_and_leaves_no_file(tmp_path):
    with pytest.raises(Refused, match="case a: found labels"):
        label_maps.write(tmp_path / "x.npz", ["kidney"], MAPS.items())
    assert list(tmp_path.iterdir()) == []


def test_a_missing_case_and_a_damaged_file_are_refused(tmp_path):
    path = tmp_path / "x.npz"
    label_maps.write(path, ["kidney", "tumour"], MAPS.items())
    with pytest.raises(Refused, match="no whole labels of 'c'"):
        LabelMaps(path).of("c")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Refused, match="no whole labels"):
        LabelMaps(path)
