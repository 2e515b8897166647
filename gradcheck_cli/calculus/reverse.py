"""Program to gradient Program: reverse mode over scalar programs of primitives.

Scalar programs come from `worlds.scalars`: every node is one number, so a derivative needs no
shapes. What is built here is again a Program and runs in any world.

Source: Griewank and Walther, Evaluating Derivatives (2008), section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from typing import TYPE_CHECKING, TypeAlias

from gradcheck_cli.calculus.folding import exact, fold_call
from gradcheck_cli.calculus.formulas import lower, meaning, partial, torch_pullback
from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Builder, Call, CallSettings, Number, Program, Variable

if TYPE_CHECKING:
    from collections.abc import Sequence, Set


def active(
    nodes: Sequence[Call | Number | Variable],
    wrt: frozenset[str],
    held: Set[int] = frozenset(),
) -> list[bool]:
    """Which nodes carry a derivative: those that depend on `wrt` through numbers, not through a
    comparison, nor through what is `held`.
    """
    found: list[bool] = []
    for i, node in enumerate(nodes):
        if i in held:
            found.append(False)
        elif isinstance(node, Call):
            row = lookup(node.function)
            ends = row.condition or row.stops
            found.append(not ends and True in [found[i] for i in node.args])
        else:
            found.append(isinstance(node, Variable) and node.name in wrt)
    return found


def adjoints(
    builder: Builder,
    output: int,
    wrt: frozenset[str],
    origin: list[int] | None = None,
    held: Set[int] = frozenset(),
) -> dict[int, int]:
    """Reverse mode: for every active node that `output` rests on, the node that holds d output / d
    node.

    Args:
        builder: holds `output`; the gradient program is added to it.
        wrt: the variables to differentiate.
        origin: for each node where it came from; extended for new nodes by the node they were made
            for.
        held: nodes that are taken for constants.
    """
    alive = active(builder.nodes, wrt, held)
    found: dict[int, int] = {}
    if not alive[output]:
        return found
    found[output] = builder.number(1)
    for i in range(output, -1, -1):
        node = builder.nodes[i]
        if i not in found or not isinstance(node, Call):
            continue
        for position, j in enumerate(node.args):
            if alive[j]:
                term = pulled_back(builder, i, node, position, found[i])
                if term is not None:
                    found[j] = fold_call(builder, "add", (found[j], term)) if j in found else term
        if origin is not None:
            origin += [origin[i]] * (len(builder.nodes) - len(origin))
    return found


def pulled_back(
    builder: Builder, index: int, node: Call, position: int, ybar: int, *, as_torch: bool = False
) -> int | None:
    """The cotangent that one argument of a node receives; None for a partial that is identically
    zero.

    Args:
        as_torch: use the pullback formula of torch's backward instead of the exact partial.
    """
    given = (*node.args, ybar, index)
    known = tuple([_ratio(builder, i) for i in given])
    stencil = _pullback(node.function, position, node.settings, known, as_torch)
    return None if stencil is None else stencil.copied(builder, given)


def slope_of(builder: Builder, node: Call, position: int) -> int | None:
    """Node of the exact partial, None where it is identically zero; for a derived function the
    derivative of its meaning. An error in what is stopped moves the value all the same: its slope
    is 1.
    """
    if lookup(node.function).stops:
        return builder.number(1)
    known = (*[_ratio(builder, i) for i in node.args], _ONE, None)
    stencil = _pullback(node.function, position, node.settings, known, False)
    # A cotangent of exactly 1 is folded, and no exact partial asks for the result: neither needs a
    # node.
    return None if stencil is None else stencil.copied(builder, (*node.args, -1, -1))


@dataclass(frozen=True)
class _Stencil:
    """A formula made to be copied often: its calls count what is given, then its own steps."""

    steps: tuple[Call | Number, ...]
    result: int

    def copied(self, builder: Builder, given: Sequence[int]) -> int:
        """Index of the formula's value for some given nodes."""
        where = list(given)
        for step in self.steps:
            where.append(
                builder.add(
                    Call(step.function, tuple([where[i] for i in step.args]), step.settings)
                    if isinstance(step, Call)
                    else step
                )
            )
        return where[self.result]


# An exact constant as a whole number over another: a Fraction takes ten times as long to be looked
# up.
_Ratio: TypeAlias = "tuple[int, int]"
_ONE: _Ratio = (1, 1)


def _ratio(builder: Builder, index: int) -> _Ratio | None:
    value = exact(builder, index)
    return None if value is None else value.as_integer_ratio()


# The constants are those of the user's programs and cotangents, of which there is no end.
@lru_cache(maxsize=4096)
def _pullback(
    function: str,
    position: int,
    settings: CallSettings,
    known: tuple[_Ratio | None, ...],
    as_torch: bool,
) -> _Stencil | None:
    """The cotangent of one argument, given the arguments, `ybar` and `y`; None if it is identically
    zero.

    What is `known` to be an exact constant is folded: torch, too, computes `y - 1` of `x**y` before
    it starts.
    """
    row = lookup(function)
    builder, names = Builder(), [*row.parsed.names, "ybar"]
    names.append("" if "y" in names else "y")  # an argument called y hides the result
    inputs = {
        name: builder.variable(name) if value is None else builder.number(Fraction(*value))
        for name, value in zip(names, known, strict=True)
    }
    stated = torch_pullback(function, position, settings) if as_torch else None
    slope = (
        partial(function, position)
        if row.kind == "primitive"
        else _derived_partial(function, position, settings)
    )
    factor = lower(builder, slope if stated is None else stated, inputs)[0]
    if builder.nodes[factor] == Number(Fraction(0), decimal=False):
        return None
    return _stencil(
        builder.program(
            factor if stated is not None else fold_call(builder, "mul", (inputs["ybar"], factor))
        ),
        names,
    )


def _stencil(program: Program, names: Sequence[str]) -> _Stencil:
    """A program of the variables `names`, to be given in that order."""
    where: list[int] = []
    steps: list[Call | Number] = []
    for node in program.nodes:
        if isinstance(node, Variable):
            where.append(names.index(node.name))
        else:
            where.append(len(names) + len(steps))
            steps.append(
                Call(node.function, tuple(where[i] for i in node.args), node.settings)
                if isinstance(node, Call)
                else node
            )
    return _Stencil(tuple(steps), where[program.result])


@cache
def _derived_partial(function: str, position: int, settings: CallSettings) -> Program:
    builder = Builder()
    output = builder.include(meaning(function, settings), {})[0]
    name = lookup(function).parsed.names[position]
    found = adjoints(builder, output, frozenset([name]))
    return builder.program(found.get(builder.index.get(Variable(name), -1), builder.number(0)))
