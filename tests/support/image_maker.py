"""NRRD and MetaImage files of the synthetic scan, written by hand: no library in between."""

import gzip
import zlib
from pathlib import Path

import numpy as np

from support.nifti_maker import scan_ras
from support.reading_law import at_places

SIDES = {"left-posterior-superior": (-1, -1, 1), "right-anterior-superior": (1, 1, 1)}
NRRD_TYPES = {"int16": "short", "uint16": "ushort", "float32": "float", "float64": "double"}
NRRD_TYPES |= {"uint8": "uchar", "int32": "int", "complex64": "float"}
META_TYPES = {"int16": "MET_SHORT", "uint16": "MET_USHORT", "float32": "MET_FLOAT"}
META_TYPES |= {"uint8": "MET_UCHAR", "float64": "MET_DOUBLE", "int32": "MET_INT"}


def as_made(_, found):
    """Every voxel of ``scan_ras`` at its place."""
    at_places(found, *scan_ras())


def vector(numbers) -> str:
    return f"({','.join(f'{n:.10g}' for n in numbers)})"


def nrrd(
    path: Path,
    values=None,
    affine=None,
    *,
    space="left-posterior-superior",
    encoding="gzip",
    endian="little",
    extra=(),
    drop=(),
    keep=None,
    data_file=None,
) -> Path:
    """Write ``values`` [x, y, z]; ``extra`` lines, ``drop`` fields, ``keep`` bytes of voxels."""
    whole, square = scan_ras()
    values = whole if values is None else values
    ours = np.diag([*SIDES.get(space, (1, 1, 1)), 1]) @ (square if affine is None else affine)
    fields = {
        "type": NRRD_TYPES[str(values.dtype)],
        "dimension": str(values.ndim),
        "space": space,
        "sizes": " ".join(map(str, values.shape)),
        "space directions": " ".join(vector(ours[:3, k]) for k in range(3)),
        "space origin": vector(ours[:3, 3]),
        "endian": endian,
        "encoding": encoding,
    }
    lines = [f"{key}: {value}" for key, value in fields.items() if key not in drop]
    swapped = values.astype(values.dtype.newbyteorder("<" if endian == "little" else ">"))
    data = swapped.tobytes(order="F")
    data = (gzip.compress(data, mtime=0) if encoding == "gzip" else data)[:keep]
    lines += [*extra, *([f"data file: {data_file}"] if data_file else [])]
    head = "NRRD0004\n" + "\n".join(lines) + "\n"
    if data_file:
        (path.parent / data_file).write_bytes(data)
        path.write_bytes(head.encode())
    else:
        path.write_bytes(head.encode() + b"\n" + data)
    return path


def meta(
    path: Path, values=None, affine=None, *, packed=True, keep=None, data_file=None, **changed
) -> Path:
    """Write ``values`` [x, y, z]; ``changed`` lines of the header, None to leave one out."""
    whole, square = scan_ras()
    values = whole if values is None else values
    ours = np.diag([-1, -1, 1, 1]) @ (square if affine is None else affine)
    spacing = np.linalg.norm(ours[:3, :3], axis=0)
    data = values.tobytes(order="F")
    data = zlib.compress(data) if packed else data
    fields = {
        "ObjectType": "Image",
        "NDims": str(values.ndim),
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "CompressedData": str(packed),
        "CompressedDataSize": str(len(data)) if packed else None,
        "TransformMatrix": " ".join(f"{n:.10g}" for n in (ours[:3, :3] / spacing).T.ravel()),
        "Offset": " ".join(f"{n:.10g}" for n in ours[:3, 3]),
        "CenterOfRotation": "0 0 0",
        "ElementSpacing": " ".join(f"{n:.10g}" for n in spacing),
        "DimSize": " ".join(map(str, values.shape)),
        "ElementType": META_TYPES.get(str(values.dtype), "MET_OTHER"),
        **changed,
        "ElementDataFile": data_file or "LOCAL",
    }
    head = "".join(f"{key} = {value}\n" for key, value in fields.items() if value is not None)
    if data_file:
        (path.parent / data_file).write_bytes(data[:keep])
        path.write_bytes(head.encode())
    else:
        path.write_bytes(head.encode() + data[:keep])
    return path
