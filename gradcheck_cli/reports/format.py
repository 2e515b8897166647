"""Numbers and names as text, for every format that people read. A number is never cut short."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_UP, Context, Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.records.record import typed_text

if TYPE_CHECKING:
    from collections.abc import Sequence

# What stands where a witness has nothing to say.
NOTHING = "—"
# An array longer than a line is told by its first numbers and its shape.
MAX_LINE, FIRST_NUMBERS = 100, 3


def array_text(value: Any, *, whole: bool = False) -> str:
    """An array, or nested lists, as nested lists; one longer than a line as its first numbers and
    its shape.
    """
    array = np.asarray(value)
    if whole or array.size * 2 <= MAX_LINE:
        text = typed_text(array.tolist())
        if whole or len(text) <= MAX_LINE:
            return text
    first = ", ".join(typed_text(value) for value in array.reshape(-1)[:FIRST_NUMBERS].tolist())
    return f"{first}, … ({array.size:,} numbers, shape {tuple(array.shape)})"


def torch_number(value: float, dtype: str) -> str:
    """What torch answered: shortest digits for float64, the nine that tell all float32 apart, and
    16-bit numbers, being short, whole.
    """
    return repr(float(f"{value:.9g}") if dtype == "float32" else value)


def with_bar(value: float, radius: float) -> str:
    """`value ± radius`: the radius rounded up to two digits, the value to the radius's last digit."""
    if not isfinite(value) or not isfinite(radius):
        return f"{value!r} ± {radius!r}"
    if radius == 0:
        return f"{value!r} ± 0"
    shown, moved = _to_the_bar(value, radius)
    # What rounding the value moved it belongs into the bar, or the printed bar would claim too
    # much.
    bar = Context(prec=2, rounding=ROUND_UP).plus(
        Context(prec=40, rounding=ROUND_CEILING).add(Decimal(radius), moved)
    )
    return f"{shown} ± {float(bar)!r}"


def to_the_bar(value: float, radius: float) -> str:
    """The value alone, without digits that its radius makes meaningless."""
    return (
        _to_the_bar(value, radius)[0]
        if isfinite(value) and isfinite(radius) and radius
        else repr(value)
    )


def _to_the_bar(value: float, radius: float) -> tuple[str, Decimal]:
    """The rounded value, and by how much rounding moved it."""
    full = Decimal(repr(value))
    place = Decimal(radius).adjusted() - 1
    if int(full.as_tuple().exponent) >= place:
        return repr(value), Decimal(0)
    rounded = full.quantize(Decimal((0, (1,), place)), context=Context(prec=40))
    return _plain(rounded), abs(rounded - full)


def _plain(value: Decimal) -> str:
    """A decimal the way `repr` writes floats, its trailing zeros kept: they are known digits."""
    if not value:
        return "0"
    return f"{value:f}" if -5 < value.adjusted() < 16 else f"{value:e}"


def partial_name(variable: str, index: Sequence[int]) -> str:
    """`∂f/∂x`, `∂f/∂W[0,1]`."""
    return f"∂f/∂{variable}" + (f"[{','.join(map(str, index))}]" if index else "")


def escape_controls(text: str) -> str:
    """A user's text with everything that could drive a terminal (escape sequences, text direction)
    written as escapes.
    """
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode()
        for c in text.expandtabs(4)
    )


def count_of(number: int, noun: str) -> str:
    """`1 case`, `2 cases`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
