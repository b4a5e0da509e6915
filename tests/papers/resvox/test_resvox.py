"""ResVox begins as linear interpolation; its loss sees steps to all neighbours; adversarial too."""

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from support.seen import columns_seen
from support.textured_pairs import textured
from thinslice.interfaces import Run
from thinslice.methods import resvox
from thinslice.nets.resvox import ResVox, Sizes
from thinslice.training.loop import _Training

RUN = Run(device="cpu", threads=1, progress=False)
TINY = {**resvox.TINY, "steps": 4, "steps_adversarial": 6, "validate_every": 2}


@pytest.mark.parametrize("factor", [1, 2, 3, 5])
@torch.inference_mode()
def test_untrained_it_interpolates_linearly(factor):
    x = torch.rand(2, 1, 4, 6, 5)
    y = ResVox(Sizes(factor, blocks=1, channels=4))(x)
    expected = interpolate(x, (3 * factor + 1, 6, 5), mode="trilinear", align_corners=True)
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-6)


def test_its_halo_is_what_it_sees():
    net = ResVox(Sizes(2, resvox.Settings().blocks, 1))
    assert columns_seen(net, range(40, 41)) == resvox.Settings().halo


def test_the_steps_are_those_to_26_neighbours():
    there_and_back = {
        tuple(sign * d for d in step) for step in resvox.NEIGHBOURS for sign in (-1, 1)
    }
    assert len(there_and_back) == 26
    assert (0, 0, 0) not in there_and_back


@pytest.mark.parametrize("step", [(1, 0, 0), (0, 1, -1), (1, -1, 1)])
def test_a_ramp_has_the_same_slope_everywhere(step):
    slope = torch.tensor([3.0, 2.0, -1.0])
    z, y, x = torch.meshgrid(*(torch.arange(n).float() for n in (4, 5, 6)), indexing="ij")
    ramp = (slope[0] * z + slope[1] * y + slope[2] * x)[None, None]
    along = torch.tensor(step).float()
    expected = float(slope @ along / along.norm())
    found = resvox.stepped(ramp, step)
    assert found.shape[2:] == tuple(n - abs(d) for n, d in zip((4, 5, 6), step))
    torch.testing.assert_close(found, torch.full_like(found, expected))


def test_an_offset_costs_nothing_and_noise_more_than_its_size():
    y = torch.rand(1, 1, 4, 5, 6)
    assert float(resvox.stereo_correlation(y + 0.3, y, "l1")) < 1e-6
    noise = 0.1 * torch.randn(1, 1, 4, 5, 6, generator=torch.Generator().manual_seed(0))
    assert float(resvox.stereo_correlation(y + noise, y, "mse")) > float(noise.square().mean()) / 2


def fitted(work, **settings):
    method = resvox.build(**{**TINY, **settings})
    curve = method.fit([textured(0)], [textured(1)], work=work, run=RUN)
    assert method.net is not None
    return {name: w.numpy() for name, w in method.net.state_dict().items()}, curve


class KilledError(Exception):
    pass


def test_against_a_discriminator_killed_and_run_again_it_ends_with_the_same_bits(
    tmp_path, monkeypatch
):
    """Killed in the second training, after a checkpoint."""
    whole, curve = fitted(tmp_path / "whole")
    stages = [line.split(",")[0] for line in curve.read_text().splitlines()[1:]]
    assert list(dict.fromkeys(stages)) == ["restoration", "adversarial"]
    advance = _Training.advance

    def killed(training: _Training, batch, curve, progress) -> None:
        advance(training, batch, curve, progress)
        if training.rival and training.step == 3:
            training.save(curve)
            raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(_Training, "advance", killed)
        with pytest.raises(KilledError):
            fitted(tmp_path / "killed")
    np.testing.assert_equal(fitted(tmp_path / "killed")[0], whole)


def test_the_second_training_starts_where_the_first_ended_and_changes_it(tmp_path):
    first, _ = fitted(tmp_path / "first", steps_adversarial=0)
    still, _ = fitted(tmp_path / "still", lr_adversarial=1e-12)
    moved, _ = fitted(tmp_path / "moved", lr_adversarial=1e-3)
    for name, weights in first.items():
        np.testing.assert_allclose(still[name], weights, atol=1e-9)
    assert any(np.abs(moved[name] - weights).max() > 1e-4 for name, weights in first.items())
