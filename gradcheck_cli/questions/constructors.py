"""Values of a point that are written as calls, as torch and NumPy have them: tensors, grids and
distributions.
"""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from math import ceil, prod
from typing import TYPE_CHECKING

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.functions import names
from gradcheck_cli.language.errors import Mistake, PointError, Span, UserError, did_you_mean, elide
from gradcheck_cli.language.text import integer_text
from gradcheck_cli.questions.invocation import Invocation, Parameters, bound, closing, sizes_of
from gradcheck_cli.questions.laws import LAWS, MAX_ELEMENTS, is_lawful
from gradcheck_cli.questions.numbers import (
    MAX_POINTS,
    Exact,
    Grid,
    Nested,
    NonFinite,
    check_brackets,
    read_number,
    read_value,
    stripped,
)
from gradcheck_cli.questions.points import Sample, shaped

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradcheck_cli.questions.points import Given

_CALL = re.compile(
    r"(?:(?:torch|np|numpy|jnp)\.(?:random\.)?|random\.)?([A-Za-z_]\w*)\s*\(", re.ASCII
)


def read_given(text: str, span: Span | None = None) -> Given:
    """What a text gives an input: as `read_value`, or a call of a constructor: `ones(2, 3)`,
    `linspace(0, 1, 5)`, `randn(3)`.

    Raises:
        PointError: the text is none of these.
    """
    span = stripped(text, span or Span(0, len(text)))
    check_brackets(text, span)
    call = _CALL.match(text, *span)
    if call and closing(text, call.end() - 1) == span.end - 1:
        if call[1] in MAKERS:
            return _made(text, span, call)
        if call[1] not in names() and (near := did_you_mean(call[1], MAKERS)):
            message = f"no function named `{elide(call[1])}`"
            where = Span(*call.span(1))
            raise PointError([Mistake("unknown-function", message, text, where, near)])
    try:
        return read_value(text, span)
    except UserError as error:
        raise PointError([_alone(each) for each in error.mistakes]) from error


def _made(text: str, span: Span, call: re.Match[str]) -> Given:
    takes, make = MAKERS[call[1]]
    return make(bound(text, span, call, takes))


def _alone(mistake: Mistake) -> Mistake:
    """A mistake of an expression; that of a constructor in it says where it may stand."""
    word = mistake.span and mistake.text[slice(*mistake.span)].rpartition(".")[2]
    if mistake.code != "unknown-function" or word not in MAKERS:
        return mistake
    message = f"`{word}(...)` stands alone in a point, not in an expression or a list"
    return replace(mistake, code="bad-number", message=message, help="")


def _tensor(made: Invocation) -> Given:
    """One value; a grid within it becomes a vector."""
    value = read_given(made.text, made.given["data"])
    if not isinstance(value, Grid):
        return value
    made.require_bearable((len(value),))
    return [_spelled(value[i]) for i in range(len(value))]


def _spelled(number: Exact) -> Exact:
    exact = number.value
    bottom = "" if exact.denominator == 1 else f"/{integer_text(exact.denominator)}"
    return number if number.text else Exact(exact, f"{integer_text(exact.numerator)}{bottom}")


def _filled(shape: tuple[int, ...], value: Exact | NonFinite) -> Nested:
    return shaped([value] * prod(shape), shape)


def _full(made: Invocation) -> Given:
    sizes = sizes_of(made.text, made.given["size"])
    made = replace(made, sizes=tuple(sizes))
    return _filled(made.shape(), read_number(made.text, made.given["fill_value"]))


def _eye(made: Invocation) -> Given:
    rows = made.whole("n", MAX_ELEMENTS)
    columns = made.whole("m", MAX_ELEMENTS) if "m" in made.given else rows
    made.require_bearable((rows, columns))
    return [[_ONE if i == k else _ZERO for k in range(columns)] for i in range(rows)]


def _linspace(made: Invocation) -> Given:
    return Grid(made.number("start"), made.number("stop"), made.whole("steps", MAX_POINTS))


def _arange(made: Invocation) -> Given:
    """As Python counts: the stop is left out; one number alone is the stop."""
    alone = "stop" not in made.given
    start = Exact(Fraction(0), "0") if alone else made.number("start")
    stop = made.number("start" if alone else "stop")
    step = made.number("step", "1").value
    count = ceil((stop.value - start.value) / step) if step else 0
    if not 1 <= count <= MAX_POINTS:
        most = f"1 to {MAX_POINTS:,} are accepted"
        raise made.mistake("bad-number", f"this range has {max(count, 0):,} numbers; {most}")
    return Grid(start, _spelled(Exact(start.value + (count - 1) * step, "")), count)


def _drawn(law: str) -> Callable[[Invocation], Given]:
    """Draws of a distribution, the number of points and the seed left open."""

    def make(made: Invocation) -> Given:
        low, high = made.number("low", "0"), made.number("high", "1")
        if max(abs(low.value), abs(high.value)) > DTYPES["float64"].largest:
            raise made.mistake("out-of-range", "this is beyond what a float64 holds")
        if not is_lawful(law, float(low.value), float(high.value)):
            rule = LAWS[law].rule.replace(f"`{LAWS[law].low}`", "the first number")
            rule = rule.replace(f"`{LAWS[law].high}`", "the second number")
            raise made.mistake("bad-range", f"of `{made.name}` {rule}")
        return Sample(law, low, high, 1, made.shape())

    return make


_DATA = Parameters((("data", "object", "a"),), 1)
_ENDS = Parameters((("low", "a", "from", "minval"), ("high", "b", "to", "maxval")), 2, shaped=True)
_MOMENTS = Parameters((("low", "mean", "loc"), ("high", "std", "scale")), 0, shaped=True)
_SIZE = Parameters((), 0, shaped=True)
_ONE, _ZERO = Exact(Fraction(1), "1"), Exact(Fraction(0), "0")

# fmt: off
MAKERS: dict[str, tuple[Parameters, Callable[[Invocation], Given]]] = {
    **dict.fromkeys(("tensor", "as_tensor", "array", "asarray"), (_DATA, _tensor)),
    "ones":       (_SIZE, lambda made: _filled(made.shape(), _ONE)),
    "zeros":      (_SIZE, lambda made: _filled(made.shape(), _ZERO)),
    "full":       (Parameters((("size", "shape"), ("fill_value",)), 2), _full),
    "eye":        (Parameters((("n", "N"), ("m", "M")), 1), _eye),
    "linspace":   (Parameters((("start",), ("stop", "end"), ("steps", "num")), 3), _linspace),
    "arange":     (Parameters((("start",), ("stop", "end"), ("step",)), 1), _arange),
    "rand":       (_SIZE, _drawn("uniform")),
    "randn":      (_SIZE, _drawn("normal")),
    "normal":     (_MOMENTS, _drawn("normal")),
    "uniform":    (_ENDS, _drawn("uniform")),
    "loguniform": (_ENDS, _drawn("logspace")),
}
# fmt: on
