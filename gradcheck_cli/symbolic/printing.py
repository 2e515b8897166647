"""SymPy's formulas as text: its own printer, with every shared part printed once.

Most of SymPy's time for a formula goes into the order of its terms and factors. It is found here as
SymPy finds it, but once for each part, and without evaluating the coefficients to 15 digits first.
A law holds what is printed equal to what SymPy's own printers say.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy.core.exprtools import decompose_power
from sympy.printing.str import StrPrinter

from gradcheck_cli.calculus.collecting import TooLong
from gradcheck_cli.functions import lookup
from gradcheck_cli.language.text import argument_texts, setting_text
from gradcheck_cli.symbolic.derivatives import Expression, parts


class Order:
    """The order in which SymPy writes terms and factors, remembered for every part of some
    formulas.
    """

    def __init__(self) -> None:
        self._keys: dict[Expression, Any] = {}
        self._terms: dict[Expression, list[Expression]] = {}

    def learn(self, expression: Expression) -> None:
        """Before a deep expression is printed: find the keys of its parts, the innermost first.
        Sorting takes too much of the stack to go down.
        """
        for part in parts(expression):
            self.key(part)

    def factors(self, product: Expression) -> list[Expression]:
        """As `Mul.as_ordered_factors`."""
        return sorted(product.args, key=self.key)

    def terms(self, total: Expression) -> list[Expression]:
        """As `Add.as_ordered_terms`: by the powers in the terms, as a dictionary sorts words."""
        found = self._terms.get(total)
        if found is None:
            found = self._terms[total] = self._one_before_minus(total) or self._by_powers(total)
        return found

    def key(self, expression: Expression) -> Any:
        """As `Expr.sort_key`."""
        found = self._keys.get(expression)
        if found is None:
            found = self._keys[expression] = (
                expression.sort_key() if expression.is_Atom else self._key(expression)
            )
        return found

    def _key(self, expression: Expression) -> Any:
        coefficient, inner = expression.as_coeff_Mul()
        exponent = sympy.S.One
        if inner.is_Pow:
            inner, exponent = inner.as_base_exp()
        if inner.is_Atom:
            keys: tuple[Any, ...] = (str(inner),)
        else:
            inside = (
                self.terms(inner)
                if inner.is_Add
                else self.factors(inner)
                if inner.is_Mul
                else inner.args
            )
            keys = tuple([self.key(part) for part in inside])
        return inner.class_key(), (len(keys), keys), self.key(exponent), coefficient

    def _one_before_minus(self, total: Expression) -> list[Expression] | None:
        """`1 - x`, which SymPy does not write as `-x + 1`."""
        number, *rest = sorted(
            total.args, key=lambda term: not isinstance(term, sympy.Number | sympy.NumberSymbol)
        )
        if (
            len(rest) == 1
            and isinstance(number, sympy.Number | sympy.NumberSymbol)
            and rest[0].is_Mul
            and len(rest[0].args) == 2
        ):
            sign = rest[0].args[0]
            if isinstance(sign, sympy.Number) and number.is_positive and sign.is_negative:
                return [number, *rest]
        return None

    def _by_powers(self, total: Expression) -> list[Expression]:
        split = [(term, *self._powers(term)) for term in total.args]
        bases = sorted({base for _, _, powers in split for base in powers}, key=self.key)

        def key(entry: tuple[Expression, complex, dict[Expression, int]]) -> Any:
            _, coefficient, powers = entry
            return (
                tuple([-powers.get(base, 0) for base in bases]),
                (bool(coefficient.imag), coefficient.imag),
                (coefficient.real, coefficient.imag),
            )

        return [term for term, _, _ in sorted(split, key=key)]

    def _powers(self, term: Expression) -> tuple[complex, dict[Expression, int]]:
        """The number in front of a term, and the integer powers in it."""
        number, rest = term.as_coeff_Mul()
        coefficient, powers = (
            complex(float(number) if number.is_Rational else number),
            dict[Expression, int](),
        )
        for factor in rest.args if rest.is_Mul else () if rest is sympy.S.One else (rest,):
            if factor.is_number:
                try:
                    coefficient *= complex(factor)
                    continue
                except (TypeError, ValueError):
                    pass  # a function of numbers that SymPy cannot evaluate
            base, exponent = decompose_power(factor)
            powers[base] = exponent
        return coefficient, powers


class _Remembering:
    """A printer that prints every part once, with its terms and factors in the given order.

    Raises:
        TooLong: there are more than `limit` characters; a formula's text may be without end where
            the formula is not.
    """

    def __init__(self, order: Order | None = None, limit: float = float("inf")) -> None:
        # "none": SymPy's printers then take the factors as they stand.
        super().__init__({"order": "none"})  # type: ignore[call-arg]  # it stands before a printer
        self._limit = limit
        self._written = Order() if order is None else order
        self._printed: dict[Any, str] = {}

    def _print(self, expr: Expression, **kwargs: Any) -> str:
        wanted = (expr, *kwargs.items())
        found = self._printed.get(wanted)
        if found is None:
            found = self._printed[wanted] = super()._print(expr, **kwargs)  # type: ignore[misc]  # SymPy ships no types
            if len(found) > self._limit:
                raise TooLong
        return found

    def _as_ordered_terms(self, expr: Expression, order: None = None) -> list[Expression]:
        return self._written.terms(expr)

    def _print_Mul(self, expr: Expression) -> str:
        ordered = sympy.Mul._from_args(self._written.factors(expr)) if expr.is_Mul else expr
        return super()._print_Mul(ordered)  # type: ignore[misc, no-any-return]  # SymPy ships no types


class Printer(_Remembering, StrPrinter):  # type: ignore[misc]  # SymPy ships no types
    """SymPy's text form in the tool's own language, so that it can be read back."""

    def _print_Function(self, expr: Expression) -> str:
        row = lookup(getattr(expr, "row", ""))
        args = [self._print(a) for a in expr.args]
        if row.condition and row.operator != "not":
            return f"({args[0]} {row.operator} {args[1]})"
        if row.operator == "%":
            return f"(({args[0]}) % ({args[1]}))"
        args = argument_texts(row, args) + [
            f"{name}={setting_text(value)}"
            for name, value in expr.settings
            if value != row.bound({})[name]
        ]
        return f"(not {args[0]})" if row.operator == "not" else f"{row.name}({', '.join(args)})"

    def _print_Abs(self, expr: Expression) -> str:
        return f"abs({self._print(expr.args[0])})"

    def _print_sign(self, expr: Expression) -> str:
        return f"sign({self._print(expr.args[0])})"

    def _print_Exp1(self, expr: Expression) -> str:
        return "e"

    def _print_Infinity(self, expr: Expression) -> str:
        return "inf"

    def _print_NegativeInfinity(self, expr: Expression) -> str:
        return "-inf"
