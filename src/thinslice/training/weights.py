"""Weights files: no pickle, the same bytes for the same weights.

The file is a NumPy .npz of the network's tensors and one JSON text: which method they belong to,
the settings that shape its network, and what the caller wishes to say of them. Where its name ends
in .safetensors it is such a file, for other programs to read, with the text among its metadata.
Reading either runs no code and needs no torch, and a changed byte is found by a checksum.
"""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from thinslice.errors import Refused
from thinslice.fs.atomic import replacing
from thinslice.training import safetensors_file

SAFETENSORS = ".safetensors"
SHA256 = "thinslice_sha256"  # of the text and the tensors; .npz has checksums of its own
HEAD = "thinslice_weights"  # no tensor of a network is called so
VERSION = 1
FIELDS = {"method": str, "network": dict, "about": dict}  # of the text, besides its version


def save(
    path: Path, net: nn.Module, *, method: str, network: Mapping[str, Any], about: Mapping[str, Any]
) -> None:
    """Write the weights of ``net`` to ``path``, atomically, in the format that its name asks for.

    network   the settings without which the weights mean nothing; ``load`` compares them
    about     anything JSON; ``load`` returns it
    """
    head = {"version": VERSION, "method": method, "network": network, "about": about}
    _write(path, head, _arrays(net))


def pack(path: Path, out: Path, about: Mapping[str, Any]) -> None:
    """Write the weights of a file to another, e.g. as .safetensors; ``about`` is added to theirs.

    Refused for what is no weights file.
    """
    head, arrays = _read(path)
    _write(out, {**head, "about": {**head["about"], **about}}, arrays)


def load(path: Path, net: nn.Module, *, method: str, network: Mapping[str, Any]) -> dict[str, Any]:
    """Put the weights of ``path`` into ``net``; returns the ``about`` they were saved with.

    Refused (a ValueError) if the file is damaged, is no weights file, or is of another method,
    other network settings or other tensor shapes. ``net`` is changed only when everything fits.
    """
    head, arrays = _read_of(path, method)
    wanted = json.loads(json.dumps(network))
    if head["network"] != wanted:
        raise Refused(
            f"{path}: trained with {_differing(head['network'], wanted)}; "
            "restore with the same settings, or train again"
        )
    _fits(path, arrays, net)
    net.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    return head["about"]


def network(path: Path, *, method: str) -> dict[str, Any]:
    """The network settings a file was saved with; refuses what ``load`` refuses of a file.

    For methods whose network is shaped by their training data, and built when it is known.
    """
    return _read_of(path, method)[0]["network"]


def head(path: Path) -> dict[str, Any]:
    """Method, network settings and notes of a weights file; refuses any other file."""
    return _read(path)[0]


def digest(path: Path) -> str:
    """Hash of the tensors alone: names, types, shapes, values; not of ``about``."""
    return _digest(_read(path)[1])


def digest_of(net: nn.Module) -> str:
    """The same hash of a network's tensors."""
    return _digest(_arrays(net))


def _arrays(net: nn.Module) -> dict[str, np.ndarray]:
    return {name: tensor.detach().cpu().numpy() for name, tensor in net.state_dict().items()}


def _digest(arrays: Mapping[str, np.ndarray], text: str = "") -> str:
    found = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        found.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def _write(path: Path, head: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    text = json.dumps(head, sort_keys=True)
    if path.suffix == SAFETENSORS:
        safetensors_file.write(path, arrays, {HEAD: text, SHA256: _digest(arrays, text)})
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, open(temporary, "wb") as file:
        entry = np.frombuffer(text.encode(), np.uint8)
        np.savez(file, allow_pickle=False, **{HEAD: entry}, **arrays)


def _read_of(path: Path, method: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    head, arrays = _read(path)
    if head["method"] != method:
        raise Refused(f"{path} holds weights of {head['method']!r}, not of {method!r}")
    return head, arrays


def _read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    try:
        text, arrays = (_safetensors if path.suffix == SAFETENSORS else _npz)(path)
        head = json.loads(text)
    except FileNotFoundError:
        raise
    except (zipfile.BadZipFile, EOFError, OSError, KeyError, ValueError, RuntimeError) as error:
        raise Refused(f"{path} is not a whole weights file of thinslice: {error}") from error
    _refuse_others(path, head)
    return head, arrays


def _refuse_others(path: Path, head: Any) -> None:
    """Refuse a text that is none of ours, before anything is looked up in it."""
    if not isinstance(head, dict) or "version" not in head:
        raise Refused(f"{path} is no weights file of thinslice: its text {HEAD!r} has no version")
    if head["version"] != VERSION:
        raise Refused(f"{path} has format {head['version']}; this is format {VERSION}")
    for name, kind in FIELDS.items():
        if not isinstance(head.get(name), kind):
            expected = "an object" if kind is dict else "a text"
            raise Refused(
                f"{path} is no whole weights file of thinslice: {name!r} is not {expected}"
            )


def _npz(path: Path) -> tuple[bytes, dict[str, np.ndarray]]:
    with zipfile.ZipFile(path) as file:
        names = [name.removesuffix(".npy") for name in file.namelist()]
    if HEAD not in names:
        raise Refused(f"it has no entry {HEAD!r}")
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in names}
    return arrays.pop(HEAD).tobytes(), arrays


def _safetensors(path: Path) -> tuple[str, dict[str, np.ndarray]]:
    arrays, texts = safetensors_file.read(path)
    if HEAD not in texts:
        raise Refused(f"it has no text {HEAD!r}")
    if texts.get(SHA256) != _digest(arrays, texts[HEAD]):
        raise Refused("its checksum does not hold")
    return texts[HEAD], arrays


def _differing(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    names = sorted(k for k in {*found, *wanted} if found.get(k) != wanted.get(k))
    return ", ".join(f"{k} {found.get(k)!r} where {wanted.get(k)!r} was expected" for k in names)


def _fits(path: Path, arrays: Mapping[str, np.ndarray], net: nn.Module) -> None:
    wanted = {name: tuple(t.shape) for name, t in net.state_dict().items()}
    found = {name: array.shape for name, array in arrays.items()}
    for name in sorted({*wanted, *found}):
        if wanted.get(name) != found.get(name):
            raise Refused(
                f"{path}: tensor {name!r} is {found.get(name)}, the network has {wanted.get(name)}"
            )
