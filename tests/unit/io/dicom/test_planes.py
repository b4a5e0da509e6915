"""Irregular series as acquired: every slice where its header puts it, or refused by name."""

import numpy as np
import pytest

from support import dicom_maker as maker
from support.irregular_scene import tilted
from thinslice.errors import Refused
from thinslice.io.acquired import AcquiredScan
from thinslice.io.read import read_scan
from thinslice.io.scan import LoadedScan

HU = maker.scan_hu()
SAGITTAL = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0))
FLIPPED = ((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0))  # the normal runs to the feet


def acquired(path, **how):
    return read_scan(path, as_acquired=True, **how)


def places(along_mm, plane=maker.AXIAL, way=None, start=(-120.5, -80.25, 300.0)):
    """Positions at ``along_mm`` along ``way``, by default the plane's normal."""
    way = np.cross(*plane) if way is None else np.array(way, float)
    return [np.array(start) + mm * way for mm in along_mm]


def voxels_in_patient(scan):
    """LPS of every voxel, by HU, which are all different."""
    z, y, x = np.array(scan.frame.direction)
    found = {}
    for k, j, i in np.ndindex(scan.voxels.shape):
        dy, dx = scan.shifts_mm[k]
        at = scan.frame.origin_mm + z * scan.centres_mm[k]
        at = at + y * (dy + j * scan.frame.pixel_mm[0]) + x * (dx + i * scan.frame.pixel_mm[1])
        found[float(scan.voxels[k, j, i])] = at
    return found


def assert_in_place(scan, positions, plane):
    right, down = np.array(plane)
    found = voxels_in_patient(scan)
    for image, first in zip(HU, positions):
        for (j, i), hu in np.ndenumerate(image):
            expected = first + 0.7 * j * down + 0.9 * i * right
            np.testing.assert_allclose(found[float(hu)], expected, atol=1e-6)


@pytest.mark.parametrize("plane", [tilted(16.5), tilted(-25.0), SAGITTAL, FLIPPED, maker.AXIAL])
@pytest.mark.parametrize("along_mm", [(0, 5, 10, 15, 20, 25), (0, 5, 10, 20, 25, 30),
                                      (0, -5, -10.4, -14.8, -20, -25)])  # fmt: skip
def test_every_voxel_is_where_its_header_puts_it(tmp_path, plane, along_mm):
    way = (0, 0, 1) if plane in (tilted(16.5), tilted(-25.0)) else np.cross(*plane)
    positions = places(along_mm, plane, way)
    scan = acquired(maker.series(tmp_path / "s", HU, positions, plane=plane))
    if isinstance(scan, LoadedScan):
        assert along_mm[1:3] == (5, 10)
        return
    assert (np.diff(scan.centres_mm) > 0).all()
    assert_in_place(scan, positions, plane)


@pytest.mark.parametrize("degrees", [2.0, -16.5, 25.0])
def test_tilt_is_measured_from_positions_whatever_the_sign_in_the_tag(tmp_path, degrees):
    positions = places(5.0 * np.arange(6), way=(0, 0, 1))
    for tag in (degrees, -degrees):
        folder = maker.series(
            tmp_path / f"{tag}", HU, positions, plane=tilted(degrees),
            change=lambda k, data, tag=tag: setattr(data, "GantryDetectorTilt", tag),
        )  # fmt: skip
        scan = acquired(folder)
        assert isinstance(scan, AcquiredScan)
        assert scan.tilt_deg == pytest.approx(abs(degrees), abs=1e-6)
        assert scan.is_evenly_spaced
        assert not [note for note in scan.source["warnings"] if "GantryDetectorTilt" in note]


def test_a_tag_that_contradicts_the_positions_is_reported(tmp_path):
    change = lambda k, data: setattr(data, "GantryDetectorTilt", 8.0)  # noqa: E731
    positions = places(5.0 * np.arange(6), way=(0, 0, 1))
    scan = acquired(maker.series(tmp_path / "s", HU, positions, plane=tilted(16.5), change=change))
    assert "GantryDetectorTilt 8, but positions show 16.5 degrees" in scan.source["warnings"][0]


@pytest.mark.parametrize("noise_mm", [0.0, 0.02])
def test_a_regular_series_is_read_as_without_the_option(tmp_path, noise_mm):
    """Position noise below the tolerance of the reader is header rounding."""
    off_mm = noise_mm * np.resize([1, -1, 0.5], 6)
    folder = maker.series(tmp_path / "s", HU, places(5.0 * np.arange(6) + off_mm))
    plain, scan = read_scan(folder), acquired(folder)
    assert isinstance(scan, LoadedScan)
    np.testing.assert_array_equal(scan.volume.voxels, plain.volume.voxels)
    assert scan.volume.grid == plain.volume.grid


def mixed(tmp_path, thicknesses, along_mm=(0, 5, 10, 17.5, 27.5, 37.5)):
    def change(k, data):
        if thicknesses[k] is None:
            del data.SliceThickness
        else:
            data.SliceThickness = thicknesses[k]

    return maker.series(tmp_path / "s", HU, places(along_mm), change=change)


def test_head_slices_that_change_from_5_to_10_mm_keep_their_thickness(tmp_path):
    scan = acquired(mixed(tmp_path, [5, 5, 5, 10, 10, 10]))
    assert isinstance(scan, AcquiredScan)
    assert "one above another" in " ".join(scan.source["warnings"])
    assert scan.thickness_mm.tolist() == [5, 5, 5, 10, 10, 10]
    np.testing.assert_allclose(scan.centres_mm, [0, 5, 10, 17.5, 27.5, 37.5])


REFUSED = {
    "twice": (dict(along_mm=(0, 5, 10, 10, 20, 25)), "positions given twice"),
    "wide": (dict(along_mm=(0, 5, 10, 50, 55, 60)), "40 mm between"),
    "silent": (dict(thicknesses=[5, 5, None, 10, 10, 10]), "no SliceThickness in 1 of 6"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_operator_can_mend_is_refused_all_the_same(tmp_path, name):
    how, words = REFUSED[name]
    folder = mixed(tmp_path, how.get("thicknesses", [5] * 6), how.get("along_mm", range(0, 60, 10)))
    with pytest.raises(Refused, match=words):
        acquired(folder)


def test_one_declared_thickness_is_not_put_on_slices_of_two(tmp_path):
    with pytest.raises(Refused, match="5 to 10 mm, 5 mm declared"):
        acquired(mixed(tmp_path, [5, 5, 5, 10, 10, 10]), thickness_mm=5.0)


def test_another_order_by_slice_location_is_refused(tmp_path):
    along_mm = np.array([0, 5, 10, 20, 25, 30.0])
    located = along_mm[[0, 1, 3, 2, 4, 5]]
    change = lambda k, data: setattr(data, "SliceLocation", located[k])  # noqa: E731
    folder = maker.series(tmp_path / "s", HU, places(along_mm), change=change)
    with pytest.raises(Refused, match="different orders"):
        acquired(folder)


@pytest.mark.parametrize("kind", ["tilt", "missing", "mixed"])
def test_refusing_is_the_default_and_names_the_way_out(tmp_path, kind):
    if kind == "tilt":
        where = places(5.0 * np.arange(6), way=(0, 0, 1))
        folder = maker.series(tmp_path / "s", HU, where, plane=tilted(10))
    else:
        thick = [5, 5, 5, 10, 10, 10] if kind == "mixed" else [5] * 6
        folder = mixed(tmp_path, thick, (0, 5, 10, 20, 25, 30))
    with pytest.raises(Refused, match="--as-acquired restores them"):
        read_scan(folder)
