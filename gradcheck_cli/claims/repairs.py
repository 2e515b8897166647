"""One change of a claim that makes it right: a transpose, a sign, a power, another name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from gradcheck_cli.functions import lookup, operators
from gradcheck_cli.language.libraries import ATTRIBUTES
from gradcheck_cli.language.program import Builder, Call, Number, Program, Variable, with_args

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    # Given a builder and the arguments of a node there, the node that stands in its place.
    Change: TypeAlias = Callable[[Builder, Sequence[int]], int]

# A sign with two arguments that people take for another, and what is then to be said.
_MISTAKEN = {
    "+": ("-", "the sign of `{1}` is wrong"),
    "-": ("+", "the sign of `{1}` is wrong"),
    "*": ("/", "`{1}` multiplies where it should divide"),
    "/": ("*", "`{1}` divides where it should multiply"),
}


class Repair(NamedTuple):
    """A changed claim, and the change in words."""

    words: str
    program: Program


def repairs(program: Program, names: Sequence[str]) -> Iterator[Repair]:
    """Programs that differ from one in one step.

    Args:
        names: what may stand in the place of a name.
    """
    for i, node in enumerate(program.nodes):
        if isinstance(node, Call):
            changes = _of_call(program, node)
        elif isinstance(node, Variable):
            changes = _of_name(node, names)
        else:
            continue
        for words, change in changes:
            yield Repair(words, _changed(program, i, change))


def _of_name(node: Variable, names: Sequence[str]) -> Iterator[tuple[str, Change]]:
    for name in names:
        if name != node.name:
            yield f"`{node.name}` stands where `{name}` should", _naming(name)


def _of_call(program: Program, node: Call) -> Iterator[tuple[str, Change]]:
    sign, said = lookup(node.function).operator, [program.source(j) for j in node.args]
    if len(node.args) != 2:
        return
    if sign == "@":
        for k in (0, 1):
            yield f"`{said[k]}` has to be transposed", _turning(node, k)
        yield f"`{said[0]}` and `{said[1]}` have to change places", _exchanging(node)
    if sign in _MISTAKEN:
        other, words = _MISTAKEN[sign]
        yield words.format(*said), _calling(operators()[other, 2])
    if sign == "*":
        for k in (0, 1):
            yield f"the factor `{said[k]}` is too much", _leaving(1 - k)
    power = program.nodes[node.args[1]]
    if sign == "**" and isinstance(power, Number):
        for step in (1, -1):
            right = Number(power.value + step, power.decimal)
            yield f"the power of `{said[0]}` has to be {right.value}", _raising(node, right)


def _naming(name: str) -> Change:
    return lambda builder, _: builder.variable(name)


def _calling(function: str) -> Change:
    return lambda builder, args: builder.call(function, *args)


def _exchanging(node: Call) -> Change:
    return lambda builder, args: builder.call(node.function, *args[::-1], settings=node.settings)


def _leaving(k: int) -> Change:
    return lambda _, args: args[k]


def _raising(node: Call, power: Number) -> Change:
    return lambda builder, args: builder.call(node.function, args[0], builder.add(power))


def _turning(node: Call, k: int) -> Change:
    settings = tuple(sorted(lookup("transpose").bound(ATTRIBUTES["T"]).items()))

    def change(builder: Builder, args: Sequence[int]) -> int:
        turned = list(args)
        turned[k] = builder.call("transpose", args[k], settings=settings)
        return builder.call(node.function, *turned, settings=node.settings)

    return change


def _changed(program: Program, i: int, change: Change) -> Program:
    """A program with another node in one place."""
    builder, where = Builder(), list[int]()
    for k, node in enumerate(program.nodes):
        if k == i:
            args = node.args if isinstance(node, Call) else ()
            where.append(change(builder, [where[j] for j in args]))
        else:
            where.append(builder.add(with_args(node, where)))
    return builder.program(where[program.result])
