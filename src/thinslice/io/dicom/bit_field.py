"""Values in the bits of stored words: BitsStored of them below HighBit, signed or not (PS3.5 8.1).

The bits beside the field hold nothing, copies of the sign, or overlays that the header declares.
Anything else there means that the header is not that of the pixels.
"""

from typing import NamedTuple

import numpy as np
from pydicom.dataset import Dataset

OVERLAYS = range(0x6000, 0x6020, 2)  # groups


class Field(NamedTuple):
    """Where in a word a value lies."""

    stored: int  # bits
    high: int  # position of the highest bit
    signed: bool

    @property
    def words(self) -> str:
        """Its description in messages."""
        return f"BitsStored {self.stored}, HighBit {self.high}, {self.sign}"

    @property
    def sign(self) -> str:
        """Its sign in words."""
        return "signed" if self.signed else "unsigned"


def field_of(data: Dataset) -> Field:
    """The field that a header states."""
    signed = int(data.PixelRepresentation) == 1
    return Field(int(data.BitsStored), int(data.HighBit), signed)


def overlay_bits(data: Dataset) -> int:
    """A mask of the bits in which overlays lie (retired in 2004, still seen)."""
    mask = 0
    for group in OVERLAYS:
        allocated, position = data.get((group, 0x0100)), data.get((group, 0x0102))
        embedded = allocated is not None and position is not None and (group, 0x3000) not in data
        if embedded and int(allocated.value) == int(data.BitsAllocated):
            mask |= 1 << int(position.value)
    return mask


def values_in(words: np.ndarray, field: Field, *, ignored: int = 0) -> np.ndarray | None:
    """int64 values of unsigned words; None where the bits beside the field hold something.

    ignored   mask of bits that may hold anything, such as overlays
    """
    wide = words.astype(np.int64)
    shift = field.high - field.stored + 1
    mask = (1 << field.stored) - 1
    values = (wide >> shift) & mask
    every = (1 << 8 * words.dtype.itemsize) - 1
    beside = wide & every & ~(mask << shift) & ~ignored
    if field.signed:
        negative = values >= 1 << (field.stored - 1)
        values = np.where(negative, values - (1 << field.stored), values)
        copies = every & ~((1 << (field.high + 1)) - 1) & ~ignored
        beside = np.where(negative & (beside == copies), 0, beside)
    return None if beside.any() else values
