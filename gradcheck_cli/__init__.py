"""Verify gradients: three independent opinions and a proved reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradcheck_cli.api import UserError, assert_gradient, check

__version__ = "0.1.0"
__all__ = ["UserError", "__version__", "assert_gradient", "check"]


def __getattr__(name: str) -> Any:
    """`check`, `assert_gradient` and the error they raise, imported when they are first asked for:
    `gradcheck --help` needs none.
    """
    if name in ("UserError", "assert_gradient", "check"):
        from gradcheck_cli import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
