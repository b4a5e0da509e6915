"""What every method with a network does alike: fit, save, load, count its numbers, restore.

A family (``plane``, ``cube``, ``two_stage``, ``two_view``) says how its network is built, trained
and run; a method says which network, which loss and which settings, in a ``Recipe`` of the family.
Here, for all of them, float32 on a GPU is float32 (PyTorch's convolutions are TF32 there unless
told); a setting that asks for other numbers has them where it applies, inside.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from torch import nn

from thinslice.interfaces import About, Pair, Run
from thinslice.runtime.device import choose
from thinslice.training import loop, precision, seeds, validation, weights
from thinslice.training.batches import Sample
from thinslice.training.distributed import Loss
from thinslice.training.learner import Rival
from thinslice.training.plan import Plan
from thinslice.training.samplers import crops
from thinslice.training.samplers.held_scans import USUAL_GIB, in_memory
from thinslice.volume import Grid, Volume

Settings = TypeVar("Settings")
Shape = dict[str, Any]  # what shapes a network besides settings, e.g. the factor of the pairs; JSON


def settings_of(kind: type[Settings], given: Mapping[str, Any]) -> Settings:
    """The settings of a config line as ``kind``; lists become tuples, TypeError for other names."""
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in given.items()})


class NetworkMethod(ABC):
    """A method with a network; ``restore`` is given a run, or takes the default one."""

    about: About

    def restore(self, thick: Volume, grid: Grid, *, run: Run | None = None) -> Volume:
        """``thick`` restored on exactly ``grid``; see ``_restore`` of the family for refusals."""
        with precision.matmuls("fp32"):
            return self._restore(thick, grid, run or Run())

    def parameters(self) -> int:
        """Numbers learned; before a fit those of a network of the usual shape."""
        return sum(p.numel() for p in self._network().parameters())

    @abstractmethod
    def _restore(self, thick: Volume, grid: Grid, run: Run) -> Volume: ...

    @abstractmethod
    def _network(self) -> nn.Module: ...


@dataclass(frozen=True)
class Recipe:
    """What one method of a family is made of; a family adds to it."""

    method: str  # its module; written into weights files
    about: About
    settings: Any


R = TypeVar("R", bound=Recipe)


class TrainingData(NamedTuple):
    """Scans to learn from, as many in memory as fit, and the hash of all of them."""

    train: Sequence[Pair]
    val: Sequence[Pair]
    key: str


class FittedMethod(NetworkMethod, Generic[R]):
    """A method that learns from pairs before it restores.

    recipe     what the method is made of
    identity   the settings without which its weights mean nothing
    usual      the shape of its network where no pairs have said another
    needs_fit  whether its network exists only after a fit or a load
    """

    def __init__(self, recipe: R, identity: Mapping[str, Any], usual: Shape, *, needs_fit: bool):
        self.recipe, self.about = recipe, recipe.about
        self.identity, self.usual = identity, usual
        self.shape: Shape | None = None if needs_fit else usual
        self.net: nn.Module | None = None if needs_fit else self._seeded(usual)

    def fit(
        self, train: Sequence[Pair], val: Sequence[Pair], *, work: Path, run: Run | None = None
    ) -> Path:
        """Learn from ``train``, keep the weights that are best on ``val``; the curve's CSV.

        Checkpoints live in ``work``. ValueError without training pairs, and for pairs that no one
        network of the family can learn from. A fit that fails leaves the method as it was.
        """
        if not train:
            raise ValueError("no training pairs: the train split is empty")
        shape = self._shape_for([*train, *val])
        net = self._seeded(shape)
        run = run or Run()
        limit_gib = USUAL_GIB if run.data_gib is None else run.data_gib
        kept, judged = in_memory(train, val, limit_gib=limit_gib / run.processes)
        data = TrainingData(kept, judged, crops.data_key(train, val))
        with precision.matmuls("fp32"):  # a training's own setting holds within it
            curve = self._fit(net, shape, data, work, run)
        self.net, self.shape = net, shape
        return curve

    def save(self, path: Path, about: Mapping[str, Any]) -> None:
        """Weights, settings and ``about`` into one file; RuntimeError before a fit."""
        weights.save(
            path,
            self._fitted(),
            method=self.recipe.method,
            network={**self.identity, **(self.shape or {})},
            about={"settings": asdict(self.recipe.settings), **about},
        )

    def load(self, path: Path) -> None:
        """Weights of ``save``; ValueError for those of another method or of other settings."""
        shape = self._shape_in(weights.network(path, method=self.recipe.method))
        net = self._seeded(shape)
        network = {**self.identity, **shape}
        weights.load(path, net, method=self.recipe.method, network=network)
        self.net, self.shape = net, shape

    def _network(self) -> nn.Module:
        return self._seeded(self.usual) if self.net is None else self.net

    def _fitted(self) -> nn.Module:
        if self.net is None:
            raise RuntimeError(f"{self.recipe.method} has no weights yet: fit or load it first")
        return self.net

    def _seeded(self, shape: Shape) -> nn.Module:
        with seeds.seeded(self.recipe.settings.seed):
            return self._build(shape)

    def _shape_for(self, pairs: Sequence[Pair]) -> Shape:
        """The shape that all of ``pairs`` ask for; ValueError where they differ."""
        return self.usual

    def _shape_in(self, network: Mapping[str, Any]) -> Shape:
        """The shape that a weights file's network has."""
        return self.usual

    @abstractmethod
    def _build(self, shape: Shape) -> nn.Module:
        """The untrained network; random numbers are seeded around the call."""

    @abstractmethod
    def _fit(
        self, net: nn.Module, shape: Shape, data: TrainingData, work: Path, run: Run
    ) -> Path: ...


def learn(
    net: nn.Module,
    draws: Sequence[Sample | None],
    loss: Loss,
    plan: Plan,
    *,
    val_batches: int,
    work: Path,
    run: Run,
    key: str,
    whole: tuple[int, ...] = (),
    rival: Rival | None = None,
) -> Path:
    """Train one network, see ``training.loop``; the curve's CSV.

    draws         of training and of validation batches; without the latter the last weights count
    val_batches   drawn once: the weights with the least RMSE on them count
    rival         another network that learns in turn, see ``training.learner``
    """
    draw, draw_val = draws
    assert draw is not None, "a fit without training pairs is refused before"
    validate = None
    if draw_val is not None:
        batches = validation.fixed(draw_val, val_batches, plan.seed)
        validate = partial(validation.rmse, net, batches, choose(run))
    trained = loop.train(
        net,
        draw,
        loss,
        plan,
        validate=validate,
        work=work,
        run=run,
        key=key,
        whole=whole,
        rival=rival,
    )
    return trained.curve
