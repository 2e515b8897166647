"""Program to gradient Program: reverse mode over scalar programs of primitives.

Scalar programs come from `worlds.scalars`: every node is one number, so a derivative needs no
shapes. What is built here is again a Program and runs in any world.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from gradcheck_cli.functions import RowError, lookup
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Builder, Call, CallSettings, Number, Program, Variable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def emit(builder: Builder, function: str, args: Sequence[int], settings: CallSettings = ()) -> int:
    """Index of an elementwise call, as primitives; exact constants are folded on the way.

    Raises:
        RowError: `function` works on arrays, so it has no scalar form.
    """
    row = lookup(function)
    if row.kind == "primitive":
        return _folded(builder, function, tuple(args))
    if row.kind == "structural":
        raise RowError(f"{function} works on arrays: it has no scalar form")
    return builder.include(
        meaning(function, settings), dict(zip(row.parsed.names, args, strict=True))
    )[0]


@cache
def meaning(function: str, settings: CallSettings) -> Program:
    """A derived elementwise function as primitives; its variables are the argument names."""
    row = lookup(function)
    return formula(row.meaning(row.bound(dict(settings))), _numbers(function, settings))


@cache
def formula(
    text: str,
    bound: tuple[tuple[str, int | Fraction | float], ...] = (),
    conditions: frozenset[str] = frozenset(),
) -> Program:
    """A text in the tool's own language as a Program of primitives, with settings bound to numbers."""
    builder = Builder()
    inputs = {
        name: builder.number(value, decimal=isinstance(value, Fraction)) for name, value in bound
    }
    return builder.program(*lower(builder, parse(text, conditions), inputs))


@cache
def conditions(function: str) -> frozenset[str]:
    """The arguments of a function that are comparisons."""
    return frozenset(p.name for p in lookup(function).parsed.args if p.kind == "condition")


def lower(builder: Builder, program: Program, inputs: Mapping[str, int]) -> tuple[int, ...]:
    """Copy `program` into `builder` as primitives, its variables replaced by `inputs`; gives its
    outputs.
    """
    where: list[int] = []
    for node in program.nodes:
        if isinstance(node, Call):
            where.append(emit(builder, node.function, [where[i] for i in node.args], node.settings))
        elif isinstance(node, Variable) and node.name in inputs:
            where.append(inputs[node.name])
        else:
            where.append(builder.add(node))
    return tuple(where[i] for i in program.outputs)


def _numbers(
    function: str, settings: CallSettings
) -> tuple[tuple[str, int | Fraction | float], ...]:
    return tuple(lookup(function).numbers(dict(settings)).items())


@cache
def partial(function: str, position: int) -> Program:
    """The exact partial of a primitive, as primitives over its argument names."""
    return formula(lookup(function).partials[position], (), conditions(function))


@cache
def torch_pullback(function: str, position: int, settings: CallSettings) -> Program | None:
    """What torch's backward evaluates for one argument, over the argument names, `ybar` and `y`;
    None if not stated.
    """
    row = lookup(function)
    return (
        formula(row.pullback[position], _numbers(function, settings), conditions(function))
        if row.pullback
        else None
    )


@cache
def is_elementwise(function: str, settings: CallSettings = ()) -> bool:
    """Whether a function acts on each element by itself, so that it has a scalar form."""
    row = lookup(function)
    if row.kind != "derived":
        return row.kind == "primitive"
    program = parse(row.meaning(row.bound(dict(settings))))
    return all(
        is_elementwise(node.function, node.settings)
        for node in program.nodes
        if isinstance(node, Call)
    )


def active(nodes: Sequence[Call | Number | Variable], wrt: frozenset[str]) -> list[bool]:
    """Which nodes carry a derivative: those that depend on `wrt` through numbers, not through a
    comparison.
    """
    found: list[bool] = []
    for node in nodes:
        if isinstance(node, Call):
            found.append(
                True in [found[i] for i in node.args] and not lookup(node.function).condition
            )
        else:
            found.append(isinstance(node, Variable) and node.name in wrt)
    return found


def adjoints(
    builder: Builder,
    output: int,
    wrt: frozenset[str],
    *,
    as_torch: bool = False,
    origin: list[int] | None = None,
) -> dict[int, int]:
    """Reverse mode: for every active node that `output` rests on, the node that holds d output / d
    node.

    Args:
        builder: holds `output`; the gradient program is added to it.
        wrt: the variables to differentiate.
        as_torch: use the pullback formulas of torch's backward instead of the exact partials.
        origin: for each node where it came from; extended for new nodes by the node they were made
            for.
    """
    alive = active(builder.nodes, wrt)
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
                term = _pulled_back(builder, i, node, position, found[i], as_torch=as_torch)
                if term is not None:
                    found[j] = _folded(builder, "add", (found[j], term)) if j in found else term
        if origin is not None:
            origin += [origin[i]] * (len(builder.nodes) - len(origin))
    return found


def _pulled_back(
    builder: Builder, index: int, node: Call, position: int, ybar: int, *, as_torch: bool
) -> int | None:
    """The cotangent that one argument of a node receives; None for a partial that is identically
    zero.
    """
    given = (*node.args, ybar, index)
    stencil = _pullback(
        node.function, position, node.settings, tuple([_exact(builder, i) for i in given]), as_torch
    )
    return None if stencil is None else stencil.copied(builder, given)


def slope_of(builder: Builder, node: Call, position: int) -> int | None:
    """Node of the exact partial, None where it is identically zero; for a derived function the
    derivative of its meaning.
    """
    known = (*[_exact(builder, i) for i in node.args], _ONE, None)
    stencil = _pullback(node.function, position, node.settings, known, False)
    # A cotangent of exactly 1 is folded, and no exact partial asks for the result: neither needs a
    # node.
    return None if stencil is None else stencil.copied(builder, (*node.args, -1, -1))


@dataclass(frozen=True)
class _Stencil:
    """A formula made to be copied often: its calls count what is given first, then its own steps."""

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


_ONE = Fraction(1)


# The constants are those of the user's programs and cotangents, of which there is no end.
@lru_cache(maxsize=4096)
def _pullback(
    function: str,
    position: int,
    settings: CallSettings,
    known: tuple[Fraction | None, ...],
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
        name: builder.variable(name) if value is None else builder.number(value)
        for name, value in zip(names, known, strict=True)
    }
    stated = torch_pullback(function, position, settings) if as_torch else None
    exact = (
        partial(function, position)
        if row.kind == "primitive"
        else _derived_partial(function, position, settings)
    )
    factor = lower(builder, exact if stated is None else stated, inputs)[0]
    if builder.nodes[factor] == Number(Fraction(0), decimal=False):
        return None
    return _stencil(
        builder.program(
            factor if stated is not None else _folded(builder, "mul", (inputs["ybar"], factor))
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


# What `_folded` may turn into something simpler.
_FOLDED = frozenset(("add", "sub", "mul", "neg", "maximum", "minimum", "pow", "where"))


def _folded(builder: Builder, function: str, args: tuple[int, ...]) -> int:
    """A primitive call, or what it comes to where that is plain: exact constants, times one, plus
    zero, to the power one.
    """
    if function not in _FOLDED:
        return builder.add(Call(function, args))
    known = [_exact(builder, i) for i in args]
    if function in ("add", "sub", "mul") and len(known) == 2:
        a, b = known
        if a is not None and b is not None:
            return builder.number(
                a + b if function == "add" else a - b if function == "sub" else a * b
            )
        if a == (1 if function == "mul" else 0) and function != "sub":
            return args[1]
        if b == (1 if function == "mul" else 0):
            return args[0]
        if function == "mul" and b == -1:
            return _folded(builder, "neg", args[:1])
    elif function == "neg" and known[0] is not None:
        return builder.number(-known[0])
    elif (function in ("maximum", "minimum") and args[0] == args[1]) or (
        function == "pow" and known[1] == 1
    ):
        return args[0]
    elif function == "where":
        test = builder.nodes[args[0]]
        if isinstance(test, Call) and test.function == "eq":
            sides = [_exact(builder, i) for i in test.args]
            if None not in sides:
                return args[1] if sides[0] == sides[1] else args[2]
    return builder.call(function, *args)


def _exact(builder: Builder, index: int) -> Fraction | None:
    """The value of a literal that no dtype rounds: an integer, or a short decimal such as 2.0 or
    0.25.
    """
    node = builder.nodes[index]
    if not isinstance(node, Number) or isinstance(node.value, float):
        return None
    # Eight bits over a small power of two: held by every dtype.
    short = abs(node.value.numerator) < 256 and node.value.denominator in (1, 2, 4, 8, 16)
    return node.value if short or not node.decimal else None
