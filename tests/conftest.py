"""The one whole run of the tiny workflow that tests look at or copy; and the one Slurm."""

from collections.abc import Iterator

import pytest

from support import slurm_cluster
from support.checkout import Checkout, fresh


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Checkout:
    checkout = fresh(tmp_path_factory.mktemp("finished") / "thin slices")  # a space breaks shells
    checkout.run()
    return checkout


@pytest.fixture(scope="session")
def cluster(tmp_path_factory) -> Iterator[slurm_cluster.Cluster]:
    if reason := slurm_cluster.missing():
        pytest.skip(reason)
    with slurm_cluster.started(tmp_path_factory.mktemp("slurm") / "cluster") as running:
        yield running
