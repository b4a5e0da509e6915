"""Work on parts side by side, in threads of one torch thread each.

Small layers split over threads wait for each other at every layer, and spin where a core is busy;
whole planes do not. What is computed does not depend on the number of threads.
"""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from functools import partial
from typing import TypeVar

import torch

Part = TypeVar("Part")


def each(
    work: Callable[[Part], None], parts: Sequence[Part], threads: int
) -> Generator[Part, None, None]:
    """Do ``work`` on every part without gradients; yields each part when it is done.

    An error of one ends all; parts that have not begun then are never begun.
    Close it where it may be left early.
    """
    if threads == 1 or len(parts) < 2:
        for part in parts:
            _without_gradients(work, part)
            yield part
        return
    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(threads, "planes", initializer=partial(torch.set_num_threads, 1))
    try:
        waiting = {pool.submit(_without_gradients, work, part): part for part in parts}
        while waiting:
            for done in wait(waiting, return_when=FIRST_COMPLETED).done:
                done.result()
                yield waiting.pop(done)
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(before)  # also the count that threads to come start with


def _without_gradients(work: Callable[[Part], None], part: Part) -> None:
    with torch.inference_mode():  # of this thread alone
        work(part)
