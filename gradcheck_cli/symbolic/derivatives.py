"""SymPy's derivatives, in one pass over its tree for each variable: every shared part is
differentiated once.

The rules are SymPy's own, in SymPy's own arithmetic: `fdiff` of a function, and its formulas for
sums, products and powers. `sympy.diff` gives the same expressions in ten times the time: it asks
after each step whether what it found is zero, and SymPy's assumption engine searches long for an
answer. A law holds the two equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import sympy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Expression: TypeAlias = Any  # SymPy ships no types

_ZERO, _ONE = sympy.S.Zero, sympy.S.One
# Times zero they are not zero: SymPy's own rules keep those terms.
_UNBOUNDED = frozenset((sympy.oo, -sympy.oo, sympy.zoo, sympy.nan))


def derivatives(expression: Expression, variables: Iterable[Expression]) -> Iterator[Expression]:
    """What `sympy.diff` gives for each variable."""
    nodes = parts(expression)
    if not _UNBOUNDED.isdisjoint(nodes):
        yield from (sympy.diff(expression, variable) for variable in variables)
        return
    tree = _Tree(nodes)
    for variable in variables:
        yield tree.derivative(variable)


def parts(expression: Expression) -> list[Expression]:
    """Every part of an expression once, each after its own parts, itself last; no recursion over
    depth.
    """
    found: dict[Expression, None] = {}
    stack = [expression]
    while stack:
        waiting = (
            [arg for arg in stack[-1].args if arg not in found] if stack[-1] not in found else []
        )
        if waiting:
            stack += waiting
        else:
            found[stack.pop()] = None
    return list(found)


def spare(base: Expression) -> None:
    """Before a power is formed: spare SymPy a long search.

    It wants to know of a sum of two terms whether one is infinite, in case the other is imaginary.
    Nothing here is imaginary, and the answer, mostly that nobody knows, takes its assumption engine
    a millisecond.
    """
    if base.is_Add and len(base.args) == 2:
        for term in base.args:
            if term.args and "infinite" not in term._assumptions:
                term._assumptions = term._assumptions.copy()
                term._assumptions["infinite"] = None


class _Tree:
    """The parts of an expression by index, and what derivatives by several variables share."""

    def __init__(self, nodes: list[Expression]) -> None:
        self.nodes = nodes
        index = {node: i for i, node in enumerate(nodes)}
        self.args = [[index[arg] for arg in node.args] for node in nodes]
        self.symbols: list[frozenset[Expression]] = []
        for node, args in zip(nodes, self.args, strict=True):
            self.symbols.append(
                frozenset([node])
                if node.is_Symbol
                else frozenset().union(*[self.symbols[i] for i in args])
            )
        self.slopes: dict[tuple[int, int], Expression] = {}

    def derivative(self, variable: Expression) -> Expression:
        """SymPy's derivative of the last node."""
        found: list[Expression] = []
        for i, node in enumerate(self.nodes):
            inner = [found[j] for j in self.args[i]]
            if variable not in self.symbols[i]:
                found.append(_ZERO)
            elif node.is_Symbol:
                found.append(_ONE)
            elif node.is_Add:
                found.append(sympy.Add(*inner))
            elif node.is_Mul:
                found.append(_of_product(node.args, inner))
            elif node.is_Pow:
                found.append(_of_power(node, *inner))
            elif hasattr(node, "row"):
                found.append(
                    sympy.Add(
                        *[
                            self._slope(i, position) * slope
                            for position, slope in enumerate(inner)
                            if slope is not _ZERO
                        ]
                    )
                )
            else:
                # One of SymPy's own functions: some differentiate themselves in other ways than by
                # `fdiff`.
                found.append(sympy.diff(node, variable))
        return found[-1]

    def _slope(self, index: int, position: int) -> Expression:
        found = self.slopes.get((index, position))
        if found is None:
            found = self.slopes[index, position] = self.nodes[index].fdiff(position + 1)
        return found


def _of_product(factors: tuple[Expression, ...], slopes: list[Expression]) -> Expression:
    """As `Mul._eval_derivative_n_times`."""
    return sympy.Add(
        *[
            sympy.Mul(*factors[:k], slope, *factors[k + 1 :])
            for k, slope in enumerate(slopes)
            if slope is not _ZERO
        ]
    )


def _of_power(power: Expression, base_slope: Expression, exponent_slope: Expression) -> Expression:
    """As `Pow._eval_derivative`."""
    base, exponent = power.args
    if exponent_slope is _ZERO:
        return power * (base_slope * exponent / base)
    return power * (exponent_slope * sympy.log(base) + base_slope * exponent / base)
