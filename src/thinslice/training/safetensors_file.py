"""Read and write safetensors files: a JSON head and raw little-endian tensors, no code.

The format: eight bytes with the length of the head; the head, JSON, which gives every tensor's
type, shape and place, and texts by name (``__metadata__``); then the tensors without gaps.
Source: https://github.com/huggingface/safetensors, "Format". Any reader of the format reads what is
written here. A small reader of our own, since a package for it would be one more to install.
"""

import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from thinslice.errors import Refused
from thinslice.fs.atomic import replacing

TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
NAMES = {np.dtype(code): name for name, code in TYPES.items()}
TEXTS = "__metadata__"
LENGTH = 8  # bytes of the head's length
LONGEST = 100_000_000  # bytes of a head, as the format has it


def write(path: Path, tensors: Mapping[str, np.ndarray], texts: Mapping[str, str]) -> None:
    """Write tensors and texts, atomically; the same bytes for the same content.

    TypeError for tensors of other types than ``TYPES``.
    """
    head: dict[str, Any] = {TEXTS: dict(sorted(texts.items()))}
    parts, at = [], 0
    for name, tensor in sorted(tensors.items()):
        kind = tensor.dtype.newbyteorder("<")
        if kind not in NAMES:
            raise TypeError(f"{name!r} is {tensor.dtype}; a file holds {', '.join(TYPES)}")
        data = np.ascontiguousarray(tensor, kind).tobytes()
        place = {"shape": list(tensor.shape), "data_offsets": [at, at + len(data)]}
        head[name] = {"dtype": NAMES[kind], **place}
        parts.append(data)
        at += len(data)
    text = json.dumps(head, separators=(",", ":")).encode()
    text += b" " * (-len(text) % LENGTH)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_bytes(len(text).to_bytes(LENGTH, "little") + text + b"".join(parts))


def read(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Tensors and texts by name; Refused (a ValueError) for a file that contradicts itself."""
    data = path.read_bytes()
    length = int.from_bytes(data[:LENGTH], "little")
    if len(data) < LENGTH or length > min(LONGEST, len(data) - LENGTH):
        raise Refused(f"a head of {length} bytes in a file of {len(data)}")
    try:
        head = json.loads(data[LENGTH : LENGTH + length])
        texts = {str(key): str(text) for key, text in head.pop(TEXTS, {}).items()}
        places = {name: _place(entry) for name, entry in head.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Refused(f"its head is no list of tensors ({error})") from error
    return _tensors(places, memoryview(data)[LENGTH + length :]), texts


def _place(entry: Mapping[str, Any]) -> tuple[np.dtype, tuple[int, ...], int, int]:
    """Type, shape, first byte and end of one tensor."""
    first, end = _whole(entry["data_offsets"])
    return np.dtype(TYPES[entry["dtype"]]), _whole(entry["shape"]), first, end


def _whole(numbers: Any) -> tuple[int, ...]:
    """Whole numbers that fit into an array's index, as JSON writes them; else TypeError."""
    if any(type(number) is not int or abs(number) > sys.maxsize for number in numbers):
        raise TypeError(f"{numbers} are not all whole numbers")
    return tuple(numbers)


def _tensors(
    places: Mapping[str, tuple[np.dtype, tuple[int, ...], int, int]], data: memoryview
) -> dict[str, np.ndarray]:
    """The tensors, which must fill the data without gaps."""
    tensors, at = {}, 0
    for name, (kind, shape, first, end) in sorted(places.items(), key=lambda item: item[1][2:]):
        if (
            min(shape, default=1) < 0
            or first != at
            or end - first != kind.itemsize * math.prod(shape)
        ):
            raise Refused(f"tensor {name!r} lies at {first} to {end}, which does not fit {shape}")
        at = end
        if end <= len(data):
            tensors[name] = np.frombuffer(data[first:end], kind).reshape(shape).copy()
    if at != len(data):
        raise Refused(f"{len(data)} bytes of tensors, expected {at}")
    return tensors
