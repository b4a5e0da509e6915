"""A segmenter of thin scans: fitted on the thin training cases, then applied to restored scans.

This is the seam of another one, such as nnU-Net's (``nnunet``): ``save`` writes one file, ``load``
reads it, ``segment`` gives a label map of a volume.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from thinslice.errors import Refused
from thinslice.interfaces import Run
from thinslice.nets.unet3d import UNet3D
from thinslice.segmentation.crops import Crops, Labelled
from thinslice.segmentation.settings import Settings, settings_of
from thinslice.training import validation, weights
from thinslice.training.batches import to_device
from thinslice.training.loop import Trained, train
from thinslice.training.plan import Plan
from thinslice.training.seeds import seeded
from thinslice.volume import Volume

METHOD = "segmenter"
CORE = 128  # voxels along an axis that are answered at once
CLIP_NORM = 5.0  # of the gradient
RAREST = 1e-5  # share of voxels that a rarer label counts as


class Segmenter:
    """A network and what it finds; ``load`` reads one, ``fit`` makes one."""

    def __init__(self, structures: Sequence[str], settings: Settings):
        self.structures, self.settings = tuple(structures), settings
        with seeded(settings.seed):
            self.net = UNet3D(len(structures) + 1, settings.channels, settings.levels)
        self.net.eval()

    @classmethod
    def load(cls, path: Path) -> "Segmenter":
        """The segmenter in a file; Refused for any other file."""
        network = weights.network(path, method=METHOD)
        segmenter = cls(network["structures"], settings_of(network["settings"]))
        weights.load(path, segmenter.net, method=METHOD, network=network)
        return segmenter

    def save(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write it to one file."""
        network = {"structures": list(self.structures), "settings": asdict(self.settings)}
        weights.save(path, self.net, method=METHOD, network=network, about=about)

    def fit(
        self, scans: Sequence[Labelled], val: Sequence[Labelled], *, work: Path, run: Run
    ) -> Trained:
        """Learn from thin scans, resuming from checkpoints in ``work``."""
        if not scans:
            raise Refused("no training case has labels: nothing to fit a segmenter on")
        s, n = self.settings, len(self.structures)
        crops = Crops(scans, n, s)
        fixed = validation.fixed(Crops(val, n, s), s.val_batches, s.seed) if val else []
        shares = torch.tensor(crops.shares()).clamp(min=RAREST)
        self._start_at(shares)
        learned = partial(loss, weights=_evened(shares))
        plan = Plan(
            steps=s.steps,
            lr=s.lr,
            schedule="cosine",
            warmup=s.steps // 10,
            clip_norm=CLIP_NORM,
            seed=s.seed,
            validate_every=s.validate_every,
        )

        def judge() -> float:
            device = next(self.net.parameters()).device
            values = [learned(self.net, to_device(batch, device)) for batch in fixed]
            return float(torch.stack(values).mean())

        key = f"segmenter {asdict(s)} {self.structures}"
        how = {"validate": judge if fixed else None, "run": run, "key": key}
        return train(self.net, crops, learned, plan, work=work, **how)

    @torch.no_grad()
    def _start_at(self, shares: Tensor) -> None:
        """Let an unfitted network answer every voxel by how frequent each label is, as weighted."""
        bias = self.net.tail.bias
        assert bias is not None
        bias.copy_((shares * _evened(shares)).log())

    def to(self, device: torch.device) -> "Segmenter":
        """Itself, its network on a device."""
        self.net.to(device)
        return self

    def segment(self, volume: Volume) -> np.ndarray:
        """Labels uint8 [Z, Y, X] of a CT, block by block; the same whatever the blocks."""
        if volume.modality != "CT":
            raise Refused(f"a segmenter of CT was given {volume.modality}")
        low, high = self.settings.window_hu
        unit = np.clip((volume.voxels - low) / (high - low), 0, 1).astype(np.float32)
        labels = np.zeros(unit.shape, np.uint8)
        for starts in np.ndindex(*(-(-n // CORE) for n in unit.shape)):
            core = [slice(k * CORE, min((k + 1) * CORE, n)) for k, n in zip(starts, unit.shape)]
            labels[tuple(core)] = self._block(unit, core)
        return labels

    @torch.no_grad()
    def _block(self, unit: np.ndarray, core: Sequence[slice]) -> np.ndarray:
        """Labels of a block; the network sees as far beyond it as it reaches."""
        align = self.net.align
        halo = -(-self.net.reach // align) * align
        seen = [
            slice(max(c.start - halo, 0), min(c.stop + halo, n)) for c, n in zip(core, unit.shape)
        ]
        block = unit[tuple(seen)]
        block = np.pad(block, [(0, -n % align) for n in block.shape], "edge")
        device = next(self.net.parameters()).device
        scores = self.net(torch.from_numpy(block)[None, None].to(device))[0]
        inner = tuple(slice(c.start - s.start, c.stop - s.start) for c, s in zip(core, seen))
        return scores.argmax(0).to(torch.uint8).cpu().numpy()[inner]


def loss(net: nn.Module, batch: tuple[Tensor, ...], weights: Tensor | None = None) -> Tensor:
    """Cross entropy plus one minus the mean soft Dice of the structures that the batch holds.

    weights   of each label in the cross entropy, nothing first; default: all alike

    As nnU-Net has it, but that a structure which is not there has no Dice: cross entropy alone says
    so, or a rare structure would be unlearned wherever it is missing.
    """
    x_B1ZYX, labels_BZYX = batch
    scores_BCZYX = net(x_B1ZYX)
    shares = scores_BCZYX.softmax(1)
    truth = one_hot(labels_BZYX, shares.shape[1]).movedim(-1, 1).to(shares.dtype)
    axes = (0, 2, 3, 4)
    both, voxels = (shares * truth).sum(axes)[1:], truth.sum(axes)[1:]
    overlap = (2 * both + 1) / (shares.sum(axes)[1:] + voxels + 1)
    there = (voxels > 0).to(shares.dtype)
    missed = ((1 - overlap) * there).sum() / there.sum().clamp(min=1)
    weights = None if weights is None else weights.to(scores_BCZYX)
    return cross_entropy(scores_BCZYX, labels_BZYX, weights) + missed


def _evened(shares: Tensor) -> Tensor:
    """Weights of labels: the rarer, the heavier, but not so far that all weigh the same."""
    return shares ** (-1 / 3)
