"""DICOM folders that hold more than one stack: acquisitions of one series, and series."""

from collections.abc import Callable

import numpy as np
import pydicom
from pydicom.uid import SecondaryCaptureImageStorage

from support import dicom_maker as maker
from support.bad_dicom import HU, PLACES, on, series, victim
from support.reading_law import Case


def apart(*changes: Callable, places=(PLACES, PLACES)) -> Callable:
    """One series of two stacks, each with its own change of every header."""

    def make(folder, _):
        def change(k, data):
            changes[k // len(PLACES)](k % len(PLACES), data)

        both = np.concatenate([HU, HU + 5])
        return series(folder, change, [*places[0], *places[1]], both)

    return make


def by(tag: str, first: object, second: object, **how) -> Callable:
    """One series of two stacks that one tag tells apart."""
    return apart(on(None, **{tag: first}), on(None, **{tag: second}), **how)


def second_of_two(path, found):
    """Assert that the second stack was read, and every voxel of it."""
    assert found.volume.grid.n == len(HU)
    np.testing.assert_array_equal(np.sort(found.volume.voxels, None), np.sort(HU + 5, None))


def first_of_two(path, found):
    np.testing.assert_array_equal(np.sort(found.volume.voxels, None), np.sort(HU, None))


def all_of_them(path, found):
    np.testing.assert_array_equal(np.sort(found.volume.voxels, None), np.sort(HU, None))


def later(k, data):
    data.AcquisitionTime = f"1200{k:02d}"


def much_later(k, data):
    data.AcquisitionTime = f"1300{k:02d}"


def beyond(mm: float) -> list:
    return [p + np.array([0, 0, mm]) for p in PLACES]


def rotations(folder, _):
    """Pairs of slices, each with its own AcquisitionNumber, as of a sequential scan, one gone."""

    def change(k, data):
        data.AcquisitionNumber = 1 + k // 2

    places = maker.positions_of(10, 2.0)
    made = series(folder, change, places, maker.scan_hu(10))
    victim(made, 4).unlink()
    return made


def two_series(mm: float, other_mm: float, **tags) -> Callable:
    """Two series of the same numbers but for what they are told apart by."""

    def make(folder, _):
        series(folder / "a", on(None, SliceThickness=mm, SeriesNumber=3))
        series(
            folder / "b",
            on(
                None,
                SliceThickness=other_mm,
                SeriesInstanceUID="1.2.77",
                **{"SeriesNumber": 4, **tags},
            ),
            hu=HU + 5,
        )
        return folder

    return make


def one_with_a_hole(folder, _):
    """Two series, the thicker of which lacks a slice."""
    two_series(5, 2)(folder, _)
    victim(folder / "a" / "scan", 2).unlink()
    return folder


def one_with_a_capture(folder, _):
    """Two series, one image of the thicker of which is a capture."""
    two_series(5, 2)(folder, _)
    file = victim(folder / "a" / "scan", 5)
    data = pydicom.dcmread(file)
    data.SOPClassUID = SecondaryCaptureImageStorage
    data.save_as(file)
    return folder


def larger(data):
    data.Rows, data.Columns, data.PixelData = 10, 14, data.PixelData * 4


def all_read(path, found):
    all_of_them(path, found)
    assert found.volume.grid.n == len(HU)


def _n(found, n: int) -> None:
    assert found.volume.grid.n == n


CASES = {
    "passes that overlap": Case(
        by("AcquisitionNumber", 1, 2, places=(PLACES, beyond(7.0))),
        r"2 acquisitions in series 3, told apart by AcquisitionNumber: 1 \(.* 300 to 310 mm\), 2",
    ),
    "the second pass": Case(
        by("AcquisitionNumber", 1, 2, places=(PLACES, beyond(7.0))),
        right=second_of_two,
        say={"acquisition": 2},
        noted="read: acquisition 2",
    ),
    "passes that alternate": Case(
        by("AcquisitionNumber", 1, 2, places=(PLACES, beyond(1.0))),
        r"told apart by AcquisitionNumber.*--acquisition all",
    ),
    "energies that alternate": Case(
        by("KVP", 80, 140, places=(PLACES, beyond(1.0))), "told apart by KVP"
    ),
    "one of energies that alternate": Case(
        by("KVP", 80, 140, places=(PLACES, beyond(1.0))),
        right=second_of_two,
        say={"acquisition": 2},
    ),
    "all of passes that alternate": Case(
        by("AcquisitionNumber", 1, 2, places=(PLACES, beyond(1.0))),
        right=lambda path, found: _n(found, 12),
        say={"acquisition": "all"},
    ),
    "energies that continue each other": Case(
        by("KVP", 80, 140, places=(PLACES, beyond(12.0))),
        right=lambda path, found: _n(found, 12),
        noted="KVP differs from slice to slice: 140, 80",
    ),
    "passes with a gap between": Case(
        by("AcquisitionNumber", 1, 2, places=(PLACES, beyond(50.0))), "2 acquisitions"
    ),
    "passes that continue each other": Case(
        by("AcquisitionNumber", 1, 2, places=(PLACES, beyond(12.0))),
        right=lambda path, found: _n(found, 12),
    ),
    "the second of passes that continue each other": Case(
        by("AcquisitionNumber", 1, 2, places=(PLACES, beyond(12.0))),
        right=second_of_two,
        say={"acquisition": 2},
    ),
    "no such pass": Case(
        by("AcquisitionNumber", 1, 2), "no acquisition '3', but 1", say={"acquisition": 3}
    ),
    "all of two phases": Case(
        by("AcquisitionNumber", 1, 2), "6 positions given twice", say={"acquisition": "all"}
    ),
    "energies": Case(by("KVP", 80, 140), r"told apart by KVP: 1 \(KVP 80: .* 2 \(KVP 140"),
    "the lower energy": Case(by("KVP", 80, 140), right=first_of_two, say={"acquisition": "1"}),
    "the higher energy by its name": Case(
        by("KVP", 80, 140), right=second_of_two, say={"acquisition": "KVP 140"}
    ),
    "phases by ContentTime": Case(by("ContentTime", "120000", "120100"), "apart by ContentTime"),
    "phases by AcquisitionTime": Case(
        by("AcquisitionTime", "120000", "120100"), "apart by AcquisitionTime"
    ),
    "phases by the order of their times": Case(
        apart(later, much_later), "apart by AcquisitionTime: 1 .*120000 to 120005"
    ),
    "the later of phases by their times": Case(
        apart(later, much_later), right=second_of_two, say={"acquisition": 2}
    ),
    "phases by TemporalPositionIdentifier": Case(
        by("TemporalPositionIdentifier", 1, 2), "apart by TemporalPositionIdentifier"
    ),
    "two kernels": Case(by("ConvolutionKernel", "B30f", "B70f"), "apart by ConvolutionKernel"),
    "a derived stack": Case(
        by("ImageType", ["ORIGINAL", "PRIMARY", "AXIAL"], ["DERIVED", "SECONDARY", "MIP"]),
        "apart by ImageType",
    ),
    "two stacks of other sizes": Case(
        apart(on(None), lambda k, data: larger(data)), "apart by Rows and Columns"
    ),
    "two thicknesses": Case(by("SliceThickness", 5, 2), "apart by SliceThickness"),
    "the thicker of two thicknesses": Case(
        by("SliceThickness", 5, 2), right=first_of_two, say={"acquisition": 2}
    ),
    "phases that nothing tells apart": Case(apart(on(None), on(None)), "6 positions given twice"),
    "an acquisition of one stack": Case(
        lambda f, _: series(f), "no acquisition '2'", say={"acquisition": 2}
    ),
    "a rotation's slice is missing": Case(rotations, "1 missing"),
    "two series": Case(two_series(5, 2), r"2 series: 3 \(.*, 4 \("),
    "the thickest series": Case(two_series(5, 2), right=all_read, say={"series": "thickest"}),
    "the thinnest series": Case(two_series(5, 2), right=second_of_two, say={"series": "thinnest"}),
    "series by its number": Case(two_series(5, 2), right=second_of_two, say={"series": 4}),
    "two thickest series": Case(two_series(5, 5), "'thickest' is 2", say={"series": "thickest"}),
    "the thickest series has a hole": Case(
        one_with_a_hole, "1 missing", say={"series": "thickest"}
    ),
    "a series with a hole is one of two": Case(one_with_a_hole, "2 series"),
    "the thickest series has a capture": Case(
        one_with_a_capture, right=lambda path, found: _n(found, 5), say={"series": "thickest"}
    ),
    "no such series": Case(two_series(5, 2), "no series '7'", say={"series": 7}),
    "two series of one number": Case(
        two_series(5, 2, SeriesNumber=3), "2 series", say={"series": 3}
    ),
}
