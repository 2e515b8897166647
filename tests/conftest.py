"""What many tests share: one process for SymPy, since each takes half a second to start."""

from __future__ import annotations

import pytest
from torch_facts import FACTS, FactsReport

from gradcheck_cli import api
from gradcheck_cli.symbolic.client import Analyst


def pytest_configure(config):
    """On a version of torch that is not known, its facts are told and not held."""
    config.pluginmanager.register(FactsReport(FACTS))


class Borrowed:
    """An Analyst that is closed by its owner alone."""

    def __init__(self, owner):
        self.ask, self.answer = owner.ask, owner.answer

    def close(self):
        """Leave the process to the next test."""


@pytest.fixture(scope="session")
def analyst():
    """SymPy's process."""
    found = Analyst()
    yield found
    found.close()


@pytest.fixture
def shared(analyst, monkeypatch):
    """`gradcheck_cli.check` asks the shared process."""
    monkeypatch.setattr(api, "Analyst", lambda: Borrowed(analyst))
