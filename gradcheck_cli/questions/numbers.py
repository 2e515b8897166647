"""Points from text: numbers, constant expressions, nested lists and grids, exact until a dtype
rounds them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from time import thread_time
from typing import TYPE_CHECKING, TypeAlias
from unicodedata import normalize

from gradcheck_cli.language.constants import SizeError, arithmetic, decimal
from gradcheck_cli.language.errors import Mistake, PointError, ProgramError, Span, UserError, elide
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Call, Number, Program

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# A number as exact text gives it, or nested lists of such numbers.
Nested: TypeAlias = "Exact | list[Nested]"

_NAME = re.compile(r"\s*([^\W\d]\w*)\s*=(?!=)")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_HEX = re.compile(
    r"([+-]?)0[xX](?=\.?[0-9a-fA-F])([0-9a-fA-F]*)\.?([0-9a-fA-F]*)(?:[pP]([+-]?[0-9]{1,5}))?"
)
_PAIRS = {")": "(", "]": "[", "}": "{"}
# Python's own limit is about 90; arrays have at most 16 dimensions.
_NESTING = 64
# An irrational point such as pi/4 is wanted to this many bits; a dtype keeps at most 53 of them.
# The precision is raised as far as sin(1e1000) needs it.
_POINT_BITS, _PRECISIONS, _SECONDS = 200, (400, 1_600, 6_400), 2.0
# Exact points are followed up to this many bits: 1e5000 + 1e-5000 has 33,000.
_MAX_BITS = 100_000
# 1,000,000 points from grids is a run of about an hour; more is more likely a slip of the pen.
MAX_POINTS = 1_000_000


@dataclass(frozen=True)
class Exact:
    """One number of a point: its exact value, and how the user wrote it."""

    value: Fraction
    text: str
    negative_zero: bool = False


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
        step = (self.stop.value - self.start.value) / (self.count - 1)
        return Exact(self.start.value + i * step, "")


def read_points(texts: Iterable[str]) -> dict[str, Nested | Grid]:
    """What each name is set to, from texts such as `x=3,y=[1, 2]`.

    Raises:
        PointError: with every mistake found.
    """
    found: dict[str, Nested | Grid] = {}
    mistakes: list[Mistake] = []
    for text in texts:
        for name, span in _assignments(text, mistakes):
            if name in found:
                mistakes.append(Mistake("duplicate-value", f"`{name}` is given twice", text, span))
            try:
                found[name] = read_value(text, span)
            except UserError as error:
                mistakes += error.mistakes
    if mistakes:
        raise PointError(mistakes)
    return found


def _assignments(text: str, mistakes: list[Mistake]) -> list[tuple[str, Span]]:
    """(name, where its value stands) for each `NAME=VALUE` of a comma list; commas inside brackets
    belong to a value.
    """
    found: list[tuple[str, Span]] = []
    for span in _split(text, Span(0, len(text)), ","):
        match = _NAME.match(text, span.start, span.end)
        if match:
            # As Python reads names in the program: NFKC.
            found.append(
                (normalize("NFKC", match[1]), _stripped(text, Span(match.end(), span.end)))
            )
        else:
            part = text[slice(*span)].strip()
            what = (
                f"`{elide(part)}` is not of the form NAME=VALUE"
                if part
                else "NAME=VALUE is missing here"
            )
            mistakes.append(
                Mistake(
                    "bad-point",
                    what,
                    text,
                    _stripped(text, span),
                    help="for example `--at x=3,y=[1, 2]`",
                )
            )
    return found


def _split(text: str, span: Span, mark: str) -> list[Span]:
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


def _stripped(text: str, span: Span) -> Span:
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
    span = _stripped(text, span or Span(0, len(text)))
    _check_brackets(text, span)
    if _is_list(text, span):
        return _list(text, span)
    parts = _split(text, span, ":")
    if len(parts) == 1:
        return _number(text, span)
    if len(parts) != 3:
        raise _bad("a grid is written start:stop:count", text, span)
    return _grid(text, parts)


def _check_brackets(text: str, span: Span) -> None:
    """Every bracket has its partner, and none stands too deep."""
    opened: list[int] = []
    for i in range(span.start, span.end):
        if text[i] in "([{":
            opened.append(i)
        elif text[i] in _PAIRS and (not opened or text[opened.pop()] != _PAIRS[text[i]]):
            raise _bad("this bracket closes none", text, Span(i, i + 1))
        if len(opened) > _NESTING:
            raise PointError(
                [
                    Mistake(
                        "too-deep",
                        f"brackets are nested more than {_NESTING} deep",
                        text,
                        Span(i, i + 1),
                    )
                ]
            )
    if opened:
        raise _bad("this bracket is not closed", text, Span(opened[-1], opened[-1] + 1))


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
        return last == span.end - 1 and len(_split(text, Span(span.start + 1, last), ",")) > 1
    if last < span.end - 1:
        raise _bad(
            "there is something after the list", text, _stripped(text, Span(last + 1, span.end))
        )
    return True


def _list(text: str, span: Span) -> list[Nested]:
    """A nested list; whether its rows are of equal length is seen when it becomes an array."""
    parts = [
        _stripped(text, part) for part in _split(text, Span(span.start + 1, span.end - 1), ",")
    ]
    if not text[slice(*parts[-1])].strip():
        parts.pop()  # an empty list, or a comma behind the last item
    found: list[Nested] = []
    for part in parts:
        if len(_split(text, part, ":")) > 1:
            raise _bad("a grid cannot stand in a list", text, part)
        found.append(_list(text, part) if _is_list(text, part) else _number(text, part))
    return found


def _grid(text: str, parts: Sequence[Span]) -> Grid:
    start, stop = (_number(text, _stripped(text, part)) for part in parts[:2])
    where = _stripped(text, parts[2])
    count = text[slice(*where)].lstrip("0")
    if (
        not count.isascii()
        or not count.isdigit()
        or len(count) > len(str(MAX_POINTS))
        or int(count) > MAX_POINTS
    ):
        raise _bad(f"the count of a grid is a whole number from 1 to {MAX_POINTS:,}", text, where)
    return Grid(start, stop, int(count))


def _number(text: str, span: Span) -> Exact:
    """One number: decimal, hexadecimal float, or a constant expression."""
    inside = text[slice(*span)]
    if not inside.strip():
        raise _bad("there is no value here", text, span)
    try:
        literal = _literal(inside)
        value = _computed(text, span) if literal is None else literal
    except SizeError as error:
        raise PointError([Mistake("too-large", str(error), text, span)]) from error
    return Exact(value, inside, literal == 0 and inside.startswith("-"))


def _literal(inside: str) -> Fraction | None:
    """The value of a decimal or hexadecimal literal with its sign; None for anything else."""
    if _DECIMAL.fullmatch(inside):
        return decimal(inside)
    match = _HEX.fullmatch(inside)
    if not match:
        return None
    sign, whole, fraction, exponent = match.groups()
    return (
        (-1 if sign == "-" else 1)
        * int(whole + fraction, 16)
        * Fraction(2) ** (int(exponent or 0) - 4 * len(fraction))
    )


def _computed(text: str, span: Span) -> Fraction:
    """The value of a constant expression: exact if it is rational, else to `_POINT_BITS` bits."""
    try:
        program = parse(text[slice(*span)], single=True)
    except ProgramError as error:
        raise PointError([_moved(m, text, span) for m in error.mistakes]) from error
    if program.variables:
        raise _bad(
            f"a point is made of numbers, and `{elide(program.variables[0])}` is not one",
            text,
            span,
        )
    value = _rational(program)
    return _irrational(program, text, span) if value is None else value


def _moved(mistake: Mistake, text: str, span: Span) -> Mistake:
    where = (
        Span(mistake.span.start + span.start, mistake.span.end + span.start)
        if mistake.span
        else span
    )
    return Mistake(mistake.code, mistake.message, text, where, mistake.help)


def _bad(message: str, text: str, span: Span) -> PointError:
    return PointError([Mistake("bad-number", message, text, span)])


def _rational(program: Program) -> Fraction | None:
    """The exact value where only numbers and `+ - * / **` occur.

    Raises:
        SizeError: it has more than `_MAX_BITS` bits.
    """
    values: list[Fraction] = []
    for node in program.nodes:
        value = None
        if isinstance(node, Call):
            try:
                value = arithmetic(node.function, *(values[i] for i in node.args), most=_MAX_BITS)
            except ZeroDivisionError:
                return None
        elif isinstance(node, Number) and isinstance(node.value, Fraction):
            value = node.value
        if value is None:
            return None
        values.append(value)
    return values[program.result]


def _irrational(program: Program, text: str, span: Span) -> Fraction:
    from gradcheck_cli.worlds import balls
    from gradcheck_cli.worlds.scalars import ShapeError, TooLarge, expand

    try:
        expansion = expand(program, {})
    except (ShapeError, TooLarge) as error:
        raise _bad(f"this is not a number: {error}", text, span) from error
    output = expansion.values[program.result]
    if not isinstance(output, int):
        raise _bad("this is not a single number", text, span)
    scalars = expansion.builder.program(output)
    machine, deadline = balls.Machine(scalars), thread_time() + _SECONDS
    try:
        for bits in _PRECISIONS:
            # Decimals inside an expression stay exact: only the finished number is rounded to the
            # dtype.
            found = machine.run({}, bits, lambda value: value, deadline)[scalars.result]
            if found.is_finite() and (found.is_zero() or found.rel_accuracy_bits() >= _POINT_BITS):
                return balls.midpoint(found)
    except OverflowError as error:
        raise _bad(f"this expression is {error}", text, span) from error
    except balls.OutOfTime as error:
        raise _bad(f"this expression has no value within {_SECONDS:g} s", text, span) from error
    raise _bad(
        "this expression cannot be told from 0"
        if found.is_finite()
        else "this expression has no finite value",
        text,
        span,
    )
