"""Decode one compressed image by GDCM, as the bare numbers that its codestream holds.

GDCM sees a copy of the image with the shortest header that is true of the codestream: no rescale,
no look-up table, no photometric interpretation but MONOCHROME2, of which it would make something.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, SecondaryCaptureImageStorage

from thinslice.io.dicom.codestream import Codestream

STDERR = 2
UID_OF_COPY = UID("2.25.1")


class Undecodable(Exception):  # noqa: N818 - a reason, which the caller turns into a refusal
    """Why GDCM cannot decode an image."""


def decoded(content: bytes, image: Codestream, syntax: UID) -> np.ndarray:
    """Integers [row, column] of one codestream; raises Undecodable."""
    import SimpleITK  # only where an image is compressed: it takes long to load

    with tempfile.TemporaryDirectory(prefix="thinslice-") as folder:
        file = Path(folder, "image.dcm")
        _copy(content, image, syntax).save_as(file, enforce_file_format=True)
        try:
            with _silent():
                image_read = SimpleITK.ReadImage(str(file), imageIO="GDCMImageIO")
        except RuntimeError as error:
            raise Undecodable(str(error).strip().splitlines()[-1].strip()) from error
    pixels = SimpleITK.GetArrayFromImage(image_read)
    pixels = pixels[0] if pixels.ndim == 3 else pixels
    if pixels.shape != (image.rows, image.columns) or pixels.dtype.kind not in "iu":
        raise Undecodable(f"decoded as {pixels.shape} of {pixels.dtype}")
    return pixels


def _copy(content: bytes, image: Codestream, syntax: UID) -> Dataset:
    """A file of this image alone, described as the codestream describes itself."""
    meta, data = FileMetaDataset(), Dataset()
    meta.MediaStorageSOPClassUID = data.SOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = UID_OF_COPY
    meta.TransferSyntaxUID = syntax
    data.file_meta = meta
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = image.rows, image.columns
    data.BitsAllocated = 8 if image.bits <= 8 else 16 if image.bits <= 16 else 32
    data.BitsStored, data.HighBit = image.bits, image.bits - 1
    data.PixelRepresentation = int(image.signed)
    data.PixelData = encapsulate([content])
    data["PixelData"].VR = "OB"
    return data


@contextmanager
def _silent() -> Iterator[None]:
    """Keep the remarks of the decoders' C code off stderr: what they mean for values is checked."""
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        usual = os.dup(STDERR)
    except OSError:  # closed, as in a daemon
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, STDERR)
        yield
    finally:
        os.dup2(usual, STDERR)
        os.close(usual)
        os.close(nowhere)
