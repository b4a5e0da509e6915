"""Weights that the tests of several commands read; a disk that nobody waits for."""

import os
from pathlib import Path

import pytest

from support.restore import fitted_weights


@pytest.fixture(scope="session")
def weights(tmp_path_factory) -> Path:
    """Of a tiny network, fitted for two steps on a scan of 5 mm slices."""
    return fitted_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def hurried(monkeypatch):
    """Waiting for the disk would be most of the time of a test that writes many files."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
