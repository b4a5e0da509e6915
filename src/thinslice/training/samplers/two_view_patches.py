"""Training of a fusion of two views: the first stage's answers, kept on disk, and patches of them.

The answers to all scans are computed once and stored as float16 (a step of 1 HU at water); a
training that was killed reuses those that were finished. A file's name is a hash of the weights,
the scan and the settings its answer depends on.

Shape suffixes: V views, Z Y X axes of the volume, B patches.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from thinslice.fs.atomic import remove_leftovers, replacing
from thinslice.interfaces import Pair, Run
from thinslice.runtime.progress import Progress
from thinslice.training.distributed import ProcessGroup
from thinslice.training.samplers.crops import data_key, filled, place, window

Answer = Callable[[Pair], Sequence[np.ndarray]]  # coronal and sagittal, on the thin scan's slices


def weights_key(net: nn.Module) -> str:
    """Hash of a network's weights."""
    found = hashlib.sha256()
    for name, tensor in net.state_dict().items():
        found.update(name.encode())
        found.update(np.ascontiguousarray(tensor.detach().cpu().numpy()).tobytes())
    return found.hexdigest()


def first_stage_files(
    pairs: Sequence[Pair], answer: Answer, key: str, folder: Path, run: Run
) -> list[Path]:
    """Files [V, Z, Y, X] of what ``answer`` gives for each pair; those there are not made again.

    Processes that train together part the pairs among them. All have the files when this ends.

    key   what decides the answers besides the scans: weights and settings
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    with Progress(len(pairs), "first stage", "case", shown=run.progress) as progress:
        for i, pair in enumerate(pairs):
            mark = hashlib.sha256((key + data_key([pair])).encode()).hexdigest()[:16]
            path = folder / f"{pair.case}-{mark}.npy"
            if i % run.processes == run.rank and not path.exists():
                _write(path, np.stack([unit.astype(np.float16) for unit in answer(pair)]))
            paths.append(path)
            progress.advance()
    ProcessGroup.of(run).wait()
    return paths


def _write(path: Path, answers_VZYX: np.ndarray) -> None:
    remove_leftovers(path)
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.save(file, answers_VZYX, allow_pickle=False)


class ViewPatches:
    """Draws axial patches in [0, 1]: (answers of all views x_BVYX, thin slice y_B1YX).

    neighbours  slices to either side of a view's that are shown too, in order; views are then
                2 * neighbours + 1 times as many channels
    phases      of each pair's slices [Z], shown as a last channel, the same all over a patch; none:
                no such channel
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        answers: Sequence[Path],
        side: int,
        batch: int,
        ct: tuple[float, float],
        neighbours: int = 0,
        phases: Sequence[np.ndarray] = (),
    ):
        self.phases = phases
        self.pairs, self.side, self.batch, self.neighbours = pairs, side, batch, neighbours
        self.answers = [np.load(path, mmap_mode="r", allow_pickle=False) for path in answers]
        self.windows = [window(pair, ct) for pair in pairs]

    def __call__(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        x_BVYX, y_B1YX = zip(*(self._patch(rng) for _ in range(self.batch)))
        return torch.from_numpy(np.stack(x_BVYX)), torch.from_numpy(np.stack(y_B1YX))

    def _patch(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        i = int(rng.integers(len(self.pairs)))
        thin = self.pairs[i].thin
        k = int(rng.integers(thin.grid.n))
        y, x = (place(n, self.side, rng) for n in thin.grid.shape)
        beside = np.arange(k - self.neighbours, k + self.neighbours + 1).clip(0, thin.grid.n - 1)
        views_VYX = np.concatenate(self.answers[i][:, beside, y, x]).astype(np.float32)
        truth_1YX = self.windows[i].to_unit(thin.read(slice(k, k + 1), y, x)).astype(np.float32)
        side = (self.side, self.side)
        shown_VYX = filled(views_VYX, (len(views_VYX), *side))
        if self.phases:
            phase_1YX = np.full((1, *side), self.phases[i][k], np.float32)
            shown_VYX = np.concatenate((shown_VYX, phase_1YX))
        return shown_VYX, filled(truth_1YX, (1, *side))
