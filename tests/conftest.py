"""Fixtures that every room's tests share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of real corpora; tests that ask for it are skipped where it is not set."""
    folder = os.environ.get("BIOBERT_DATA")
    if not folder:
        pytest.skip("BIOBERT_DATA is not set: real corpora are not at hand")
    return Path(folder)
