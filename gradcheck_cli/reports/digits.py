"""Numbers at the length that a table has room for: rounded, never cut."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_UP, Context, Decimal
from math import isfinite

# No float64 has more significant digits.
ALL_DIGITS = 17
# What a terminal of 80 columns has room for.
SHORT = 12


def rounded(value: float, digits: int = ALL_DIGITS) -> str:
    """A number to so many significant digits: as `repr` writes it where that has no more of them,
    else the shorter of `0.00074` and `7.4e-4`.
    """
    whole = repr(value)
    if digits >= ALL_DIGITS or not isfinite(value) or len(_figures(whole)) <= digits:
        return whole
    short = Context(prec=digits).create_decimal(whole)
    # Zeros before the point would pass for known digits.
    fixed = f"{short:f}" if int(short.as_tuple().exponent) <= 0 else None
    return min(filter(None, (fixed, _scientific(short))), key=len)


def with_bar(
    value: float, radius: float, digits: int = ALL_DIGITS, bar: int = 2, space: str = " "
) -> str:
    """`value ± radius`: the radius rounded up to `bar` digits, the value to its last digit.

    Args:
        digits: of the value at the most; what is rounded off then is not in the bar, which stays
            that of the estimate.
    """
    between = f"{space}±{space}"
    if not isfinite(value) or not isfinite(radius):
        return f"{rounded(value, digits)}{between}{radius!r}"
    if radius == 0:
        return f"{rounded(value, digits)}{between}0"
    middle, shift = _to_the_bar(value, radius, bar)
    # What rounding shifts the value by belongs into the bar, or the printed bar would claim too
    # much.
    up = Context(prec=40, rounding=ROUND_CEILING).add(Decimal(radius), shift)
    width = float(Context(prec=bar, rounding=ROUND_UP).plus(up))
    if len(_figures(middle, zeros=True)) > digits:
        middle = rounded(value, digits)
    return f"{middle}{between}{width!r}" if bar > 1 else f"{middle}{between}{_bare(width)}"


def to_the_bar(value: float, radius: float, digits: int = ALL_DIGITS) -> str:
    """The value alone, without digits that its radius makes meaningless."""
    if not (isfinite(value) and isfinite(radius) and radius):
        return rounded(value, digits)
    middle = _to_the_bar(value, radius, 2)[0]
    return middle if len(_figures(middle, zeros=True)) <= digits else rounded(value, digits)


def amount(number: float, digits: int = 4) -> str:
    """How many ulp, or another size, in a cell: `24.6`, `4501`, `6.4e12`."""
    if not isfinite(number):
        return repr(number)
    if 1e-3 <= number < 9999.5 or not number:
        most = min(digits, 2 if number < 1 else 3 if number < 100 else 4)
        return f"{number:.{most}g}" if number < 10**most else f"{number:.0f}"
    mantissa, _, exponent = f"{number:.{min(digits, 2) - 1}e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def _to_the_bar(value: float, radius: float, bar: int) -> tuple[str, Decimal]:
    """The rounded value, and by how much rounding shifts it."""
    full = Decimal(repr(value))
    place = Decimal(radius).adjusted() - bar + 1
    if int(full.as_tuple().exponent) >= place:
        return repr(value), Decimal(0)
    short = full.quantize(Decimal((0, (1,), place)), context=Context(prec=40))
    return _plain(short), abs(short - full)


def _plain(value: Decimal) -> str:
    """A decimal the way `repr` writes floats, its trailing zeros kept: they are known digits."""
    if not value:
        return "0"
    return f"{value:f}" if -5 < value.adjusted() < 16 else f"{value:e}"


def _scientific(value: Decimal) -> str:
    """`7.4e-4`, without the padding of `7.4e-04`."""
    mantissa, _, exponent = f"{value:e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def _bare(value: float) -> str:
    """A float of one digit: `8e-13`, `0.02`."""
    short = Decimal(repr(value)).normalize()
    return min(repr(value).removesuffix(".0"), _scientific(short), key=len)


def _figures(text: str, *, zeros: bool = False) -> str:
    """The significant digits of a number; trailing zeros are some only where they are known."""
    mantissa = text.partition("e")[0].lstrip("-").replace(".", "").lstrip("0")
    return (mantissa if zeros else mantissa.rstrip("0")) or "0"
