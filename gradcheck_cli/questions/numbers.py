"""Points from text: numbers, constant expressions, nested lists and grids, exact until a dtype
rounds them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from unicodedata import normalize

from gradcheck_cli.language.constants import SizeError, decimal, nonfinite
from gradcheck_cli.language.errors import Mistake, PointError, Span, UserError, elide, mistake
from gradcheck_cli.questions.expressions import bad_number, value_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

# A number as exact text gives it, an infinity or NaN, or nested lists of such numbers.
Nested: TypeAlias = "Exact | NonFinite | list[Nested]"
V = TypeVar("V")

_NAME = re.compile(r"\s*([^\W\d]\w*)\s*=(?!=)")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_HEX = re.compile(
    r"([+-]?)0[xX](?=\.?[0-9a-fA-F])([0-9a-fA-F]*)\.?([0-9a-fA-F]*)(?:[pP]([+-]?[0-9]{1,5}))?"
)
# `1..3`, as other languages write a range of integers.
_DOTS = re.compile(r"([+-]?[0-9]{1,6})\.\.\.?=?([+-]?[0-9]{1,6})")
_PAIRS = {")": "(", "]": "[", "}": "{"}
# Python's own limit is about 90; arrays have at most 16 dimensions.
_NESTING = 64
# 1,000,000 points from grids is a run of about an hour; more is more likely a slip of the pen.
MAX_POINTS = 1_000_000


@dataclass(frozen=True)
class Exact:
    """One number of a point: its exact value, and how the user wrote it."""

    value: Fraction
    text: str
    negative_zero: bool = False


@dataclass(frozen=True)
class NonFinite:
    """An infinity or NaN of a point, and how the user wrote it: it stands at inputs that are held,
    and is nothing to differentiate at.
    """

    value: float
    text: str


@dataclass(frozen=True)
class Grid:
    """`count` numbers at equal distances, both ends included; exact, not a running sum."""

    start: Exact
    stop: Exact
    count: int

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, i: int) -> Exact:
        if not 0 <= i < self.count:
            raise IndexError(i)
        if i == 0:
            return self.start
        if i == self.count - 1:
            return self.stop
        start, step, unit = self._line
        return Exact(Fraction(start + i * step, unit), "")

    @cached_property
    def _line(self) -> tuple[int, int, int]:
        """Integers `first`, `step` and `unit`: number i is (first + i * step) / unit."""
        first, step = self.start.value, (self.stop.value - self.start.value) / (self.count - 1)
        unit = first.denominator * step.denominator
        return int(first * unit), int(step * unit), unit


def read_points(
    texts: Iterable[str],
    read: Callable[[str, Span], V] | None = None,
    example: str = "--at x=3,y=[1, 2]",
) -> dict[str, V]:
    """What each name is set to, from texts such as `x=3,y=[1, 2]`.

    Args:
        read: reads a value at its place in a text; `read_value` if None.
        example: of how a user writes them.
    Raises:
        PointError: with every mistake found.
    """
    reader: Any = read or read_value
    found: dict[str, V] = {}
    mistakes: list[Mistake] = []
    for text in texts:
        for name, span in _assignments(text, example, mistakes):
            if name in found:
                mistakes.append(Mistake("duplicate-value", f"`{name}` is given twice", text, span))
            try:
                found[name] = reader(text, span)
            except UserError as error:
                mistakes += error.mistakes
    if mistakes:
        raise PointError(mistakes)
    return found


def _assignments(text: str, example: str, mistakes: list[Mistake]) -> list[tuple[str, Span]]:
    """(name, where its value stands) for each `NAME=VALUE` of a comma list; commas inside brackets
    belong to a value.
    """
    found: list[tuple[str, Span]] = []
    nameless: list[Span] = []
    for span in split_at(text, Span(0, len(text)), ","):
        match = _NAME.match(text, span.start, span.end)
        if not match:
            nameless.append(stripped(text, span))
            continue
        mistakes += _nameless(text, found, nameless, example)
        nameless = []
        # As Python reads names in the program: NFKC. Its keyword is no name there.
        name = normalize("NFKC", match[1])
        name = "lambda_" if name == "lambda" else name
        found.append((name, stripped(text, Span(match.end(), span.end))))
    mistakes += _nameless(text, found, nameless, example)
    return found


def _nameless(
    text: str, before: Sequence[tuple[str, Span]], parts: Sequence[Span], example: str
) -> Iterator[Mistake]:
    """What is said of parts without a name, which stand behind those of `before`."""
    if before and parts and all(_DECIMAL.fullmatch(text[slice(*part)]) for part in parts):
        name, first = before[-1]
        span = Span(first.start, parts[-1].end)
        instead = f"{text[: span.start]}[{text[slice(*span)]}]{text[span.end :]}"
        message = f"`{name}` has several values: a list stands in brackets"
        yield Mistake("bad-point", message, text, span, instead=(instead,))
        return
    for part in parts:
        words = text[slice(*part)].strip()
        form = f"`{elide(words)}` is not of the form NAME=VALUE"
        what = form if words else "NAME=VALUE is missing here"
        yield Mistake("bad-point", what, text, part, f"for example `{example}`")


def split_at(text: str, span: Span, mark: str) -> list[Span]:
    """The parts of a span between marks that stand outside all brackets."""
    parts: list[Span] = []
    depth, start = 0, span.start
    for i in range(span.start, span.end):
        if text[i] in "([{":
            depth += 1
        elif text[i] in ")]}":
            depth -= 1
        elif text[i] == mark and depth == 0:
            parts.append(Span(start, i))
            start = i + 1
    return [*parts, Span(start, span.end)]


def stripped(text: str, span: Span) -> Span:
    """A span without its outer blanks; one of nothing but blanks stays as it is."""
    part = text[slice(*span)]
    return (
        Span(span.start + len(part) - len(part.lstrip()), span.end - len(part) + len(part.rstrip()))
        if part.strip()
        else span
    )


def read_value(text: str, span: Span | None = None) -> Nested | Grid:
    """A number, a constant expression, a nested list or a grid.

    Raises:
        PointError: the text is none of these.
    """
    span = stripped(text, span or Span(0, len(text)))
    check_brackets(text, span)
    if _is_list(text, span):
        return _list(text, span)
    parts = split_at(text, span, ":")
    if dots := _DOTS.fullmatch(text, *span):
        raise _dotted(text, span, int(dots[1]), int(dots[2]))
    if len(parts) == 1:
        return read_number(text, span)
    if len(parts) != 3:
        raise bad_number("a grid is written start:stop:count", text, span)
    return _grid(text, parts)


def _dotted(text: str, span: Span, first: int, last: int) -> PointError:
    """The mistake of a range with dots, and the grid in its place."""
    grid = f"{first}:{last}:{abs(last - first) + 1}"
    instead = f"{text[: span.start]}{grid}{text[span.end :]}"
    message = "a grid is written start:stop:count"
    return PointError([Mistake("bad-number", message, text, span, instead=(instead,))])


def check_brackets(text: str, span: Span) -> None:
    """Every bracket has its partner, and none stands too deep."""
    opened: list[int] = []
    for i in range(span.start, span.end):
        if text[i] in "([{":
            opened.append(i)
        elif text[i] in _PAIRS and (not opened or text[opened.pop()] != _PAIRS[text[i]]):
            raise bad_number("this bracket closes none", text, Span(i, i + 1))
        if len(opened) > _NESTING:
            message = f"brackets are nested more than {_NESTING} deep"
            raise mistake("too-deep", message, text, Span(i, i + 1))
    if opened:
        raise bad_number("this bracket is not closed", text, Span(opened[-1], opened[-1] + 1))


def _is_list(text: str, span: Span) -> bool:
    """Whether a value is a list; brackets of an expression, as in `(1 + 2)*3`, make none."""
    if text[span.start : span.start + 1] not in ("[", "("):
        return False
    depth, last = 0, span.start
    for last in range(span.start, span.end):
        depth += (text[last] in "([{") - (text[last] in ")]}")
        if depth == 0:
            break
    if text[span.start] == "(":
        return last == span.end - 1 and len(split_at(text, Span(span.start + 1, last), ",")) > 1
    if last < span.end - 1:
        rest = stripped(text, Span(last + 1, span.end))
        raise bad_number("there is something after the list", text, rest)
    return True


def _list(text: str, span: Span) -> list[Nested]:
    """A nested list; whether its rows are of equal length is seen when it becomes an array."""
    parts = [
        stripped(text, part) for part in split_at(text, Span(span.start + 1, span.end - 1), ",")
    ]
    if not text[slice(*parts[-1])].strip():
        parts.pop()  # an empty list, or a comma behind the last item
    found: list[Nested] = []
    for part in parts:
        if len(split_at(text, part, ":")) > 1:
            raise bad_number("a grid cannot stand in a list", text, part)
        found.append(_list(text, part) if _is_list(text, part) else read_number(text, part))
    return found


def _grid(text: str, parts: Sequence[Span]) -> Grid:
    start, stop = (_finite(text, stripped(text, part)) for part in parts[:2])
    where = stripped(text, parts[2])
    count = text[slice(*where)].lstrip("0")
    if not re.fullmatch("[0-9]{1,7}", count) or int(count) > MAX_POINTS:
        message = f"the count of a grid is a whole number from 1 to {MAX_POINTS:,}"
        raise bad_number(message, text, where)
    return Grid(start, stop, int(count))


def _finite(text: str, span: Span) -> Exact:
    """One end of a grid."""
    value = read_number(text, span)
    if isinstance(value, NonFinite):
        raise bad_number(f"a grid has two ends, and `{value.text}` is none", text, span)
    return value


def read_number(text: str, span: Span) -> Exact | NonFinite:
    """One number: decimal, hexadecimal float, an infinity or NaN, or a constant expression."""
    inside = text[slice(*span)]
    special = nonfinite(inside)
    if special is not None:
        return NonFinite(special, inside)
    if not inside.strip():
        raise bad_number("there is no value here", text, span)
    try:
        literal = _literal(inside)
        value, words = value_of(text, span) if literal is None else (literal, inside)
    except SizeError as error:
        raise PointError([Mistake("too-large", str(error), text, span)]) from error
    return Exact(value, words, literal == 0 and inside.startswith("-"))


def _literal(inside: str) -> Fraction | None:
    """The value of a decimal or hexadecimal literal with its sign; None for anything else."""
    if _DECIMAL.fullmatch(inside):
        return decimal(inside)
    match = _HEX.fullmatch(inside)
    if not match:
        return None
    sign, whole, fraction, exponent = match.groups()
    power = int(exponent or 0) - 4 * len(fraction)
    return (-1 if sign == "-" else 1) * int(whole + fraction, 16) * Fraction(2) ** power
