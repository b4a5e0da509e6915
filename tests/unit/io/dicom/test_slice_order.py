"""What is not one regular stack of slices is refused in one line: path, numbers, what to do."""

import numpy as np
import pytest
from pydicom.uid import SecondaryCaptureImageStorage, UltrasoundImageStorage, generate_uid

from support import dicom_maker as maker
from thinslice.errors import Refused
from thinslice.io.dicom.read import read_dicom
from thinslice.io.read import read_scan

HU = maker.scan_hu()
PLACES = maker.positions_of(6, 2.0)


def refusal(path):
    with pytest.raises(Refused) as caught:
        read_scan(path)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(str(path.parent))
    assert "found" in line
    assert "expected" in line
    return line


def changed(tmp_path, change, places=PLACES, **how):
    return maker.series(tmp_path / "s", HU, places, change=change, **how)


def set_on(index, **tags):
    def change(k, data):
        for keyword, value in tags.items():
            if k == index:
                setattr(data, keyword, value)

    return change


def drop_on(index, keyword):
    def change(k, data):
        if k == index:
            delattr(data, keyword)

    return change


def test_gantry_tilt(tmp_path):
    shift = 2.0 * np.tan(np.radians(16.5))
    places = [p + np.array([0, shift * k, 0]) for k, p in enumerate(PLACES)]
    line = refusal(maker.series(tmp_path / "s", HU, places))
    assert "gantry tilt" in line
    assert "16.50 degrees" in line


def test_the_smallest_tilt_that_matters(tmp_path):
    """Half a degree is refused, a hundredth of a degree is header rounding."""
    for degrees, refuses in ((0.5, True), (0.01, False)):
        shift = 20.0 * np.tan(np.radians(degrees))
        places = [p + np.array([shift * k, 0, 0]) for k, p in enumerate(maker.positions_of(6, 20))]
        folder = maker.series(tmp_path / str(degrees), HU, places)
        if refuses:
            assert "gantry tilt" in refusal(folder)
        else:
            volume = read_dicom(folder).volume
            np.testing.assert_allclose(
                volume.grid.affine()[:3] @ [5, 0, 0, 1], places[5], atol=1e-6
            )


def test_missing_slice_says_where_and_how_much(tmp_path):
    gap = [*PLACES[:3], *(p + np.array([0, 0, 2.0]) for p in PLACES[3:])]
    line = refusal(maker.series(tmp_path / "s", HU, gap))
    assert "increment 2 mm, but 4 mm between" in line
    assert "(304 mm)" in line
    assert "(308 mm)" in line
    assert "1 missing" in line


@pytest.mark.parametrize("off_mm", [0.2, -0.5])
def test_uneven_slice(tmp_path, off_mm):
    places = [p + np.array([0, 0, off_mm * (k == 3)]) for k, p in enumerate(PLACES)]
    line = refusal(maker.series(tmp_path / "s", HU, places))
    assert "uneven" in line
    assert f"{2 + off_mm:g} mm between" in line
    assert "missing," not in line


def test_drifting_increment(tmp_path):
    """Every gap within tolerance of the usual one, and yet not one regular line."""
    hu = maker.scan_hu(30)
    places = [np.array([0, 0, 2.0 * k + k**2 / 600]) for k in range(30)]
    assert "an increment that drifts" in refusal(maker.series(tmp_path / "s", hu, places))


def test_slice_beside_the_line(tmp_path):
    places = [p + np.array([3.0 * (k == 2), 0, 0]) for k, p in enumerate(PLACES)]
    assert "3 mm beside the line" in refusal(maker.series(tmp_path / "s", HU, places))


def test_duplicate_positions(tmp_path):
    places = [*PLACES[:5], PLACES[1]]
    line = refusal(maker.series(tmp_path / "s", HU, places))
    assert "1 positions given twice among 6 slices" in line
    assert "302 mm" in line


def test_localizer_and_secondary_capture(tmp_path):
    def change(k, data):
        if k == 2:
            data.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
        if k == 3:
            data.SOPClassUID = SecondaryCaptureImageStorage

    line = refusal(changed(tmp_path, change))
    assert "1 localizer" in line
    assert "1 secondary capture" in line
    assert "among 6 images" in line


def test_two_series_are_listed(tmp_path):
    other = generate_uid()
    line = refusal(changed(tmp_path, set_on(2, SeriesInstanceUID=other, SeriesDescription="Lung")))
    assert "2 series" in line
    assert f"{other} (number 3 Lung, 1 images)" in line
    assert f"{maker.SERIES} (number 3, 5 images)" in line


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({"PixelSpacing": [0.71, 0.9]}, "different pixel spacings"),
        ({"ImageOrientationPatient": [1, 0, 0, 0, 0.98, 0.199]}, "different orientations"),
        ({"SliceThickness": 1.0}, "different thicknesses"),
        ({"SOPClassUID": UltrasoundImageStorage}, "1 Ultrasound Image Storage among 6"),
        ({"Modality": "PT"}, "modality PT"),
        ({"SamplesPerPixel": 3}, "colour image"),
        ({"NumberOfFrames": 4}, "multi-frame image without per-frame geometry"),
    ],
)
def test_one_odd_slice(tmp_path, tags, said):
    assert said in refusal(changed(tmp_path, set_on(3, **tags)))


def test_differing_sizes(tmp_path):
    def crop(k, data):
        if k == 3:
            data.Rows, data.PixelData = 4, data.PixelData[: 4 * 7 * 2]

    line = refusal(changed(tmp_path, crop))
    assert "different sizes" in line
    assert "5x7 pixels in" in line
    assert "4x7 pixels in" in line


@pytest.mark.parametrize(
    "keyword",
    ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope"],
)
def test_a_silent_header(tmp_path, keyword):
    line = refusal(changed(tmp_path, drop_on(4, keyword)))
    assert f"no {keyword}" in line
    assert "in 1 of 6 images" in line


def test_skewed_orientation(tmp_path):
    skewed = ((1.0, 0.0, 0.0), (0.1, 0.995, 0.0))
    line = refusal(maker.series(tmp_path / "s", HU, PLACES, plane=skewed))
    assert "cosine 0.1" in line


@pytest.mark.parametrize("cut", [2, 60, 400])
def test_truncated_file(tmp_path, cut):
    folder = maker.series(tmp_path / "s", HU, PLACES)
    victim = sorted(folder.iterdir())[2]
    victim.write_bytes(victim.read_bytes()[:-cut])
    with pytest.raises(Refused, match=r"002\.dcm: found .*; expected .*again"):
        read_dicom(folder)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "0 bytes"), (b"\x7f" * 600, "600 bytes, no DICM mark")],
)
def test_a_file_that_is_not_dicom(tmp_path, content, said):
    folder = maker.series(tmp_path / "s", HU, PLACES)
    (folder / "000").write_bytes(content)
    with pytest.raises(Refused, match=f"000: found {said}"):
        read_dicom(folder)


def test_garbage_after_the_mark(tmp_path):
    folder = maker.series(tmp_path / "s", HU, PLACES)
    noise = np.random.default_rng(0).integers(0, 256, 2000, np.uint8).tobytes()
    (folder / "000").write_bytes(bytes(128) + b"DICM" + noise)
    with pytest.raises(Refused, match="000: found"):
        read_dicom(folder)


def test_folders_without_a_series(tmp_path):
    assert "no files" in refusal(_folder(tmp_path / "empty"))
    _folder(tmp_path / "nest")
    _folder(tmp_path / "nest" / "series")
    assert "no files of a scan, 1 folders" in refusal(tmp_path / "nest")
    assert "nothing" in refusal(tmp_path / "absent")


def test_single_slice(tmp_path):
    folder = maker.series(tmp_path / "s", HU[:1], PLACES[:1])
    assert "1 slice" in refusal(folder)


def _folder(path):
    path.mkdir()
    return path
