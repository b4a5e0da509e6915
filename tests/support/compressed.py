"""Compress the pixels of synthetic DICOM images, also wrongly."""

import io
import tempfile
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK
from PIL import Image
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, JPEGLosslessSV1

SIZ_BITS = 42  # where a JPEG 2000 codestream says how many bits, and in the first of them the sign


def jpeg_2000(data: FileDataset, *, signed: bool) -> None:
    """Store the 16-bit words of ``data`` in a codestream that says signed or unsigned.

    Its values are those of the words, read as int16 or uint16; the file's header stays as it is.
    """
    words = np.frombuffer(data.PixelData, "<u2").reshape(data.Rows, data.Columns)
    shifted = words ^ 0x8000 if signed else words  # a signed codestream is shifted by half
    out = io.BytesIO()
    Image.fromarray(shifted).save(out, "JPEG2000", no_jp2=True)
    content = bytearray(out.getvalue())
    assert content[SIZ_BITS] == 15
    content[SIZ_BITS] |= 0x80 * signed
    _put(data, bytes(content), JPEG2000Lossless)


def jpeg_lossless(data: FileDataset) -> None:
    """Store the words of ``data`` as lossless JPEG of 16 bits."""
    words = np.frombuffer(data.PixelData, "<u2").reshape(data.Rows, data.Columns)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "x.dcm")
        writer = SimpleITK.ImageFileWriter()
        writer.SetImageIO("GDCMImageIO")
        writer.UseCompressionOn()
        writer.SetCompressor("JPEG")
        writer.SetFileName(str(file))
        writer.Execute(SimpleITK.GetImageFromArray(words))
        written = pydicom.dcmread(file)
    assert written.file_meta.TransferSyntaxUID == JPEGLosslessSV1
    (content,) = generate_frames(written.PixelData, number_of_frames=1)
    _put(data, content, JPEGLosslessSV1)


def jpeg_baseline(data: FileDataset) -> None:
    """Store the bytes of ``data`` as JPEG, with loss."""
    pixels = np.frombuffer(data.PixelData, "u1").reshape(data.Rows, data.Columns)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=95)
    _put(data, out.getvalue(), JPEGBaseline8Bit)


def _put(data: FileDataset, content: bytes, syntax: str) -> None:
    data.file_meta.TransferSyntaxUID = syntax
    data.PixelData = encapsulate([content])
    data["PixelData"].VR = "OB"
    data["PixelData"].is_undefined_length = True
