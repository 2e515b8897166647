"""Points from values of Python: numbers, nested lists, arrays and tensors, exact as they are."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import copysign, inf, nan
from numbers import Rational
from typing import Any

from gradcheck_cli.language.constants import SizeError, decimal
from gradcheck_cli.language.errors import PointError, mistake, object_text
from gradcheck_cli.language.text import integer_text
from gradcheck_cli.questions.arrays import MAX_DIMENSIONS
from gradcheck_cli.questions.numbers import Exact, Grid, Nested, NonFinite, read_value

# What a tensor may be that holds no plain numbers, and what makes one of it that does.
_FORMS = (
    ("is_meta", "a tensor without numbers (device `meta`)", ""),
    ("is_quantized", "a quantized tensor", "`.dequantize()` gives its numbers"),
    ("is_nested", "a nested tensor", "give lists or a tensor of one shape"),
)


def read_object(name: str, value: Any) -> Nested | Grid:
    """What an input called `name` is set to: a text as on the command line, or a number, an array
    or nested lists of such, which mean exactly what they are.

    Raises:
        PointError: it is none of these.
    """
    return _read(name, value, 0)


def _read(name: str, value: Any, depth: int) -> Nested | Grid:
    if isinstance(value, str):
        return read_value(value)
    if hasattr(value, "tolist"):
        value = _listed(name, value)
    if not isinstance(value, list | tuple):
        return _number(name, value)
    if depth > MAX_DIMENSIONS:  # a list that holds itself has no end
        raise mistake("too-deep", f"`{name}` has more than {MAX_DIMENSIONS} dimensions")
    items: list[Nested] = []
    for item in value:
        read = _read(name, item, depth + 1)
        if isinstance(read, Grid):
            raise mistake("bad-number", f"`{name}` has a grid inside a list")
        items.append(read)
    return items


def _listed(name: str, value: Any) -> Any:
    """An array or a tensor as nested lists; one number as itself."""
    for attribute, form, way_out in _FORMS:
        if getattr(value, attribute, False) is True:
            raise mistake("bad-number", f"`{name}` is {form}", help=way_out)
    if str(getattr(value, "layout", "torch.strided")) != "torch.strided":
        form = f"`{name}` is a sparse tensor ({value.layout})"
        raise mistake("bad-number", form, help="`.to_dense()` gives all of its elements")
    try:
        return value.tolist()
    except Exception as error:
        raise _no_number(name, value) from error


def _number(name: str, value: Any) -> Exact | NonFinite:
    if isinstance(value, bool):
        raise _no_number(name, value)
    try:
        if isinstance(value, Decimal) and value.is_finite():
            return Exact(decimal(str(value)), str(value), value.is_zero() and value.is_signed())
        if isinstance(value, Rational):
            numerator, denominator = value.numerator, value.denominator
        else:
            numerator, denominator = value.as_integer_ratio()
    except (OverflowError, ValueError):  # an infinity; NaN, which Decimal may refuse to compare
        infinite = str(value).lower().lstrip("+-").startswith("inf")
        number = copysign(inf, value) if infinite else nan
        return NonFinite(number, repr(number))
    except SizeError as error:
        raise mistake("too-large", f"`{name}`: {error}") from error
    except Exception as error:
        raise _no_number(name, value) from error
    exact = Fraction(int(numerator), int(denominator))
    return Exact(exact, _words(value, exact), not exact and str(value).startswith("-"))


def _words(value: Any, exact: Fraction) -> str:
    """How a number is written: a float as Python does it, another one by its exact value."""
    if isinstance(value, float):
        return repr(float(value))
    if exact.denominator == 1:
        return integer_text(exact.numerator)
    is_power = exact.denominator & (exact.denominator - 1) == 0
    binary = is_power and not isinstance(value, Fraction)
    fraction = f"{integer_text(exact.numerator)}/{integer_text(exact.denominator)}"
    return str(value) if binary else fraction


def _no_number(name: str, value: Any) -> PointError:
    """The mistake that something is no number."""
    way_out = 'give numbers, lists of them, an array, a tensor, or a text such as "pi/4"'
    return mistake("bad-number", f"`{name}` = {object_text(value)} is not a number", help=way_out)
