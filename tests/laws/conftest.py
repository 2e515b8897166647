"""What several laws need."""

from __future__ import annotations

import pytest

from gradcheck_cli.calculus import formulas, reverse, rewriting, spelling
from gradcheck_cli.worlds import germs, steps


@pytest.fixture
def forget():
    """Derivatives are remembered by name: forget them before and after a row is exchanged."""
    modules = (formulas, reverse, germs, rewriting, spelling, steps)
    members = [member for module in modules for member in vars(module).values()]
    caches = [member for member in members if hasattr(member, "cache_clear")]
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()
