"""Closed forms as programs of the language, for those who know more of numbers than our algebra."""

from __future__ import annotations

from fractions import Fraction
from math import gcd, lcm
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcheck_cli.calculus.formulas import is_elementwise
from gradcheck_cli.functions import table
from gradcheck_cli.language.program import Builder, Program, in_reading_order
from gradcheck_cli.language.text import program_text
from gradcheck_cli.worlds.closed_forms import MOST_BITS

if TYPE_CHECKING:
    from gradcheck_cli.worlds.closed_forms import Atom, ClosedForm, Monomial

# Forms that are deeper, or programs that are longer, are of use to nobody.
_DEEPEST, _LONGEST = 40, 400


class _NoProgram(Exception):
    """A form has no program of bearable size, or a function that the language lacks."""


def program_of(form: ClosedForm) -> Program | None:
    """A program without inputs: its first output is what stands above in a form, times a rational
    number, so that all multiples have the same program; the others are the terms that this is the
    sum of. None where there is none of bearable size.
    """
    numerators = [int(c.p) for c in form.above.values()]
    scale = Fraction(lcm(*(int(c.q) for c in form.above.values())), gcd(*numerators) or 1)
    writer = _Writer()
    try:
        terms = writer.terms(
            {m: Fraction(int(c.p), int(c.q)) * scale for m, c in form.above.items()}
        )
    except _NoProgram:
        return None
    if terms and terms[0].is_negative:
        terms = [term.negated for term in terms]
    total = writer.sum_of(terms)
    return writer.builder.program(total, *(term.node for term in terms))


def result_text(program: Program) -> str:
    """The text of a program's first output, the same however its nodes are numbered."""
    return program_text(in_reading_order(Program(program.nodes, program.outputs[:1])))


class _Term(NamedTuple):
    """A node, or what is to be added to a sum by taking it away."""

    node: int
    is_negative: bool

    @property
    def negated(self) -> _Term:
        return self._replace(is_negative=not self.is_negative)


class _Writer:
    """Adds forms to a program, each atom once. What it writes does not depend on which atoms were
    made first.
    """

    def __init__(self) -> None:
        self.builder = Builder()
        self._atoms: dict[Atom, int] = {}
        self._depth = 0

    def sum_of(self, terms: list[_Term]) -> int:
        """The node of a sum, what is to be added first."""
        in_order = sorted(terms, key=lambda term: term.is_negative)
        (total, is_negative), *rest = in_order or [_Term(self.builder.number(0), False)]
        if is_negative:
            total = self.builder.call("neg", total)
        for node, is_less in rest:
            total = self.builder.call("sub" if is_less else "add", total, node)
        return total

    def terms(self, coefficients: dict[Monomial, Fraction]) -> list[_Term]:
        """The terms of a polynomial, in the order of their texts."""
        found = [_Term(self._term(abs(c), m), c < 0) for m, c in coefficients.items()]
        return sorted(found, key=lambda term: self._text(term.node))

    def _text(self, node: int) -> str:
        return result_text(self.builder.program(node))

    def _polynomial(self, polynomial: dict[Monomial, Any]) -> int:
        exact = {m: Fraction(int(c.p), int(c.q)) for m, c in polynomial.items()}
        return self.sum_of(self.terms(exact))

    def _form(self, form: ClosedForm) -> int:
        self._depth += 1
        if self._depth > _DEEPEST or len(self.builder.nodes) > _LONGEST:
            raise _NoProgram
        total = self._polynomial(form.above)
        if form.below is not None:
            total = self.builder.call("div", total, self._polynomial(form.below))
        self._depth -= 1
        return total

    def _term(self, c: Fraction, monomial: Monomial) -> int:
        factors = sorted((self._power(a, Fraction(k)) for a, k in monomial), key=self._text)
        if c.numerator != 1 or not factors:
            factors.insert(0, self._number(c.numerator))
        total, *rest = factors
        for factor in rest:
            total = self.builder.call("mul", total, factor)
        if c.denominator == 1:
            return total
        return self.builder.call("div", total, self._number(c.denominator))

    def _number(self, value: Fraction | int) -> int:
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > MOST_BITS:
            raise _NoProgram
        return self.builder.number(value)

    def _power(self, a: Atom, k: Fraction) -> int:
        base = self._atom(a)
        if k == Fraction(1, 2):
            return self.builder.call("sqrt", base)
        return base if k == 1 else self.builder.call("pow", base, self._number(k))

    def _atom(self, a: Atom) -> int:
        if a not in self._atoms:
            self._atoms[a] = self._call(a)
        return self._atoms[a]

    def _call(self, a: Atom) -> int:
        (name, *_), args = a.key
        nodes = [self._form(arg) for arg in args]
        if name == "root":
            # The atom is the number itself; its powers are the roots.
            return nodes[0]
        row = table().get(name)
        if row is None or row.condition or row.parsed.settings or not is_elementwise(name):
            raise _NoProgram
        if len(row.parsed.args) != len(nodes):
            raise _NoProgram
        return self.builder.call(name, *nodes)
