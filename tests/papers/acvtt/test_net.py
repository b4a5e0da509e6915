"""Laws of the network that looks at references: what may matter, what may not, and its memory."""

import numpy as np
import pytest
import torch

from thinslice.inference import memory
from thinslice.nets import references
from thinslice.nets.acvtt import ACVTT
from thinslice.nets.grey import STRETCHED
from thinslice.nets.unet import UNet, mirrored
from thinslice.training import seeds


def network(n: int = 3, fusion: references.Fusion = "relevance", **sizes) -> ACVTT:
    """Small, with weights large enough for attention to be decided."""
    with seeds.seeded(7):
        net = ACVTT(**{"channels": 4, "levels": 3, "references": n, "fusion": fusion, **sizes})
        for p in net.parameters():
            if p.ndim > 1:
                torch.nn.init.normal_(p, std=1.4 * p[0].numel() ** -0.5)
        for transfer in net.transfers:
            torch.nn.init.normal_(transfer.norm_query.weight, mean=2.0, std=0.3)
    return net.eval()


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).random(shape, np.float32))


def limited(net: ACVTT, block_bytes: int) -> ACVTT:
    for transfer in net.transfers:
        transfer.block_bytes = block_bytes
    return net


REFS = noise(3, 1, 20, 28, seed=1)
PLANES = noise(2, 1, 24, 16, seed=2)


@torch.inference_mode()
def test_any_size_of_plane_and_of_each_reference_will_do():
    net = network()
    odd = [noise(1, 9, 30), noise(1, 2, 1), noise(1, 13, 13)]
    for size in ((1, 1), (3, 17), (8, 8), (13, 5)):
        y = net(noise(2, 1, *size), odd)
        assert y.shape == (2, 1, *size)
        assert y.isfinite().all()


def test_planes_are_mirrored_at_the_centre_of_their_last_pixel():
    ramp = torch.arange(5.0).view(1, 1, 1, 5)
    assert mirrored(ramp, 8)[0, 0, 0].tolist() == [0, 1, 2, 3, 4, 3, 2, 1]
    assert mirrored(ramp[..., :2], 8)[0, 0, 7].tolist() == [0, 1, 0, 1, 0, 1, 0, 1]
    assert mirrored(ramp[..., :1] + 3, 4).flatten().tolist() == [3] * 16
    assert mirrored(torch.zeros(1, 1, 8, 16), 8).shape == (1, 1, 8, 16)


@torch.inference_mode()
def test_keeping_what_references_offer_changes_nothing():
    net = network()
    referenced = net.with_references(list(REFS))
    torch.testing.assert_close(referenced(PLANES), net(PLANES, REFS), rtol=0, atol=1e-6)
    assert set(referenced.state_dict()) == {f"net.{name}" for name in net.state_dict()}


@pytest.mark.parametrize("fusion", ["relevance", "average"])
def test_the_block_of_attention_changes_nothing_nor_do_its_gradients(fusion):
    answers, gradients = [], []
    for block_bytes in (1, 1000, 2**30):
        net = limited(network(fusion=fusion), block_bytes)
        y = net(PLANES, REFS)
        y.square().mean().backward()
        answers.append(y.detach())
        gradients.append([p.grad for p in net.parameters() if p.grad is not None])
    for y, g in zip(answers[:2], gradients[:2]):
        torch.testing.assert_close(y, answers[2], rtol=0, atol=1e-5)
        torch.testing.assert_close(g, gradients[2], rtol=1e-3, atol=1e-5)


@torch.inference_mode()
def test_a_batch_is_its_planes_one_by_one():
    net = network()
    alone = torch.cat([net(plane[None], REFS) for plane in PLANES])
    torch.testing.assert_close(net(PLANES, REFS), alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize("fusion", ["relevance", "average"])
@torch.inference_mode()
def test_the_order_of_references_means_nothing(fusion):
    net = network(fusion=fusion)
    want = net(PLANES, REFS)
    for order in ([2, 0, 1], [1, 0, 2]):
        torch.testing.assert_close(net(PLANES, REFS[order]), want, rtol=0, atol=1e-5)


@pytest.mark.parametrize("fusion", ["relevance", "average"])
@torch.inference_mode()
def test_a_reference_shown_twice_counts_once(fusion):
    once, twice = network(1, fusion), network(2, fusion)
    want = once(PLANES, REFS[:1])
    torch.testing.assert_close(twice(PLANES, REFS[[0, 0]]), want, rtol=0, atol=1e-5)


@torch.inference_mode()
def test_with_one_reference_relevance_is_the_average_and_with_more_it_is_not():
    one = [network(1, fusion)(PLANES, REFS[:1]) for fusion in ("relevance", "average")]
    torch.testing.assert_close(one[0], one[1], rtol=0, atol=1e-6)
    three = [network(3, fusion)(PLANES, REFS) for fusion in ("relevance", "average")]
    assert (three[0] - three[1]).abs().max() > 1e-3


@torch.inference_mode()
def test_a_query_leans_to_the_reference_that_has_its_like():
    queries = torch.eye(4) * 6
    tokens = [references.ReferenceTokens(-torch.eye(4), torch.zeros(4, 4))]
    tokens.append(references.ReferenceTokens(torch.eye(4), torch.eye(4)))
    found = references.attend(queries, references.offered(tokens), "relevance")
    # Scores there are 6 and 0, here 0 and -6: relevance of about e^6 / (e^6 + 1).
    match = [float((s.softmax(0) * s).sum()) for s in (torch.tensor([-6.0, 0, 0, 0]),
                                                       torch.tensor([6.0, 0, 0, 0]))]  # fmt: skip
    relevance = 1 / (1 + np.exp(match[0] - match[1]))
    share = float(torch.tensor([6.0, 0, 0, 0]).softmax(0)[0])
    torch.testing.assert_close(found.diagonal(), torch.full((4,), relevance * share))
    assert relevance > 0.99


def hiding(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Planes that hide how bright they are, and references that tell."""
    brightness = float(noise(1, seed=seed)) * 0.4
    thick = 0.25 + 0.02 * noise(n, 1, 16, 16, seed=seed + 1000)
    refs = 0.1 + brightness + 0.02 * noise(2, 1, 16, 16, seed=seed + 2000)
    return thick, refs, thick + brightness - 0.2


def test_where_references_hold_the_answer_wrong_ones_cost():
    torch.manual_seed(0)
    net = ACVTT(4, 2, 2, grey=STRETCHED)
    net.rest()
    optimiser = torch.optim.Adam(net.parameters(), lr=5e-3)
    for step in range(200):
        thick, refs, thin = hiding(2, step)
        optimiser.zero_grad()
        torch.nn.functional.mse_loss(net(thick, refs), thin).backward()
        optimiser.step()
    rmse = {"right": 0.0, "wrong": 0.0, "none": 0.0}
    with torch.inference_mode():
        for seed in range(5000, 5010):
            thick, refs, thin = hiding(2, seed)
            _, others, _ = hiding(2, seed + 7)
            for name, answer in (
                ("right", net(thick, refs)), ("wrong", net(thick, others)), ("none", thick)
            ):  # fmt: skip
                rmse[name] += float((answer - thin).square().mean().sqrt()) / 10
    assert rmse["right"] < 0.5 * rmse["none"]
    assert rmse["wrong"] > 1.5 * rmse["right"]


@torch.inference_mode()
def test_without_references_it_is_the_plain_unet():
    net = network(0)
    assert sum(p.numel() for p in net.parameters()) == sum(
        p.numel() for p in UNet(4, 3).parameters()
    )
    torch.testing.assert_close(net(PLANES), net.unet(PLANES), rtol=0, atol=0)


def test_the_number_of_references_adds_no_parameters():
    counts = {sum(p.numel() for p in network(n).parameters()) for n in range(1, 6)}
    assert len(counts) == 1


@pytest.mark.parametrize(("levels", "n"), [(1, 0), (2, 0), (3, 0), (2, 2), (3, 2)])
def test_nothing_beyond_its_reach_matters(levels, n):
    net = network(n, levels=levels, channels=2)
    side = net.align * (2 * net.reach // net.align + 4)
    tokens = 0
    for at in range(side // 2, side // 2 + net.align):
        x = noise(1, 1, side, side).requires_grad_()
        net(x, noise(n, 1, 16, 16))[0, 0, at, at].backward()
        touched = torch.nonzero(x.grad[0, 0])
        tokens = max(tokens, int((touched - at).abs().max()))
    assert 0.6 * net.reach <= tokens <= net.reach


def test_scores_take_no_more_room_however_large_references_grow():
    net = limited(network(2, channels=2), 2**18)
    peaks = []
    for side in (64, 128, 256):
        referenced = net.with_references(list(noise(2, 1, side, side)))
        peaks.append(memory.peak_bytes(referenced, noise(1, 1, 256, 256)))
    # 4,096 queries and as many keys would be 67 MB of scores for each reference.
    assert max(peaks) < min(peaks) + 4 * 2**18
    plain = memory.peak_bytes(network(0, channels=2), noise(1, 1, 256, 256))
    assert max(peaks) < 2 * plain + 8 * 2**18


def test_of_a_reference_that_was_looked_at_only_keys_and_values_stay():
    class Looking(torch.nn.Module):
        def __init__(self, net: ACVTT):
            super().__init__()
            self.net = net

        def forward(self, references_R1YX: torch.Tensor):
            return self.net.encode_references(list(references_R1YX))

    peaks = []
    for n in (1, 4):
        x = noise(n, 1, 64, 64)
        peaks.append(memory.peak_bytes(Looking(network(n)), x) - x.nbytes)
    with torch.no_grad():
        pyramid = network(1).encode_references([noise(1, 64, 64)])
    kept = sum(values.nbytes + keys.nbytes for [keys], values in pyramid)
    twice = 4 * pyramid[0].values.nbytes  # of one level at a time, as they are put together
    assert peaks[1] - peaks[0] <= 3 * kept + twice + 1000


def test_what_is_kept_for_gradients_does_not_grow_with_references():
    """Features and answers are kept for the way back, scores never."""
    net = limited(network(2, channels=2), 2**14)
    totals = []
    for side in (32, 128):
        with torch.no_grad():
            pyramid = net.encode_references(list(noise(2, 1, side, side)))
        kept = 0

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            nonlocal kept
            kept += tensor.nbytes
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            net.correct(noise(1, 1, 96, 96), pyramid).sum()
        totals.append(kept)
    assert totals[1] == totals[0]


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="3 references, found 2"):
        network()(PLANES, REFS[:2])
    with pytest.raises(ValueError, match="'nearest' is none of relevance, average"):
        ACVTT(4, 2, 1, fusion="nearest")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="0 or more"):
        ACVTT(references=-1)
    with pytest.raises(ValueError, match="at least one"):
        UNet(levels=0)
