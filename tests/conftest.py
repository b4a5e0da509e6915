"""The one whole run of the tiny workflow that every test of the workflow looks at or copies."""

import pytest
from checkout import Checkout, fresh


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Checkout:
    checkout = fresh(tmp_path_factory.mktemp("finished") / "thin slices")  # a space breaks shells
    checkout.run()
    return checkout
