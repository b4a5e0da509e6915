"""Attention from a plane's features to those of several reference planes, in bounded memory.

A token is a square of ``block`` x ``block`` features. A plane's tokens (queries) look at all tokens
of each reference (keys, values) in turn; how much each reference counts in the answer is decided
for every query by how well it was matched there (relevance), or not at all (average). There is no
code of position: what a token finds does not depend on where it lies, nor on which other tokens
are asked, so a plane may be asked part by part.

Source: multi-reference non-local attention, Uhm et al. (ACVTT), section 3.2, in the form of the
released code: one head, scores scaled by the root of the token's length, layer normalisation of
queries and keys over the whole token. Differs: scores are made for as many queries at a time as
``BLOCK_BYTES`` allow; where gradients are wanted, each part is computed again on the way back.

Shape suffixes: B planes, C features, P Q a plane's axes, N tokens, M keys, D a token's length.
"""

from collections.abc import Sequence
from functools import partial
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle
from torch.utils.checkpoint import checkpoint

Fusion = Literal["relevance", "average"]
BLOCK_BYTES = 16 * 2**20  # no matrix of scores, nor of answers, is larger


class Seen(NamedTuple):
    """What a reference offers at one level."""

    keys: Tensor  # [M, D]
    values: Tensor  # [M, D]


class ReferenceAttention(nn.Module):
    """Adds to a plane's features what references of the same level have for them."""

    def __init__(self, width: int, block: int, fusion: Fusion = "relevance"):
        super().__init__()
        if fusion not in get_args(Fusion):
            raise ValueError(f"fusion {fusion!r} is none of {', '.join(get_args(Fusion))}")
        self.block, self.block_bytes = block, BLOCK_BYTES
        self.fusion: Fusion = fusion
        length = width * block**2
        self.query = nn.Conv2d(width, width, 1)
        self.key = nn.Conv2d(width, width, 1)
        self.value = nn.Conv2d(width, width, 1)
        self.norm_query = nn.LayerNorm(length)
        self.norm_key = nn.LayerNorm(length)
        self.out = nn.Conv2d(width, width, 1)

    def rest(self) -> None:
        """Add nothing, until something is learned."""
        nn.init.zeros_(self.out.weight)
        if self.out.bias is not None:
            nn.init.zeros_(self.out.bias)

    def look_at(self, features_1CPQ: Tensor) -> Seen:
        """Keys and values of one reference; the same for every plane that is asked."""
        keys = self.norm_key(tokens(self.key(features_1CPQ), self.block))
        return Seen(keys[0], tokens(self.value(features_1CPQ), self.block)[0])

    def forward(self, x_BCPQ: Tensor, seen: Sequence[Seen]) -> Tensor:
        """[B, C, P, Q] to the same shape; sizes are multiples of ``block``."""
        queries_BND = self.norm_query(tokens(self.query(x_BCPQ), self.block))
        queries_ND = queries_BND.flatten(0, 1) * queries_BND.shape[-1] ** -0.5
        found_ND = attend(queries_ND, seen, self.fusion, self.block_bytes)
        b, _, p, q = x_BCPQ.shape
        found_BDPQ = found_ND.view(b, p // self.block, q // self.block, -1).permute(0, 3, 1, 2)
        return x_BCPQ + self.out(pixel_shuffle(found_BDPQ, self.block))


def tokens(x_BCPQ: Tensor, block: int) -> Tensor:
    """[B, N, D]: squares of ``block`` x ``block``, each in the order feature, row, column."""
    return pixel_unshuffle(x_BCPQ, block).flatten(2).transpose(1, 2)


def attend(
    queries_ND: Tensor, seen: Sequence[Seen], fusion: Fusion, block_bytes: int = BLOCK_BYTES
) -> Tensor:
    """What the references have for each query, [N, D]; queries come scaled.

    block_bytes   bound of any matrix on the way, as long as one query's row fits
    """
    longest = max(queries_ND.shape[1], *(len(s.keys) for s in seen))
    rows = max(1, block_bytes // (longest * queries_ND.element_size()))
    parts = queries_ND.split(rows)
    again = torch.is_grad_enabled() and len(parts) > 1
    work = partial(checkpoint, _attend, use_reentrant=False) if again else _attend
    return torch.cat([work(part, seen, fusion) for part in parts])


def _attend(queries_ND: Tensor, seen: Sequence[Seen], fusion: Fusion) -> Tensor:
    answers, matches = [], []
    for keys_MD, values_MD in seen:
        scores_NM = queries_ND @ keys_MD.T
        shares_NM = scores_NM.softmax(1)
        answers.append(shares_NM @ values_MD)
        if fusion == "relevance":
            matches.append(torch.einsum("nm,nm->n", shares_NM, scores_NM))
    if fusion == "average":
        return sum(answers[1:], start=answers[0]) / len(answers)
    relevance_NR = torch.stack(matches, 1).softmax(1)
    weighted = [answer * relevance_NR[:, r, None] for r, answer in enumerate(answers)]
    return sum(weighted[1:], start=weighted[0])
