"""A series is named in messages by what its header holds, an empty tag being no word."""

import pydicom
import pytest

from support import dicom_maker as maker
from thinslice.io.dicom.headers import slices_of


@pytest.mark.parametrize(
    ("number", "description", "label"),
    [
        (3, "Thorax 5.0 B31f", "number 3 Thorax 5.0 B31f"),
        (None, "Thorax", "without number Thorax"),
        (None, None, "without number "),
        (0, None, "number 0 "),
    ],
)
@pytest.mark.parametrize("there", [True, False])
def test_an_empty_tag_is_no_none(tmp_path, number, description, label, there):
    def change(k, data):
        for keyword, value in (("SeriesNumber", number), ("SeriesDescription", description)):
            setattr(data, keyword, value)
            if value is None and not there:
                delattr(data, keyword)

    folder = maker.series(
        tmp_path / "s", maker.scan_hu(2), maker.positions_of(2, 1.0), change=change
    )
    file = sorted(folder.iterdir())[0]
    assert ("SeriesNumber" in pydicom.dcmread(file)) == (there or number is not None)
    assert slices_of(file)[0].label == label
