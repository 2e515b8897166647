"""A word or a sign of a text as people paste it, and that a text is none of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gradcheck_cli.language.errors import Span


class Illegible(Exception):
    """Not what people write for a formula. Without words of its own the strict reading's say what
    is wrong.

    Attributes:
        span: what is not read.
        help: the way out.
    """

    def __init__(self, message: str = "", span: Span | None = None, way_out: str = "") -> None:
        super().__init__(message)
        self.span, self.help = span, way_out


class Token(NamedTuple):
    """A word or a sign, spelled as the language spells it.

    Attributes:
        kind: number, name, string, glyph, open, close, bar, doublebar, root, attribute, sub (a
            subscript of no name), end (of a statement, and of the text).
        span: where it stands in what was pasted.
        gap: whether a blank stands before it.
        letter: a single letter of an alphabet, by its name (`gamma`), and no function.
        lowered: a name with lowered digits or letters behind it, which are no factors.
    """

    kind: str
    text: str
    span: Span
    gap: bool = False
    letter: bool = False
    lowered: bool = False
