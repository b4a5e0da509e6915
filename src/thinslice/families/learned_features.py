"""Features of photographs for a network that looks for patches: weights of VGG, from a file."""

from collections.abc import Callable
from pathlib import Path

import torch

from thinslice.errors import Refused
from thinslice.nets.matched import MatchedNet
from thinslice.nets.referenced import ReferencedNet
from thinslice.training import safetensors_file


def features_of(path: str | None) -> Callable[[ReferencedNet], None] | None:
    """What gives an untrained network the features of a safetensors file; None without one.

    Refused, when it is called, for a file that is missing or holds no such layers (``nets.vgg``).
    """
    if path is None:
        return None

    def prepare(net: ReferencedNet) -> None:
        assert isinstance(net, MatchedNet)
        try:
            arrays, _ = safetensors_file.read(Path(path))
        except OSError as error:
            raise Refused(f"vgg {path}: {error.strerror}; give a file, or leave vgg out") from error
        except Refused as error:
            raise Refused(f"vgg {path}: {error}; expected a .safetensors file") from error
        net.seen.use({name: torch.from_numpy(array) for name, array in arrays.items()}, path)

    return prepare
