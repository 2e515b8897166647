"""Scalar programs as plain data that JSON holds, on their way between two processes; they are read
with no more trust than a text.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

from gradcheck_cli.calculus.formulas import is_elementwise
from gradcheck_cli.functions import lookup, table
from gradcheck_cli.language.constants import SizeError, decimal
from gradcheck_cli.language.program import Call, Node, Number, Program, Variable
from gradcheck_cli.language.text import decimal_text

if TYPE_CHECKING:
    from collections.abc import Collection

    from gradcheck_cli.functions.row import Parameter, SettingValue

# More nodes than this no formula has that is short enough to be shown.
MAX_WIRE_NODES = 65_536


class Unreadable(ValueError):
    """The data is no program."""


def to_wire(program: Program) -> dict[str, Any]:
    """A program as data: a number or a variable stands for itself, a decimal as its text, a call as
    a list of name, arguments and settings.
    """
    return {"nodes": [_sent(node) for node in program.nodes], "outputs": list(program.outputs)}


def _sent(node: Node) -> Any:
    if isinstance(node, Variable):
        return node.name
    if isinstance(node, Number):
        return _plain(
            node.value if node.decimal or isinstance(node.value, float) else node.value.numerator
        )
    if not node.settings:
        return [node.function, *node.args]
    return [node.function, *node.args, {name: _plain(value) for name, value in node.settings}]


def _plain(value: SettingValue) -> Any:
    return {"decimal": decimal_text(value)} if isinstance(value, Fraction) else value


def from_wire(data: Any, inputs: Collection[str]) -> Program:
    """The program that was sent.

    Args:
        inputs: the names of its variables.
    Raises:
        Unreadable: it is malformed, or has functions or variables that are not known.
        ValueError: a function has no meaning at its settings.
    """
    if (
        not isinstance(data, dict)
        or not isinstance(data.get("nodes"), list)
        or not isinstance(data.get("outputs"), list)
    ):
        raise Unreadable("a program has nodes and outputs")
    if len(data["nodes"]) > MAX_WIRE_NODES:
        raise Unreadable(f"it has more than {MAX_WIRE_NODES:,} nodes")
    nodes, conditions = list[Node](), set[int]()
    for item in data["nodes"]:
        if isinstance(item, list):
            call = _call(item, len(nodes), conditions)
            if lookup(call.function).condition:
                conditions.add(len(nodes))
            nodes.append(call)
        else:
            nodes.append(_leaf(item, inputs))
    if not all(
        type(i) is int and 0 <= i < len(nodes) and i not in conditions for i in data["outputs"]
    ):
        raise Unreadable("an output is no number of it")
    return Program(tuple(nodes), tuple(data["outputs"]))


def _leaf(item: Any, inputs: Collection[str]) -> Number | Variable:
    if isinstance(item, str):
        if item not in inputs:
            raise Unreadable(f"`{item[:60]}` is not one of its inputs")
        return Variable(item)
    value = _number(item)
    return Number(
        value if isinstance(value, float) else Fraction(value), decimal=isinstance(value, Fraction)
    )


def _call(item: list[Any], count: int, conditions: Collection[int]) -> Call:
    """A call of some of the `count` nodes before it."""
    name, *args = item or [None]
    row = table().get(name) if isinstance(name, str) else None
    if row is None:
        raise Unreadable(f"there is no function `{str(name)[:60]}`")
    settings = dict(args.pop()) if args and isinstance(args[-1], dict) else {}
    kinds = _kinds(row.name)
    known = [i for i in args if type(i) is int and 0 <= i < count]
    if len(args) != len(kinds) or len(known) != len(args):
        raise Unreadable(f"`{name}` has the arguments {str(args)[:60]}")
    for k, i in enumerate(args if conditions or True in kinds else ()):
        if kinds[k] != (i in conditions):
            wanted = "a condition" if row.parsed.args[k].kind else "a number"
            raise Unreadable(f"`{name}` takes {wanted} for `{row.parsed.names[k]}`")
    bound: tuple[tuple[str, SettingValue], ...] = ()
    if row.parsed.settings:
        bound = tuple(
            sorted(
                [
                    (parameter.name, _setting(settings.pop(parameter.name, None), parameter))
                    for parameter in row.parsed.settings
                ]
            )
        )
    if settings or not is_elementwise(row.name, bound):
        raise Unreadable(f"`{name}` is no function of numbers with these settings")
    return Call(row.name, tuple(args), bound)


@cache
def _kinds(name: str) -> tuple[bool, ...]:
    """For each argument of a function whether it is a condition."""
    return tuple(parameter.kind == "condition" for parameter in lookup(name).parsed.args)


def _setting(item: Any, parameter: Parameter) -> SettingValue:
    if isinstance(item, str | bool | None) and type(item) is type(parameter.default):
        return item
    return _number(item)


def _number(item: Any) -> int | Fraction | float:
    """An integer or infinity as it is, a decimal from its text."""
    if isinstance(item, dict) and list(item) == ["decimal"]:
        numerator, _, denominator = str(item["decimal"]).partition("/")
        try:
            return decimal(numerator) / decimal(denominator or "1")
        except (SizeError, ArithmeticError, ValueError) as error:
            raise Unreadable(f"`{str(item['decimal'])[:60]}` is no decimal") from error
    if type(item) is int or (isinstance(item, float) and abs(item) == float("inf")):
        return item
    raise Unreadable(f"`{str(item)[:60]}` is no number")
