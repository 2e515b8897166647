"""What many tests share: processes that take half a second and more to start."""

from __future__ import annotations

import gc
import os
import signal

import pytest
from tool import Borrowed, Tool
from torch_facts import FACTS, FactsReport

from gradcheck_cli import api
from gradcheck_cli.symbolic.client import Analyst


def pytest_configure(config):
    """On a version of torch that is not known, its facts are told and not held."""
    config.pluginmanager.register(FactsReport(FACTS))
    # Threads of torch wait for each other by computing, and each core has a test of its own.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # In the background of a script: whatever a test starts would be deaf to Ctrl-C as well.
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish():
    """What is there by now stays: no test waits for the collector to look through it again."""
    gc.freeze()


@pytest.fixture(scope="session")
def analyst():
    """SymPy's process."""
    found = Analyst()
    yield found
    found.close()


@pytest.fixture(scope="session")
def tool(analyst):
    """The tool inside this process."""
    found = Tool(analyst)
    yield found
    found.close()


@pytest.fixture(scope="session", autouse=True)
def shared(analyst):
    """`gradcheck_cli.check` asks the shared process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "Analyst", lambda: Borrowed(analyst))
        yield
