"""Points from text: numbers, constant expressions, nested lists and grids, exact until a dtype rounds them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from gradcheck_cli.language.errors import Mistake, PointError, ProgramError, Span, UserError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Call, Number, Program

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# A number as exact text gives it, or nested lists of such numbers.
Nested: TypeAlias = "Exact | list[Nested]"

_NAME = re.compile(r"\s*([^\W\d]\w*)\s*=(?!=)", re.UNICODE)
_HEX = re.compile(r"([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d{1,5})$")
# An irrational point such as pi/4 is taken to this many bits; a dtype keeps at most 53 of them.
_POINT_BITS = 400
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
    """`start:stop:count`, both ends included."""

    values: tuple[Exact, ...]


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
    """(name, where its value stands) for each `NAME=VALUE` of a comma list; commas inside brackets belong to a value."""
    found: list[tuple[str, Span]] = []
    for span in _split(text, Span(0, len(text)), ","):
        match = _NAME.match(text, span.start, span.end)
        if match:
            found.append((match[1], _stripped(text, Span(match.end(), span.end))))
        else:
            shown = text[slice(*span)].strip()
            mistakes.append(Mistake("bad-point", f"`{shown[:60]}` is not of the form NAME=VALUE", text, _stripped(text, span), help="for example `--at x=3,y=[1, 2]`"))
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
    return Span(span.start + len(part) - len(part.lstrip()), span.end - len(part) + len(part.rstrip())) if part.strip() else span


def read_value(text: str, span: Span | None = None) -> Nested | Grid:
    """A number, a constant expression, a nested list or a grid.

    Raises:
        PointError: the text is none of these.
    """
    span = _stripped(text, span or Span(0, len(text)))
    inside = text[slice(*span)]
    if not inside.strip():
        raise _bad("there is no value here", text, span)
    if inside.startswith("[") or (inside.startswith("(") and inside.endswith(")") and len(_split(text, Span(span.start + 1, span.end - 1), ",")) > 1):
        return _read_list(text, span)
    parts = _split(text, span, ":")
    if len(parts) == 1:
        return _number(text, span)
    if len(parts) != 3:
        raise _bad("a grid is written start:stop:count", text, span)
    return _grid(text, parts)


def _read_list(text: str, span: Span) -> list[Nested]:
    """A nested list, its rows of equal length; an explicit stack, so depth costs nothing."""
    root: list[Nested] = []
    stack: list[list[Nested]] = []
    start = span.start
    closed = False
    for i in range(span.start, span.end):
        c = text[i]
        if closed and not c.isspace():
            raise _bad("there is something after the list", text, Span(i, span.end))
        if c in "[" or (c == "(" and not text[start:i].strip()):
            new = root if not stack else []
            if stack:
                stack[-1].append(new)
            stack.append(new)
            start = i + 1
        elif c in ",]" and _depth(text, start, i) == 0 or (c == ")" and _depth(text, start, i) == 0):
            if text[start:i].strip():
                stack[-1].append(_number(text, _stripped(text, Span(start, i))))
            elif c == "," and (i == start and text[i - 1] in "[(,"):
                raise _bad("a number is missing here", text, Span(i, i + 1))
            if c != ",":
                stack.pop()
                closed = not stack
            start = i + 1
    if stack:
        raise _bad("a bracket is not closed", text, span)
    return root


def _depth(text: str, start: int, end: int) -> int:
    part = text[start:end]
    return part.count("(") - part.count(")")


def _grid(text: str, parts: Sequence[Span]) -> Grid:
    start, stop = (_number(text, _stripped(text, part)) for part in parts[:2])
    where = _stripped(text, parts[2])
    count = text[slice(*where)]
    if not count.isascii() or not count.isdigit() or not 1 <= int(count[:9]) <= MAX_POINTS:
        raise _bad(f"the count of a grid is a whole number from 1 to {MAX_POINTS:,}", text, where)
    n = int(count)
    step = (stop.value - start.value) / (n - 1) if n > 1 else Fraction(0)
    return Grid(tuple(Exact(start.value + i * step, start.text if i == 0 else stop.text if i == n - 1 else "") for i in range(n)))


def _number(text: str, span: Span) -> Exact:
    """One number: decimal, hexadecimal float, or a constant expression."""
    inside = text[slice(*span)]
    match = _HEX.match(inside)
    if match and (match[2] or match[3]):
        value = Fraction(int(match[2] + match[3], 16)) * Fraction(2) ** (int(match[4]) - 4 * len(match[3]))
        return Exact(-value if match[1] == "-" else value, inside, match[1] == "-" and value == 0)
    try:
        program = parse(inside)
    except ProgramError as error:
        raise PointError([_moved(m, text, span) for m in error.mistakes]) from error
    if program.variables:
        raise _bad(f"a point is made of numbers, and `{program.variables[0]}` is not one", text, span)
    value = _rational(program)
    if value is None:
        value = _irrational(program, text, span)
    return Exact(value, inside, inside.startswith("-") and value == 0)


def _moved(mistake: Mistake, text: str, span: Span) -> Mistake:
    lead = len(text[slice(*span)]) - len(text[slice(*span)].lstrip())
    where = Span(mistake.span.start + span.start + lead, mistake.span.end + span.start + lead) if mistake.span else span
    return Mistake(mistake.code, mistake.message, text, where, mistake.help)


def _bad(message: str, text: str, span: Span) -> PointError:
    return PointError([Mistake("bad-number", message, text, span)])


def _rational(program: Program) -> Fraction | None:
    """The exact value where only numbers and `+ - * / **` occur."""
    values: list[Fraction] = []
    for node in program.nodes:
        if isinstance(node, Number) and isinstance(node.value, Fraction):
            values.append(node.value)
            continue
        if not isinstance(node, Call) or node.function not in ("add", "sub", "mul", "div", "neg", "pow"):
            return None
        args = [values[i] for i in node.args]
        # 40,000 bits: what `parse` lets through for exact constants; the rest goes to balls.
        if node.function == "pow" and (args[1].denominator != 1 or abs(args[1]) > 40_000 or abs(args[1]) * args[0].numerator.bit_length() > 40_000):
            return None
        try:
            values.append(_ARITHMETIC[node.function](*args))
        except ZeroDivisionError:
            return None
    return values[program.result]


_ARITHMETIC = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "pow": lambda a, b: Fraction(a ** int(b)),
}


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
    # Decimals inside an expression stay exact: only the finished number is rounded to the dtype.
    found = balls.run(scalars, {}, _POINT_BITS, lambda value: value)[scalars.result]
    if not found.is_finite() or (not found.is_zero() and found.rel_accuracy_bits() < _POINT_BITS // 2):
        raise _bad("this expression has no finite value", text, span)
    try:
        return balls.fraction(found)
    except OverflowError as error:
        raise _bad(f"this expression is {error}", text, span) from error
