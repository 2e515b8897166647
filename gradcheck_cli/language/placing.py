"""Where values stand in a call: places that have names, and how many there may be."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from gradcheck_cli.functions import lookup
from gradcheck_cli.language.errors import NodeError
from gradcheck_cli.language.libraries import SYNONYMS

if TYPE_CHECKING:
    from gradcheck_cli.functions.row import Function


def placed(
    row: Function, positional: list[ast.expr], keywords: list[ast.keyword], node: ast.Call
) -> tuple[list[ast.expr], list[ast.keyword]]:
    """What stands in a place that has a name, by that name; a place that a keyword fills is passed
    over.
    """
    filled = {SYNONYMS.get(k.arg or "", k.arg) for k in keywords} | {k.arg for k in keywords}
    free = [name for name in row.places if name not in filled]
    named = [
        ast.copy_location(ast.keyword(arg=name, value=value), value)
        for name, value in zip(free, positional, strict=False)
    ]
    rest = positional[len(free) :]
    if rest and not row.parsed.variadic:
        most, given = len(row.places), len(positional) + len(keywords)
        message = (
            f"takes {most} {'value' if most == 1 else 'values'} without a name, {given} are given"
        )
        raise arity_error(row, node, message)
    return rest, [*named, *keywords]


def further_row(row: Function, positional: list[ast.expr], keywords: list[ast.keyword]) -> Function:
    """The row of more arguments that a call means where it gives one of them."""
    if not row.further:
        return row
    other = lookup(row.further)
    own = {p.name for p in (*row.parsed.args, *row.parsed.settings)}
    more = {p.name for p in (*other.parsed.args, *other.parsed.settings)} - own
    is_given = len(positional) > len(row.places) or any(k.arg in more for k in keywords)
    return other if is_given else row


def arity_error(row: Function, node: ast.expr, message: str) -> NodeError:
    return NodeError("arity", f"`{row.name}` {message}", node, f"`{row.name}({row.signature})`")


def count_of_arguments(row: Function) -> str:
    """How many arguments a row takes, in words."""
    most = len(row.parsed.args) + len(row.parsed.settings)
    least = sum(parameter.required for parameter in row.parsed.args)
    counts = f"{least}" if least == most else f"{least} to {most}"
    return f"{counts} argument{'s' if most != 1 else ''}"
