"""Constants: exact values of literals and settings, their arithmetic, the limits on both."""

from __future__ import annotations

import ast
import re
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from gradcheck_cli.language.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradcheck_cli.functions.row import SettingValue

# The largest decimal exponent read: beyond it every dtype overflows or underflows.
MAX_EXPONENT = 5_000
# Python itself refuses integers of more than 4,300 digits.
MAX_DIGITS = 4_000
# Exact constants (`2**3000`) are followed up to this many bits; one beyond is an error, so
# `9**9**9` cannot hang.
MAX_BITS = 20_000

TOO_MANY_DIGITS = (
    f"this number has more than {MAX_DIGITS:,} digits or an exponent beyond {MAX_EXPONENT:,}"
)
_NOT_CONSTANT = "this setting must be a constant, such as 1 or 0.5"

_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**",
}  # fmt: skip
# As people and programs write numbers that are not finite: torch and NumPy `-inf` and `nan`, JSON
# of this tool the same, YAML `.inf`, Python `math.inf` and `float("inf")`.
_NONFINITE = re.compile(
    r"""[+-]?(?:(?:[A-Za-z_]\w*)?\.)?(?:inf|infinity|oo|nan)"""
    r"""|[+-]?float\((["'])[+-]?(?:inf|infinity|nan)\1\)""",
    re.IGNORECASE,
)
# Settings with which nothing is computed.
_IRRATIONAL = (bool, float, str, tuple, type(None))


class SizeError(ArithmeticError):
    """An exact value has too many bits."""


def constant(node: ast.expr, words: Callable[[ast.AST], str]) -> SettingValue:
    """The value of a constant expression; a decimal literal comes as the exact `Fraction` of its
    text.

    Args:
        words: gives the text of a node.
    Raises:
        NodeError: `node` is not constant, or too large.
    """
    match node:
        case ast.Constant(value=bool() | str() | None as value):
            return value
        case ast.Constant(value=int() as value):
            if value.bit_length() > MAX_BITS or len(words(node)) > MAX_DIGITS:
                raise NodeError("too-large", TOO_MANY_DIGITS, node)
            return value
        case ast.Constant(value=float()):
            try:
                return decimal(words(node))
            except SizeError as error:
                raise NodeError("too-large", str(error), node) from error
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as op, operand=operand):
            inner = constant(operand, words)
            if isinstance(inner, int | Fraction | float) and not isinstance(inner, bool):
                return -inner if isinstance(op, ast.USub) else inner
        case ast.Name(id="inf" | "oo") | ast.Attribute(attr="inf" | "oo", value=ast.Name()):
            return float("inf")
        case ast.Call(
            func=ast.Name(id="float"), args=[ast.Constant(value="inf" | "-inf" as inf)], keywords=[]
        ):
            return float(inf)
        case ast.Tuple(elts=elts) | ast.List(elts=elts):
            return tuple(constant(item, words) for item in elts)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            a, b = constant(left, words), constant(right, words)
            return _compute(_OPERATORS[type(op)], a, b, node)
    raise NodeError("not-constant", _NOT_CONSTANT, node)


def decimal(text: str) -> Fraction:
    """The exact value of a decimal literal.

    Raises:
        SizeError: it has too many digits, or its exponent is too large.
    """
    digits, _, power = text.replace("_", "").lower().partition("e")
    # Python reads no more than 4,300 digits; zeros in front say nothing.
    exponent = power.lstrip("+-").lstrip("0") or "0"
    is_huge = len(exponent) > len(str(MAX_EXPONENT)) or int(exponent) > MAX_EXPONENT
    if len(digits) > MAX_DIGITS or is_huge:
        raise SizeError(TOO_MANY_DIGITS)
    return Fraction(Decimal(f"{digits}e{'-' if power.startswith('-') else ''}{exponent}"))


def nonfinite(text: str) -> float | None:
    """The infinity or NaN that a text writes; None where it writes something else."""
    word = text.strip()
    if not _NONFINITE.fullmatch(word):
        return None
    if "nan" in word.lower():
        return float("nan")
    return float("-inf") if word.count("-") % 2 else float("inf")


def _compute(operator: str, a: SettingValue, b: SettingValue, node: ast.expr) -> SettingValue:
    """An operation of two numbers as Python means it: integers stay so, save in a division."""
    if isinstance(a, _IRRATIONAL) or isinstance(b, _IRRATIONAL):
        raise NodeError("not-constant", _NOT_CONSTANT, node)
    try:
        value = arithmetic(operator, Fraction(a), Fraction(b))
    except SizeError as error:
        raise NodeError("too-large", str(error), node) from error
    except ZeroDivisionError as error:
        raise NodeError("not-constant", "division by zero in a setting", node) from error
    if value is None:
        message = "a setting is a rational number: the exponent must be an integer"
        raise NodeError("not-constant", message, node)
    whole = isinstance(a, int) and isinstance(b, int) and operator != "/"
    return int(value) if whole and value.denominator == 1 else value


def arithmetic(operator: str, *values: Fraction, most: int = MAX_BITS) -> Fraction | None:
    """The exact value of `+ - * / **` or a minus sign; None where it is not rational, or not one of
    these.

    Raises:
        SizeError: it has more than `most` bits; found out before a power is computed.
        ZeroDivisionError: a division by zero.
    """
    match operator, values:
        case "+", (a, b):
            value = a + b
        case "-", (a, b):
            value = a - b
        case "*", (a, b):
            value = a * b
        case "/", (a, b):
            value = a / b
        case "-", (a,):
            value = -a
        case "**", (a, b) if b.denominator == 1:
            if abs(b) * max(_bits(a) - 1, 0) > most:
                raise _too_large(most)
            value = Fraction(a ** int(b))
        case _:
            return None
    if _bits(value) > most:
        raise _too_large(most)
    return value


def _too_large(most: int) -> SizeError:
    return SizeError(f"this constant has more than {most:,} bits")


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())
