"""The one whole run of the tiny workflow that tests look at or copy; and the one Slurm."""

import fcntl
import os
from collections.abc import Iterator

import pytest

from support import slurm_cluster
from support.checkout import Checkout, fresh, twin


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Files that look at the whole run first: a long file begun last would be waited for."""
    files = {item.path for item in items if "finished" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: item.path not in files)


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Checkout:
    """A copy of the one run of all workers: the first that wants it makes it, others wait."""
    mine = tmp_path_factory.getbasetemp()
    session = mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine
    made = Checkout(session / "whole run" / "thin slices")  # a space breaks shells
    with (session / "whole run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.folder.exists():
            checkout = fresh(tmp_path_factory.mktemp("run") / "thin slices")
            checkout.run()
            checkout.folder.parent.rename(made.folder.parent)
    return twin(made, tmp_path_factory.mktemp("finished") / "thin slices")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory) -> Iterator[slurm_cluster.Cluster]:
    if reason := slurm_cluster.missing():
        pytest.skip(reason)
    with slurm_cluster.started(tmp_path_factory.mktemp("slurm") / "cluster") as running:
        yield running
