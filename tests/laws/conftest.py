"""What several laws need."""

from __future__ import annotations

import pytest

from gradcheck_cli import calculus


@pytest.fixture
def forget():
    """Derivatives are remembered by name: forget them before and after a row is exchanged."""
    caches = [member for member in vars(calculus).values() if hasattr(member, "cache_clear")]
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()
