"""What several laws need."""

from __future__ import annotations

import pytest

from gradcheck_cli.calculus import reverse


@pytest.fixture
def forget():
    """Derivatives are remembered by name: forget them before and after a row is exchanged."""
    caches = [member for member in vars(reverse).values() if hasattr(member, "cache_clear")]
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()
