"""SymPy's zero tests of constants, in its own process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sympy

from gradcheck_cli.functions import lookup
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Call, Number, fold

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradcheck_cli.symbolic.derivatives import Expression


class _Natives:
    """The world of SymPy's own functions, which know what they are at constants."""

    def number(self, node: Number) -> Expression:
        """An exact number."""
        if isinstance(node.value, float):
            raise TypeError("an infinity is no number")
        return sympy.Rational(node.value.numerator, node.value.denominator)

    def variable(self, name: str) -> Expression:
        """A constant has no inputs.

        Raises:
            KeyError: this one has.
        """
        raise KeyError(name)

    def call(self, node: Call, args: list[Expression]) -> Expression:
        """The function as its row states it in SymPy, or as it is derived from others.

        Raises:
            ValueError: SymPy lacks it.
        """
        row = lookup(node.function)
        if row.sympy is not None:
            return row.sympy(sympy, *args)
        if row.kind != "derived":
            raise ValueError(f"SymPy has no {row.name}")
        meaning = parse(row.meaning(row.bound(dict(node.settings))))
        bound = dict(zip(row.parsed.names, args, strict=True))
        return fold(meaning, self, bound)[meaning.result]


# What SymPy is asked of a number, the quickest first; each of these vanishes with it, near 0.
_ROUTES: tuple[Callable[[Expression], Any], ...] = (
    lambda number: number.is_zero,
    lambda number: number.equals(0),
    # A sum of angles, which SymPy does not add up.
    lambda number: sympy.expand_trig(sympy.sin(number)).equals(0),
    # A sum of logarithms.
    lambda number: (sympy.expand(sympy.exp(number)) - 1).equals(0),
)


def is_zero(text: str) -> bool | None:
    """Whether a constant in the tool's own language is 0 by SymPy's algebra, if it is known to be
    near 0; None where that says nothing.
    """
    program = parse(text)
    number = fold(program, _Natives(), {})[program.result]
    answers = []
    for route in _ROUTES:
        answers.append(route(number))
        if answers[-1]:
            return True
    # SymPy says False of what a few digits tell from 0, and of some zeros too.
    return None if set(answers) == {None} else False
