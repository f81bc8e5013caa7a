"""Fixtures for all tests, and how properties are searched: the same examples on every run, so that a red run means the change.

`--hypothesis-profile=search` looks at other examples each time.
"""

from pathlib import Path

import pytest
from hypothesis import settings

from finops_core.store.home import Home

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile("same")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(tmp_path / "home")
