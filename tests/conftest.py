"""Fixtures for all tests."""

from pathlib import Path

import pytest

from finops_core.store.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(tmp_path / "home")
