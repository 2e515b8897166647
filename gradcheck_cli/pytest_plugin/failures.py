"""What pytest shows of a check that fails: its report, and nothing of our own code."""

from __future__ import annotations

from typing import Any

import pytest


class CaseFailure(Exception):
    """A case is not as its suite says; `headline` is what the summary has room for."""

    def __init__(self, text: str, headline: str) -> None:
        super().__init__(text)
        self.headline = headline


class ForeseenFailure(CaseFailure):
    """A case fails that the suite expects to fail."""


class CheckItem(pytest.Item):
    """A check.

    Attributes:
        place: the file and line of what is checked.
    """

    place: tuple[str, int]

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What is shown of a failure: of a check the words alone, at its place."""
        error = excinfo.value
        if not isinstance(error, CaseFailure):
            return super().repr_failure(excinfo, style)
        text = excinfo.getrepr(style="value")
        crash = text.reprcrash
        if crash is not None:
            crash.path, crash.lineno, crash.message = *self.place, error.headline
        return text
