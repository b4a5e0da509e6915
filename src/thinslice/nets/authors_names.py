"""Tensors of the authors' networks under the names of ours."""

from collections.abc import Callable, Mapping

from torch import Tensor


def renamed(
    theirs: Mapping[str, Tensor],
    our_name: Callable[[str], str],
    *,
    computed: tuple[str, ...],
    network: str,
) -> dict[str, Tensor]:
    """The authors' state dict under our names; ValueError for unknown tensors.

    our_name   KeyError for a name that is none of the network's
    computed   endings of tables that follow from the architecture, which are left out

    ``load_state_dict`` of the result refuses missing tensors, so both must match exactly.
    """
    ours, unknown = {}, []
    for name, tensor in theirs.items():
        if name.endswith(computed):
            continue
        try:
            ours[our_name(name)] = tensor
        except KeyError:
            unknown.append(name)
    if unknown:
        examples = ", ".join(unknown[:5])
        raise ValueError(f"{len(unknown)} tensors have no place in {network}: {examples}")
    return ours
