"""Constant expressions in points, such as `pi/4`: their values, exact where they are rational."""

from __future__ import annotations

from fractions import Fraction
from time import thread_time

from gradcheck_cli.functions import lookup
from gradcheck_cli.language.constants import arithmetic
from gradcheck_cli.language.errors import Mistake, PointError, ProgramError, Span, elide
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Call, Number, Program
from gradcheck_cli.language.reading import read_program

# An irrational point such as pi/4 is wanted to this many bits; a dtype keeps at most 53 of them.
# The precision is raised as far as sin(1e1000) needs it.
_POINT_BITS, _PRECISIONS, _SECONDS = 200, (400, 1_600, 6_400), 2.0
# Exact points are followed up to this many bits: 1e5000 + 1e-5000 has 33,000.
_MAX_BITS = 100_000


def value_of(text: str, span: Span) -> tuple[Fraction, str]:
    """The value of a constant expression, exact if it is rational, else to `_POINT_BITS` bits; and
    the expression in the language.

    Raises:
        PointError: it has no value, or it has inputs.
        SizeError: it has more than `_MAX_BITS` bits.
    """
    try:
        program = _expression(text[slice(*span)])
    except ProgramError as error:
        raise PointError([_in_point(m, text, span) for m in error.mistakes]) from error
    if program.variables:
        name = elide(program.variables[0])
        raise bad_number(f"a point is made of numbers, and `{name}` is not one", text, span)
    value = _rational(program)
    return _irrational(program, text, span) if value is None else value, program.text


def _expression(words: str) -> Program:
    """The program of one expression, as people paste it where it is not the language's."""
    try:
        program = parse(words, single=True)
    except ProgramError as error:
        try:
            return parse(read_program(words).text, single=True)
        except ProgramError:
            raise error from None
    return program if words.isascii() else parse(read_program(words).text, single=True)


def _in_point(mistake: Mistake, text: str, span: Span) -> Mistake:
    """A mistake of the expression at its place in the whole text."""
    inner = mistake.span
    where = Span(inner.start + span.start, inner.end + span.start) if inner else span
    return Mistake(mistake.code, mistake.message, text, where, mistake.help)


def bad_number(message: str, text: str, span: Span) -> PointError:
    """What is not a number, at its place."""
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
            sign = lookup(node.function).operator
            try:
                value = arithmetic(sign, *(values[i] for i in node.args), most=_MAX_BITS)
            except ZeroDivisionError:
                return None
        elif isinstance(node, Number) and isinstance(node.value, Fraction):
            value = node.value
        if value is None:
            return None
        values.append(value)
    return values[program.result]


def _irrational(program: Program, text: str, span: Span) -> Fraction:
    """The value to `_POINT_BITS` bits, at rising precision."""
    from gradcheck_cli.worlds import balls
    from gradcheck_cli.worlds.scalars import ShapeError, TooLarge, expand

    try:
        expansion = expand(program, {})
    except (ShapeError, TooLarge) as error:
        raise bad_number(f"this is not a number: {error}", text, span) from error
    output = expansion.values[program.result]
    if not isinstance(output, int):
        raise bad_number("this is not a single number", text, span)
    scalars = expansion.builder.program(output)
    machine, deadline = balls.Machine(scalars), thread_time() + _SECONDS
    try:
        for bits in _PRECISIONS:
            # Decimals inside an expression stay exact: only the finished number is rounded to the
            # dtype.
            ball = machine.run({}, bits, lambda value: value, deadline)[scalars.result]
            if ball.is_finite() and (ball.is_zero() or ball.rel_accuracy_bits() >= _POINT_BITS):
                return balls.midpoint(ball)
    except OverflowError as error:
        raise bad_number(f"this expression is {error}", text, span) from error
    except balls.OutOfTime as error:
        raise bad_number(
            f"this expression has no value within {_SECONDS:g} s", text, span
        ) from error
    words = "cannot be told from 0" if ball.is_finite() else "has no finite value"
    raise bad_number(f"this expression {words}", text, span)
