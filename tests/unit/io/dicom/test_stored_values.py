"""HU are the stored values by the header's own rescale, or the image is refused by name.

The inputs are in ``support.stored_dicom`` and tried with all others; here is what they rest on.
"""

import numpy as np

from support.stored_codestreams import jpeg_2000_shown_inverted
from support.stored_series import series_with
from thinslice.io.dicom.bit_field import Field, values_in
from thinslice.io.dicom.read import read_dicom


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
    read_dicom(series_with(jpeg_2000_shown_inverted)(tmp_path, None))
    assert capfd.readouterr().err == ""
