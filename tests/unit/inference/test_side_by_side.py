"""Parts side by side: each once, without gradients, and the number of threads comes back."""

import threading
import time

import pytest
import torch

from thinslice.inference import side_by_side


@pytest.mark.parametrize("threads", [1, 3])
def test_every_part_is_done_once_on_one_thread_without_gradients(threads):
    before, seen, lock = torch.get_num_threads(), [], threading.Lock()

    def work(part):
        x = torch.ones(2, requires_grad=True)
        with lock:
            seen.append((part, (x * part).requires_grad, torch.get_num_threads()))

    assert sorted(side_by_side.each(work, range(20), threads)) == [*range(20)]
    assert sorted(part for part, _, _ in seen) == [*range(20)]
    assert not any(gradient for _, gradient, _ in seen)
    assert threads == 1 or {n for _, _, n in seen} == {1}
    assert torch.get_num_threads() == before


def test_an_error_ends_it_before_the_parts_that_have_not_begun():
    begun = []

    def work(part):
        begun.append(part)
        if part == 1:
            raise MemoryError("too large")
        time.sleep(1e-3)

    with pytest.raises(MemoryError, match="too large"):
        list(side_by_side.each(work, range(10_000), 2))
    assert len(begun) < 10_000
