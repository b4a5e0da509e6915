"""Three trainings: what each starts from, what the last one no longer changes, what is refused."""

import numpy as np
import pytest
import torch

from support.textured_pairs import textured
from thinslice.families import matched_references
from thinslice.families.matched_references import MatchedMethod
from thinslice.interfaces import Run
from thinslice.methods import c2matching
from thinslice.nets.contrastive import Extractors
from thinslice.training import loop

RUN = Run(device="cpu", threads=1, progress=False)
SHORT = {**c2matching.TINY, "steps": 4, "steps_teacher": 3, "steps_student": 5, "channels": 8}
STAGES = ["teacher", "student", "restoration"]


class KilledError(Exception):
    pass


def killed(*_):
    raise KilledError


@pytest.fixture
def trainings(monkeypatch) -> list[tuple[dict, torch.nn.Module]]:
    """Of every training its network's weights before, and the network."""
    seen = []
    resume = loop._Training.resume

    def watched(training: loop._Training) -> int:
        weights = {name: w.clone() for name, w in training.net.state_dict().items()}
        seen.append((weights, training.net))
        return resume(training)

    monkeypatch.setattr(loop._Training, "resume", watched)
    return seen


def bits(method: MatchedMethod) -> dict[str, np.ndarray]:
    assert method.net is not None
    return {name: w.numpy().copy() for name, w in method.net.state_dict().items()}


def test_a_student_starts_as_its_teacher_ended_and_the_network_finds_as_the_student(
    trainings, tmp_path
):
    method = c2matching.build(**SHORT)
    curve = method.fit([textured(0)], [textured(1)], work=tmp_path, run=RUN)
    (_, teacher), (student_before, student), (_, net) = trainings
    assert isinstance(student, Extractors)
    for name, weight in teacher.state_dict().items():
        assert torch.equal(student_before[name], weight)
        learned = student.state_dict()[name]
        assert not torch.equal(learned, weight)
        assert torch.equal(net.find.state_dict()[name.replace(".", "_")], learned)
    stages = [line.split(",")[0] for line in curve.read_text().splitlines()[1:]]
    assert list(dict.fromkeys(stages)) == STAGES


def test_run_again_it_goes_on_from_what_is_there_and_ends_with_the_same_bits(tmp_path, monkeypatch):
    whole = c2matching.build(**SHORT)
    whole.fit([textured(0)], [], work=tmp_path / "whole", run=RUN)
    with monkeypatch.context() as patch:
        patch.setattr(matched_references, "_as_student", killed)
        with pytest.raises(KilledError):
            c2matching.build(**SHORT).fit([textured(0)], [], work=tmp_path / "killed", run=RUN)
    again = c2matching.build(**SHORT)
    again.fit([textured(0)], [], work=tmp_path / "killed", run=RUN)
    np.testing.assert_equal(bits(again), bits(whole))
    other = c2matching.build(**{**SHORT, "steps_student": 6})
    other.fit([textured(0)], [], work=tmp_path / "killed", run=RUN)
    assert any((bits(other)[name] != w).any() for name, w in bits(whole).items())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"side": 30}, "multiple of 4 from 32 on"),
        ({"steps_teacher": 0}, "start at 1"),
        ({"lr_extractors": 0.0}, "must be positive"),
        ({"references": 2}, "one reference, found references 2"),
    ],
    ids=str,
)
def test_what_a_later_training_cannot_be_is_refused_before_the_first(wrong, message):
    with pytest.raises(ValueError, match=message):
        c2matching.build(**{**SHORT, **wrong})
