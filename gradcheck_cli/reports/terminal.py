"""Styled text as a terminal takes it."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from gradcheck_cli.reports.format import inert

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text


def terminal_text(text: Text, *, color: bool) -> str:
    """Text with its styles as escape sequences, or without; Rich wraps and cuts nothing. No line of
    it is a command to a CI server.
    """
    if not color:
        return inert("\n".join(line.rstrip() for line in text.plain.split("\n")) + "\n")
    return inert(print_to_text(text, None, color=color))


def print_to_text(renderable: RenderableType, width: int | None, *, color: bool) -> str:
    """What Rich prints; it highlights and cuts nothing, and never sees the environment.

    Args:
        width: columns of the terminal; None for lines as they are.
    """
    from rich.console import Console

    stream = StringIO()
    console = Console(
        file=stream,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=False,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},
    )
    console.print(renderable, soft_wrap=width is None, crop=False)
    return stream.getvalue()
