"""DICOM series in codestreams, which have headers of their own: JPEG, JPEG 2000, run lengths."""

import numpy as np
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, RLELossless

from support import compressed
from support.reading_law import Case
from support.stored_bits import (
    eight_bits,
    shifted,
    shown_inverted,
    twelve_signed_bits,
)
from support.stored_series import HU, holds, name_of, put, series_with, unsigned, words


def run_lengths(data):
    shown_inverted(data)
    data.compress(RLELossless)


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


def eight_bit_jpeg(data):
    eight_bits(data)
    compressed.jpeg_baseline(data)


def no_codestream(data):
    unsigned(data)
    data.file_meta.TransferSyntaxUID = JPEG2000Lossless
    data.PixelData = encapsulate([b"not a codestream" * 99])
    data["PixelData"].VR, data["PixelData"].is_undefined_length = "OB", True


def two_codestreams(data):
    jpeg_lossless(data)
    data.PixelData += b""
    data.NumberOfFrames = 2


def jpeg_named_jpeg_2000(data):
    jpeg_lossless(data)
    data.file_meta.TransferSyntaxUID = JPEG2000Lossless


def nearly(path, found):
    """Lossy: within a few of the 16 HU of a grey value."""
    assert np.abs(found.volume.voxels - HU).mean() < 100
    assert found.source["lossy"] is True


READ = (
    run_lengths,
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
REFUSED = {
    signed_jpeg_2000_under_an_unsigned_header: "signed 16-bit compression .* says unsigned",
    unsigned_jpeg_2000_under_a_signed_header: "unsigned 16-bit compression .* says signed",
    more_bits_in_jpeg_than_in_the_header: "16-bit compression .* says unsigned, 10 bits",
    shifted_and_compressed: "HighBit 15 with BitsStored 12 in a compressed image",
    another_size_in_the_codestream: "a compressed image of 40 x 48 x 1",
    no_codestream: "cannot be decoded",
    two_codestreams: "multi-frame image without per-frame geometry",
    jpeg_named_jpeg_2000: "cannot be decoded",
}
CASES = {
    **{name_of(change): Case(series_with(change), right=holds(HU)) for change in READ},
    **{name_of(change): Case(series_with(change), line) for change, line in REFUSED.items()},
    "lossy JPEG of eight bits": Case(series_with(eight_bit_jpeg), right=nearly),
}
