"""Read weights of others: named tensors, from a file that runs no code.

Files that ``training.weights`` wrote, of another run or of the package, say more: see ``ours``.

Read are .safetensors, NumPy's .npz and PyTorch's own files, the latter with ``weights_only``. A
state dict may stand under one of the usual names (``NESTED``), and every name may start with
``module.``, as of a network that was trained on several GPUs.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import Tensor

from thinslice.errors import Refused
from thinslice.training import safetensors_file
from thinslice.training.weights import HEAD, SAFETENSORS

NESTED = ("state_dict", "model_state_dict", "model", "net", "network", "params")
PARALLEL = "module."
EXPECTED = "expected named tensors, as .safetensors, .npz or a state dict saved by torch.save"
TRUSTED = (
    "where you trust it, make one with its authors' code: "
    "torch.save(torch.load(FILE, weights_only=False).state_dict(), NEW)"
)


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by their names; Refused for any other file, as pickled objects are, and
    for tensors that are not finite."""
    try:
        content = READERS.get(path.suffix, _torch)(path)
    except FileNotFoundError:
        raise Refused(f"{path}: found no file; {EXPECTED}; correct its name") from None
    except UnpicklingError:
        raise Refused(f"{path}: found pickled objects; {EXPECTED}; {TRUSTED}") from None
    except Exception as error:  # a damaged file may raise anything in its reader
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Refused(f"{path}: found no weights ({why}); {EXPECTED}; fetch it again") from error
    tensors = _without_prefix(_tensors(path, content))
    _refuse_no_numbers(path, tensors)
    return tensors


def ours(path: Path) -> bool:
    """Whether a file, whole or not, is one of ``training.weights``, which names its method."""
    try:
        if path.suffix == SAFETENSORS:
            return HEAD in safetensors_file.read(path)[1]
        with zipfile.ZipFile(path) as file:
            return f"{HEAD}.npy" in file.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return False  # ``read`` says why


def _refuse_no_numbers(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Refuse tensors with NaN or infinity: of a training that diverged, or of a torn file."""
    for name, tensor in tensors.items():
        if tensor.layout == torch.strided and not torch.isfinite(tensor).all():
            raise Refused(f"{path}: {name} holds NaN or infinity; {EXPECTED}; fetch it again")


def _safetensors(path: Path) -> Mapping[str, Any]:
    arrays, _ = safetensors_file.read(path)
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _npz(path: Path) -> Mapping[str, Any]:
    with np.load(path, allow_pickle=False) as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays.files}


def _torch(path: Path) -> Any:
    return torch.load(path, map_location="cpu", weights_only=True)


READERS = {".safetensors": _safetensors, ".npz": _npz}


def _tensors(path: Path, content: Any) -> dict[str, Tensor]:
    """A state dict, or the one that a dictionary holds among other things."""
    if _is_state_dict(content):
        return dict(content)
    inside = content if isinstance(content, Mapping) else {}
    states = [inside[name] for name in NESTED if _is_state_dict(inside.get(name))]
    if len(states) != 1:
        names = ", ".join(sorted(map(str, inside))[:8])
        kind = f"a dictionary of {names}" if names else f"a {type(content).__name__}"
        raise Refused(f"{path}: found {kind}; {EXPECTED}; save the network's state dict alone")
    return dict(states[0])


def _is_state_dict(content: Any) -> bool:
    named = isinstance(content, Mapping) and bool(content)
    names = named and all(isinstance(name, str) for name in content)
    return names and all(isinstance(each, Tensor) for each in content.values())


def _without_prefix(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    parallel = all(name.startswith(PARALLEL) for name in tensors)
    return {name.removeprefix(PARALLEL) if parallel else name: t for name, t in tensors.items()}
