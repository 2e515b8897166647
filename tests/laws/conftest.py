"""What several laws need."""

from __future__ import annotations

import pytest

from gradcheck_cli.calculus import formulas, reverse, rewriting, spelling
from gradcheck_cli.worlds import germs, steps


@pytest.fixture
def forget():
    """Derivatives are remembered by name: forget them before and after a row is exchanged, and once
    more when this is called, after the honest row was looked at.
    """
    modules = (formulas, reverse, germs, rewriting, spelling, steps)
    members = [member for module in modules for member in vars(module).values()]
    caches = [member for member in members if hasattr(member, "cache_clear")]

    def clear():
        for cached in caches:
            cached.cache_clear()

    clear()
    yield clear
    clear()
