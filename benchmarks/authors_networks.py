"""The authors' own networks, where a user has cloned their repositories beside this one.

    AUTHORS=FOLDER python benchmarks/tvsrn_speed.py        FOLDER/RPLHR-CT, FOLDER/ACVTT

Nothing of theirs is part of this repository. What their TVSRN imports besides torch and einops (a
configuration that reads files, timm for three small functions) is set here to the values as
released; the copies to a GPU become copies on the CPU.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from thinslice.nets import acvtt_authors, tvsrn_released

RELEASED = {  # config/default.txt of RPLHR-CT
    **{"c_z": 4, "ratio": 5, "T_mlp": 4, "T_pos": True},
    **{"TE_c": 8, "TE_l": 1, "TE_d": 4, "TE_n": 8, "TE_w": 8, "TE_p": 8, "TD_p": 8, "TD_s": 1},
    **{"TD_Tw": 4, "TD_Tl": 1, "TD_Td": 4, "TD_Iw": 8, "TD_Il": 2, "TD_Id": 4, "TD_n": 8},
}
OPTIONS = {  # defaults of scripts/train.py of ACVTT that shape the network
    **{"num_level": 4, "num_channel": 64, "num_block": 2, "kernel_size": 3, "scale": 5},
    **{"num_ref_slices": 3, "shared_ref_enc": True, "transfer_level": [0, 1, 2, 3]},
    **{"num_ref_enc_level": 4, "num_ref_channel": 64, "num_block_ref": 2},
    **{"block_size_per_level": [8, 4, 2, 1], "win_block_size_per_level": [2, 2, 2, 2]},
    **{"apply_attention": True, "attn_softmax": True, "alpha_transf": 1.0, "do_norm": True},
    **{"norm_type_for_attn": "sep_layernorm", "layernorm_affine": True, "layernorm_bias": True},
    **{"norm_order": 1, "norm_dim": -2, "do_proj_qkv": True, "do_proj_after_attn": True},
    **{"num_block_proj_in": 0, "kernel_size_proj_in": 1},
    **{"num_block_proj_out": 0, "kernel_size_proj_out": 1},
    **{"long_skip": True, "output_attention": True, "patch_size": 256},
}


def tvsrn(folder: Path, net: nn.Module, side: int) -> nn.Module:
    """Their TVSRN for ``side`` x ``side`` pixels, with the weights of ours."""
    sys.path.insert(0, str(folder / "RPLHR-CT" / "code"))
    _stand_in("config", opt=SimpleNamespace(**RELEASED, c_y=side, c_x=side))
    _stand_in("timm")
    _stand_in("timm.models")
    _stand_in(
        "timm.models.layers",
        DropPath=_Kept,
        to_2tuple=lambda n: n if isinstance(n, tuple) else (n, n),
        trunc_normal_=nn.init.trunc_normal_,
    )
    torch.Tensor.cuda = lambda self, *_, **__: self.clone()  # type: ignore[method-assign]
    from net.model_TransSR import TVSRN  # type: ignore[import-not-found]

    theirs = TVSRN()
    _load(theirs, net, tvsrn_released.our_name, tvsrn_released.COMPUTED)
    return theirs


def acvtt(folder: Path, net: nn.Module) -> nn.Module:
    """Their ACVTT with the weights of ours: a plane [1, 1, Z, W] and references [R, 1, Y, X]."""
    sys.path.insert(0, str(folder / "ACVTT"))
    from models.ACVTT import ACVTT  # type: ignore[import-not-found]

    theirs: Any = ACVTT(_Options()).eval()
    _load(theirs, net, acvtt_authors.acvtt_name, ())
    return _Interpolated(theirs)


class _Interpolated(nn.Module):
    """Their network for planes that are interpolated already; its answer alone."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, plane: Tensor, references: Tensor) -> Tensor:
        return self.net(plane, references, pre_upsampled=True)["out"]


class _Kept(nn.Identity):
    """Drop path while nothing is dropped."""

    def __init__(self, *_: Any):
        super().__init__()


class _Options:
    """Their command line's options; what is not named is off."""

    def __getattr__(self, name: str) -> Any:
        return OPTIONS.get(name)


def _stand_in(name: str, **contents: Any) -> None:
    module = ModuleType(name)
    module.__dict__.update(contents)
    sys.modules[name] = module


def _load(
    theirs: nn.Module, net: nn.Module, our_name: Callable[[str], str], computed: tuple[str, ...]
) -> None:
    """Our weights under their names; their computed tables stay."""
    ours, state = net.state_dict(), theirs.state_dict()
    given = {n: ours[our_name(n)] for n in state if not n.endswith(computed or "\0")}
    theirs.load_state_dict({**state, **given})
