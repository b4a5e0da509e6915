"""HU are the stored values by the header's own rescale, or the image is refused by name.

Stored values are where the header says (BitsStored, HighBit), of the sign it says; how they shall
be shown (MONOCHROME1) changes nothing.
"""

import numpy as np
import pytest
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, RLELossless

from support import compressed
from support import dicom_maker as maker
from thinslice.errors import Refused
from thinslice.io.dicom.bit_field import Field, values_in
from thinslice.io.dicom.read import read_dicom

HU = maker.scan_hu(3, 40, 48) % 3000 - 1000
PLACES = maker.positions_of(3, 5.0)


def words(data):
    return np.frombuffer(data.PixelData, "<i2").astype(np.int64)


def put(data, values, kind="<u2"):
    data.PixelData = values.astype(kind).tobytes()


def unsigned(data, stored=12, high=None):
    data.BitsStored, data.HighBit, data.PixelRepresentation = stored, stored - 1, 0
    data.HighBit = high or stored - 1


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


def run_lengths(data):
    shown_inverted(data)
    data.compress(RLELossless)


def shifted(by):
    def change(data):
        unsigned(data, high=11 + by)
        put(data, words(data) << by)

    return change


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


def big_endian(data):
    data.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    data.set_original_encoding(is_implicit_vr=False, is_little_endian=False)


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


def as_jpeg_2000(data):
    compressed.jpeg_2000(data, signed=True)


def unsigned_jpeg_2000(data):
    unsigned(data)
    compressed.jpeg_2000(data, signed=False)


def signed_jpeg_2000_of_positive_values(data):
    unsigned(data)
    compressed.jpeg_2000(data, signed=True)


def unsigned_jpeg_2000_of_small_values(data):
    compressed.jpeg_2000(data, signed=False)


def jpeg_2000_shown_inverted(data):
    shown_inverted(data)
    compressed.jpeg_2000(data, signed=False)


def jpeg_lossless(data):
    unsigned(data)
    compressed.jpeg_lossless(data)


def jpeg_lossless_shown_inverted(data):
    shown_inverted(data)
    compressed.jpeg_lossless(data)


def signed_jpeg_lossless(data):
    data.RescaleIntercept = 1024
    put(data, words(data) - 2048, "<i2")
    compressed.jpeg_lossless(data)


def signed_jpeg_lossless_of_twelve_bits(data):
    twelve_signed_bits(data)
    compressed.jpeg_lossless(data)


READ = (
    shown_inverted,
    with_metal,
    signed_shown_inverted,
    run_lengths,
    shifted(4),
    shifted(2),
    shifted_and_signed,
    eight_bits,
    eight_bits_big_endian,
    thirty_two_bits,
    sixteen_bits_big_endian,
    implicit,
    overlay_in_the_high_bits,
    twelve_signed_bits,
    twelve_signed_bits_alone,
    fractions,
    as_jpeg_2000,
    unsigned_jpeg_2000,
    signed_jpeg_2000_of_positive_values,
    unsigned_jpeg_2000_of_small_values,
    jpeg_2000_shown_inverted,
    jpeg_lossless,
    jpeg_lossless_shown_inverted,
    signed_jpeg_lossless,
    signed_jpeg_lossless_of_twelve_bits,
)


def series_with(folder, change):
    return maker.series(folder / "s", HU, PLACES, change=lambda k, data: change(data))


@pytest.mark.parametrize("change", READ, ids=lambda change: change.__qualname__)
def test_hu_are_those_that_were_stored(tmp_path, change):
    expected = HU.copy()
    if change is with_metal:
        expected[:, 0, 0] = 4095 + maker.INTERCEPT
    if change in (eight_bits, eight_bits_big_endian):
        expected = (HU - maker.INTERCEPT) // 16 * 16 + maker.INTERCEPT
    volume = read_dicom(series_with(tmp_path, change)).volume
    np.testing.assert_array_equal(volume.voxels, expected)


def values_above_the_field(data):
    unsigned(data)
    put(data, words(data) | 0x2000)


def values_below_the_field(data):
    unsigned(data, high=13)
    put(data, (words(data) << 2) | 1)


def a_field_beyond_the_word(data):
    unsigned(data, high=16)


def signed_jpeg_2000_under_an_unsigned_header(data):
    put(data, words(data) - 2000, "<i2")
    unsigned(data, stored=16)
    compressed.jpeg_2000(data, signed=True)


def unsigned_jpeg_2000_under_a_signed_header(data):
    put(data, words(data) - 2000, "<i2")
    compressed.jpeg_2000(data, signed=False)


def more_bits_in_jpeg_than_in_the_header(data):
    unsigned(data, stored=10)
    compressed.jpeg_lossless(data)


def shifted_and_compressed(data):
    shifted(4)(data)
    compressed.jpeg_lossless(data)


def another_size_in_the_codestream(data):
    unsigned(data)
    compressed.jpeg_lossless(data)
    data.Rows, data.Columns = 48, 40


def beyond_float32(data):
    data.BitsAllocated, data.BitsStored, data.HighBit = 32, 32, 31
    put(data, words(data) + (1 << 26), "<i4")


REFUSED = {
    values_above_the_field: "bits beside their values",
    values_below_the_field: "bits beside their values",
    a_field_beyond_the_word: "12 of 16 bits up to 16",
    signed_jpeg_2000_under_an_unsigned_header: "signed 16-bit compression .* says unsigned",
    unsigned_jpeg_2000_under_a_signed_header: "unsigned 16-bit compression .* says signed",
    more_bits_in_jpeg_than_in_the_header: "16-bit compression .* says unsigned, 10 bits",
    shifted_and_compressed: "HighBit 15 with BitsStored 12 in a compressed image",
    another_size_in_the_codestream: "a compressed image of 40 x 48 x 1",
    beyond_float32: "values 6.7",
}


@pytest.mark.parametrize("change", REFUSED, ids=lambda change: change.__name__)
def test_what_is_not_exact_is_refused(tmp_path, change):
    with pytest.raises(Refused, match=REFUSED[change]):
        read_dicom(series_with(tmp_path, change))


def test_the_bits_of_a_field():
    def in_field(word, *field):
        values = values_in(np.array([word], np.uint16), Field(*field))
        return None if values is None else int(values[0])

    assert in_field(0x0FFF, 12, 11, False) == 4095
    assert in_field(0x0FFF, 12, 11, True) == -1
    assert in_field(0xFFFF, 12, 11, True) == -1
    assert in_field(0xFFFF, 12, 11, False) is None
    assert in_field(0xFFF0, 12, 15, True) == -1
    assert in_field(0xF7FF, 12, 11, True) is None  # copies of no sign
    assert in_field(0x8000, 16, 15, True) == -32768


def test_decoders_write_nothing_to_stderr(tmp_path, capfd):
    read_dicom(series_with(tmp_path, jpeg_2000_shown_inverted))
    assert capfd.readouterr().err == ""
