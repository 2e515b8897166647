"""Texts of the function table as scalar Programs of primitives: meanings, partials, pullbacks.

Every program here is made of numbers, variables and calls of primitive rows; its nodes are single
numbers (or, under a condition, true or false), so none of them has a shape.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

from gradcheck_cli.calculus.folding import fold_call
from gradcheck_cli.functions import lookup
from gradcheck_cli.functions.row import CallError, RowError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import (
    Builder,
    Call,
    CallSettings,
    Copying,
    Program,
    Variable,
    fold,
    prune,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradcheck_cli.functions.row import Function

# No name of an argument.
ITSELF = "f(x)"


def emit(builder: Builder, function: str, args: Sequence[int], settings: CallSettings = ()) -> int:
    """Index of an elementwise call, as primitives; exact constants are folded on the way.

    Raises:
        RowError: `function` works on arrays, so it has no scalar form.
    """
    row = lookup(function)
    if row.kind == "primitive":
        return fold_call(builder, function, tuple(args))
    if row.kind == "structural":
        raise RowError(f"{function} works on arrays: it has no scalar form")
    return builder.include(
        meaning(function, settings), dict(zip(row.parsed.names, args, strict=True))
    )[0]


@cache
def meaning(function: str, settings: CallSettings) -> Program:
    """A derived elementwise function as primitives; its variables are the argument names.

    Raises:
        CallError: a setting is no number where one is needed.
    """
    row = lookup(function)
    program = formula(row.meaning(row.bound(dict(settings))), _numbers(function, settings))
    require_numbers(row, settings, program)
    return program


def require_numbers(row: Function, settings: CallSettings, meaning: Program) -> None:
    """Nothing, if every setting that a meaning takes for a number is one.

    Raises:
        CallError: one is a text, a truth value or None.
    """
    given = dict(settings)
    for name in meaning.variables:
        if name in given and name not in row.numbers(given):
            raise CallError(f"`{name}` takes a number, not {given[name]!r}")


@cache
def formula(
    text: str,
    bound: tuple[tuple[str, int | Fraction | float], ...] = (),
    conditions: frozenset[str] = frozenset(),
) -> Program:
    """A text in the tool's own language as a Program of primitives.

    Args:
        bound: numbers that stand for some of its names, as settings do.
        conditions: its names that stand for comparisons.
    Raises:
        UserError: the text is none of the language.
        RowError: it calls a function of whole arrays.
    """
    builder = Builder()
    inputs = {
        name: builder.number(value, decimal=isinstance(value, Fraction)) for name, value in bound
    }
    return builder.program(*lower(builder, parse(text, conditions), inputs))


@cache
def conditions(function: str) -> frozenset[str]:
    """The arguments of a function that are comparisons."""
    return frozenset(p.name for p in lookup(function).parsed.args if p.kind == "condition")


class Lowering(Copying):
    """Calls of derived functions become primitives on the way."""

    def call(self, node: Call, args: list[int]) -> int:
        return emit(self.builder, node.function, args, node.settings)


def lower(builder: Builder, program: Program, inputs: Mapping[str, int]) -> tuple[int, ...]:
    """Indices of the outputs of `program`, copied into `builder` as primitives, its variables
    replaced by `inputs`.

    Raises:
        RowError: it calls a function of whole arrays.
    """
    values = fold(program, Lowering(builder), inputs)
    return tuple(values[i] for i in program.outputs)


def _numbers(
    function: str, settings: CallSettings
) -> tuple[tuple[str, int | Fraction | float], ...]:
    return tuple(lookup(function).numbers(dict(settings)).items())


@cache
def partial(function: str, position: int) -> Program:
    """The exact partial of a primitive by one argument, over its argument names."""
    return formula(lookup(function).partials[position], (), conditions(function))


@cache
def partial_by_value(function: str, position: int) -> Program:
    """As `partial`, over the value of the call as well, by the name `ITSELF`: that of exp is it."""
    program, row = partial(function, position), lookup(function)
    places = {node: i for i, node in enumerate(program.nodes)}
    own = Call(function, tuple(places.get(Variable(name), -1) for name in row.parsed.names))
    nodes = tuple(Variable(ITSELF) if node == own else node for node in program.nodes)
    return prune(Program(nodes, program.outputs))


@cache
def torch_pullback(function: str, position: int, settings: CallSettings) -> Program | None:
    """What torch's backward evaluates for one argument, over the argument names, `ybar` (the
    cotangent) and `y` (the result); None where the row states none.

    Source: `derivatives.yaml` of torch, and the kernels that it names.
    """
    texts = lookup(function).pulled_back(dict(settings))
    return (
        formula(texts[position], _numbers(function, settings), conditions(function))
        if texts
        else None
    )


@cache
def is_elementwise(function: str, settings: CallSettings = ()) -> bool:
    """Whether a function acts on each element by itself, so that it has a scalar form."""
    row = lookup(function)
    if row.kind != "derived":
        return row.kind == "primitive"
    try:
        program = parse(row.meaning(row.bound(dict(settings))))
    except CallError:  # told where the shapes are known
        return False
    return all(
        is_elementwise(node.function, node.settings)
        for node in program.nodes
        if isinstance(node, Call)
    )
