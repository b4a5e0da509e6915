"""DICOM series whose stored values take care to read: bits, signs, orders of bytes."""

from collections.abc import Callable

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from support import dicom_maker as maker
from support.reading_law import Case, as_pydicom
from support.stored_series import HU, holds, name_of, put, series_with, unsigned, words


def shown_inverted(data):
    unsigned(data)
    data.PhotometricInterpretation = "MONOCHROME1"


def with_metal(data):
    shown_inverted(data)
    values = words(data)
    values[0] = 4095
    put(data, values)


def signed_shown_inverted(data):
    data.PhotometricInterpretation = "MONOCHROME1"


def shifted(by):
    def change(data):
        unsigned(data, high=11 + by)
        put(data, words(data) << by)

    return change


def shifted_by_four(data):
    shifted(4)(data)


def shifted_by_two(data):
    shifted(2)(data)


def shifted_and_signed(data):
    data.BitsStored, data.HighBit = 12, 15
    data.RescaleIntercept = 1024
    put(data, (words(data) - 2048) << 4, "<i2")


def eight_bits(data):
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    data.RescaleSlope = 16
    put(data, words(data) // 16, "u1")


def eight_bits_big_endian(data):
    eight_bits(data)
    big_endian(data)
    pairs = np.frombuffer(data.PixelData, "<u2")
    data.PixelData = pairs.astype(">u2").tobytes()


def thirty_two_bits(data):
    data.BitsAllocated, data.BitsStored, data.HighBit = 32, 32, 31
    put(data, words(data) - 2000, "<i4")
    data.RescaleIntercept = 976


def sixteen_bits_big_endian(data):
    big_endian(data)
    put(data, words(data), ">i2")


def implicit(data):
    data.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian


def overlay_in_the_high_bits(data):
    unsigned(data)
    data.add_new(0x60000010, "US", data.Rows)
    data.add_new(0x60000011, "US", data.Columns)
    data.add_new(0x60000100, "US", 16)
    data.add_new(0x60000102, "US", 12)
    values = words(data)
    put(data, values | (values % 2 << 12))


def twelve_signed_bits(data):
    """Negative values with copies of the sign in the high bits."""
    data.BitsStored, data.HighBit, data.RescaleIntercept = 12, 11, 1024
    put(data, words(data) - 2048, "<i2")


def twelve_signed_bits_alone(data):
    twelve_signed_bits(data)
    put(data, words(data) & 0x0FFF)


def fractions(data):
    data.RescaleSlope, data.RescaleIntercept = 0.25, -1024
    put(data, words(data) * 4)


def values_above_the_field(data):
    unsigned(data)
    put(data, words(data) | 0x2000)


def values_below_the_field(data):
    unsigned(data, high=13)
    put(data, (words(data) << 2) | 1)


def a_field_beyond_the_word(data):
    unsigned(data, high=16)


def beyond_float32(data):
    data.BitsAllocated, data.BitsStored, data.HighBit = 32, 32, 31
    put(data, words(data) + (1 << 26), "<i4")


def floats(data):
    """Values as 32-bit floats, of which CT objects have none by the standard, but some do."""
    values = words(data).astype("<f4")
    del data.PixelData
    data.BitsAllocated = 32
    data.FloatPixelData = values.tobytes()


def a_slope_of_each_slice(data):
    slope = 1 + data.InstanceNumber / 4
    data.RescaleSlope, data.RescaleIntercept = slope, -1000


def packed_into_twelve_bits(data):
    data.BitsAllocated, data.BitsStored, data.HighBit = 12, 12, 11


def a_table_for_hu(data):
    item = Dataset()
    item.LUTDescriptor, item.ModalityLUTType = [4096, 0, 16], "HU"
    item.add_new("LUTData", "OW", bytes(8192))
    data.ModalityLUTSequence = [item]


def no_rescale(data):
    del data.RescaleSlope, data.RescaleIntercept


def a_palette(data):
    data.PhotometricInterpretation = "PALETTE COLOR"


def big_endian(data):
    data.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    data.set_original_encoding(is_implicit_vr=False, is_little_endian=False)


def hu_of(change) -> Callable:
    """Assert the HU that ``change`` should leave."""
    expected = HU.copy()
    if change is with_metal:
        expected[:, 0, 0] = 4095 + maker.INTERCEPT
    if change in (eight_bits, eight_bits_big_endian):
        expected = (HU - maker.INTERCEPT) // 16 * 16 + maker.INTERCEPT
    return holds(expected)


READ = (
    shown_inverted,
    with_metal,
    signed_shown_inverted,
    shifted_by_four,
    shifted_by_two,
    shifted_and_signed,
    eight_bits,
    eight_bits_big_endian,
    floats,
    thirty_two_bits,
    sixteen_bits_big_endian,
    implicit,
    overlay_in_the_high_bits,
    twelve_signed_bits,
    twelve_signed_bits_alone,
    fractions,
)
REFUSED = {
    values_above_the_field: "bits beside their values",
    values_below_the_field: "bits beside their values",
    a_field_beyond_the_word: "12 of 16 bits up to 16",
    beyond_float32: "values 6.7",
    packed_into_twelve_bits: "12 of 12 bits",
    a_table_for_hu: "look-up table for HU",
    no_rescale: "no RescaleSlope and RescaleIntercept",
    a_palette: "pixels stored as PALETTE COLOR",
}
CASES = {
    **{name_of(change): Case(series_with(change), right=hu_of(change)) for change in READ},
    **{name_of(change): Case(series_with(change), line) for change, line in REFUSED.items()},
    "a slope of each slice": Case(
        series_with(a_slope_of_each_slice), right=as_pydicom, noted="differ from slice to slice"
    ),
}
