"""Verify gradients: three independent opinions and a proved reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradcheck_cli.api import (
        Cause,
        LiveReport,
        Mistake,
        Outcome,
        PointError,
        ProgramError,
        Report,
        Result,
        UserError,
        Verdict,
        assert_gradient,
        check,
    )

__version__ = "0.1.0"
__all__ = [
    "Cause",
    "LiveReport",
    "Mistake",
    "Outcome",
    "PointError",
    "ProgramError",
    "Report",
    "Result",
    "UserError",
    "Verdict",
    "__version__",
    "assert_gradient",
    "check",
]


def __getattr__(name: str) -> Any:
    """What is public, imported when it is first asked for: `gradcheck --help` needs none of it."""
    if name in __all__:
        from gradcheck_cli import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
