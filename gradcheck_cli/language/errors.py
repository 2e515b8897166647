"""The user's mistakes: one exception tree, each with a code, a place in the text and a way out."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Span(NamedTuple):
    """Half-open range of character offsets into the text a node was read from."""

    start: int
    end: int


@dataclass(frozen=True)
class Mistake:
    """One thing the user got wrong: what was found, where, and what would be accepted."""

    code: str
    message: str
    text: str = ""
    span: Span | None = None
    help: str = ""

    def __str__(self) -> str:
        lines = [f"error[{self.code}]: {self.message}"]
        if self.span is not None:
            lines += _excerpt(self.text, self.span)
        if self.help:
            lines.append(f"  = help: {self.help}")
        return "\n".join(lines)


class UserError(Exception):
    """Everything the user got wrong in one go; `str` gives the messages as they are printed."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class ProgramError(UserError):
    """The text is not a program of the language."""


class PointError(UserError):
    """The point, cotangent, dtype or device does not fit the program or the machine."""


def mistake(code: str, message: str, text: str = "", span: Span | None = None, help: str = "") -> PointError:  # noqa: A002 - `help` is what the printed line is called
    """A `PointError` with a single mistake, ready to raise."""
    return PointError([Mistake(code, message, text, span, help)])


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean ...?` for the nearest known words, or nothing when none is near."""
    near = get_close_matches(word, list(known), n=2, cutoff=0.6)
    return f"did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else ""


# A caret line must stay readable however long the text is: 60 characters either side of the place.
_MARGIN = 60


def _excerpt(text: str, span: Span) -> list[str]:
    start = min(max(span.start, 0), len(text))
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", start)
    last = len(text) if last < 0 else last
    left, right = max(first, start - _MARGIN), min(last, max(span.end, start + 1) + _MARGIN)
    head, tail = ("…" if left > first else ""), ("…" if right < last else "")
    shown = text[left:right]
    width = max(1, min(span.end, right) - start)
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown)
    return [f"  | {head}{shown}{tail}", f"  | {' ' * (len(head) + start - left)}{'^' * width}"]
