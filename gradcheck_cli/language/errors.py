"""The user's mistakes: one exception tree, each with a code, a place in the text and a way out."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable


# What is said of a derivative where a function is wanted.
DERIVES = "this is a derivative, and a check differentiates by itself"
GIVE_FUNCTION = "give the function that is differentiated"


class Span(NamedTuple):
    """Half-open range of character offsets into the text a node was read from."""

    start: int
    end: int


@dataclass(frozen=True)
class Mistake:
    """One thing the user got wrong: what was found, where, and what would be accepted.

    Attributes:
        place: `FILE:LINE:COLUMN` of what was read from a file.
        instead: what may have been meant: programs, or commands.
    """

    code: str
    message: str
    text: str = ""
    span: Span | None = None
    help: str = ""
    place: str = ""
    instead: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.within(None)

    @property
    def way_out(self) -> str:
        """All help in one line."""
        programs = " or ".join(f"`{' '.join(text.split())}`" for text in self.instead)
        return "; ".join(filter(None, (self.help, programs and f"did you mean {programs}?")))

    def within(self, width: int | None) -> str:
        """What is printed on a terminal of so many columns, or of any number: words are wrapped,
        the excerpt is as long as fits, so that its carets stand where they belong.
        """
        lines = _wrapped(f"error[{self.code}]: {self.message}", width, "  ")
        if self.place:
            lines.append(f" --> {self.place}")
        if self.span is not None:
            lines += _excerpt(self.text, self.span, width)
        if self.help:
            lines += _wrapped(f"  = help: {self.help}", width, "    ")
        # What is to be copied is not wrapped.
        for k, text in enumerate(self.instead):
            lines.append(f"  = help: {'or' if k else 'did you mean'}: {' '.join(text.split())}")
        return "\n".join(printable(line) for line in lines)


class NodeError(Exception):
    """A mistake at a node of Python's syntax tree, before its place is known in characters."""

    def __init__(
        self,
        code: str,
        message: str,
        node: ast.AST,
        help: str = "",  # noqa: A002 - what the printed line is called
    ) -> None:
        super().__init__(message)
        self.code, self.node, self.help = code, node, help


class UserError(Exception):
    """Everything the user got wrong in one go; `str` gives the messages as they are printed.

    Attributes:
        mistakes: a Mistake each, with its code.
    """

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class ProgramError(UserError):
    """The text is not a program of the language."""


class PointError(UserError):
    """The point, cotangent, dtype or device does not fit the program or the machine."""


def mistake(
    code: str,
    message: str,
    text: str = "",
    span: Span | None = None,
    help: str = "",  # noqa: A002 - what the printed line is called
) -> PointError:
    """A `PointError` with a single mistake, ready to raise."""
    return PointError([Mistake(code, message, text, span, help)])


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean ...?` for the nearest known word, or for two that are as near; nothing when
    none is near.
    """
    known, plain = list(known), _plain(printable(word))
    # Names that differ in case alone are one, `abs` rather than `Abs`.
    names = {_plain(name): name for name in sorted(known)}
    gaps = {name: _gap(plain, name) for name in map(_plain, known)} if plain else {}
    least = min(gaps.values(), default=1.0)
    near = [f"`{names[name]}`" for name in gaps if gaps[name] == least <= _NEAR][:2]
    return f"did you mean {' or '.join(near)}?" if near else ""


# Edits over letters, up to which a word is a slip for another: of 275 slips 271 find what is meant,
# and of 130 words that are no slips 6 find something (tests/test_suggestions.py).
_NEAR = 0.3


def _plain(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")


def _gap(word: str, name: str) -> float:
    """Insertions, deletions, changes and swaps of neighbours that make one of the other, over the
    letters of the longer; letters that are only in another order are half as far.

    Source: Damerau 1964, which finds these four in 80 % of all slips.
    """
    from jellyfish import damerau_levenshtein_distance

    longer, shorter = max(len(word), len(name)), min(len(word), len(name))
    if longer > _MARGIN:
        return 1.0
    # `variance` and `diag`, where nothing is nearer.
    near = shorter > 2 and (word.startswith(name) or (shorter > 3 and name.startswith(word)))
    if longer - shorter > _NEAR * longer and longer > 3:
        return _NEAR if near else 1.0
    edits = damerau_levenshtein_distance(word, name)
    # A slip in three letters, for which people seldom miss the first.
    near = near or (edits == 1 and longer == 3 and word[:1] == name[:1])
    gap: float = (edits / 2 if sorted(word) == sorted(name) else edits) / longer
    return min(gap, _NEAR) if near else gap


def elide(words: str) -> str:
    """`words` for a message, cut short where they are long."""
    return words if len(words) <= _MARGIN else f"{words[: _MARGIN - 1]}…"


def object_text(value: object) -> str:
    """A value of Python for a message; its type, where it cannot be written."""
    try:
        return elide(repr(value))
    except Exception:  # noqa: BLE001 - a user's object may do anything
        return f"<{type(value).__name__}>"


def printable(text: str) -> str:
    """`text` without characters that a terminal would act upon or not show, and without what a CI
    server takes for a command wherever it stands, such as `##[error]`; it stays as long.
    """
    text = _MARKS.sub("\N{REPLACEMENT CHARACTER}", text)
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


# As in `records.json_text`, which this room does not know.
_MARKS = re.compile(
    r"#(?=#[\w-]*\[)|(?<=section_start):|(?<=section_end):|(?<=travis_(?:fold|time)):"
)

# A caret line must stay readable however long the text is: 60 characters either side of the place,
# 120 carets.
_MARGIN = 60


def _wrapped(text: str, width: int | None, indent: str) -> list[str]:
    """The lines of a message; a word that is wider than a line stays whole, to be copied."""
    if width is None or len(text) <= width:
        return [text]
    from textwrap import wrap

    return wrap(
        text,
        width,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )


def _excerpt(text: str, span: Span, width: int | None = None) -> list[str]:
    start = min(max(span.start, 0), len(text))
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", start)
    last = len(text) if last < 0 else last
    most = 2 * _MARGIN if width is None else max(1, width // 2)
    end = min(max(span.end, start + 1), start + most)
    left, right = max(first, start - _MARGIN), min(last, end + _MARGIN)
    # Bar, blanks and the signs that something is left out take six columns.
    while width is not None and _columns(text[left:right]) > width - 6:
        if start - left > right - end:
            left += 1
        elif right > start + 1:
            right -= 1
        else:
            break
    head, tail = ("…" if left > first else ""), ("…" if right < last else "")
    carets = "^" * max(1, _columns(text[start : min(end, right)]))
    return [
        f"  | {head}{text[left:right]}{tail}",
        f"  | {' ' * (len(head) + _columns(text[left:start]))}{carets}",
    ]


def _columns(text: str) -> int:
    """How wide a terminal shows `text`: two columns for an East Asian character, none for a
    combining accent.
    """
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
