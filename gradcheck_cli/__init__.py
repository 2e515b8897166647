"""Verify gradients: three independent opinions and a proved reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradcheck_cli.api import assert_gradient, check

__version__ = "0.1.0"
__all__ = ["__version__", "assert_gradient", "check"]


def __getattr__(name: str) -> Any:
    """`check` and `assert_gradient`, imported when they are first asked for: `gradcheck --help`
    needs neither.
    """
    if name in ("check", "assert_gradient"):
        from gradcheck_cli import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
