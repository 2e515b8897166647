"""Calls that torch answers by several arrays: which one is meant, by an index behind the call
(`split(x, 2)[0]`) or by a name (`slogdet(A).logabsdet`).
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from gradcheck_cli.language.calls import index_key
from gradcheck_cli.language.errors import NodeError
from gradcheck_cli.language.libraries import Callee, binary_row, callee

if TYPE_CHECKING:
    from collections.abc import Container


def numbered_answer(node: ast.Subscript, assigned: Container[str]) -> ast.expr | None:
    """What `call(...)[k]` means where it picks one of several answers, else None.

    Raises:
        NodeError: none can be picked so.
    """
    call = _several(node.value, assigned)
    if call is None:
        return None
    name, key = call.row.name, index_key(node.slice)
    number = key[0] if len(key) == 1 else None
    if not isinstance(number, int):
        message = f"`{name}` answers several arrays: pick one by an integer, as in `{name}(...)[0]`"
        raise NodeError("bad-index", message, node.slice)
    return _picked(call, node.value, number, node)


def named_answer(node: ast.Attribute, assigned: Container[str]) -> ast.expr | None:
    """What `call(...).name` means where it picks one of several answers, else None.

    Raises:
        NodeError: that answer has no derivative.
    """
    call = _callee(node.value, assigned)
    if call is None or node.attr not in call.row.answers:
        return None
    return _picked(call, node.value, call.row.answers.index(node.attr), node)


def _callee(node: ast.expr, assigned: Container[str]) -> Callee | None:
    if not isinstance(node, ast.Call):
        return None
    try:
        return callee(node, assigned)
    except NodeError:  # told where the call is read
        return None


def _several(node: ast.expr, assigned: Container[str]) -> Callee | None:
    """The call, if an index behind it picks an answer: of a function whose values alone are meant
    here only where torch's is written, for which dims are no axes.
    """
    call = _callee(node, assigned)
    if call is None or not isinstance(node, ast.Call):
        return None
    keywords = {keyword.arg for keyword in node.keywords}
    if call.row.has_pieces:
        return None if "piece" in keywords else call
    is_torchs = call.prefix.startswith("torch") or (call.receiver and "axis" not in keywords)
    given = keywords | ({"dim"} if len(node.args) + len(call.receiver) > 1 else set())
    whole = call.row.folds and (
        "dim" not in given or binary_row(call, node, [*call.receiver, *node.args])
    )
    return call if call.row.answers and is_torchs and not whole else None


def _picked(call: Callee, node: ast.expr, number: int, whole: ast.expr) -> ast.expr:
    """The call of that answer alone."""
    assert isinstance(node, ast.Call)
    if call.row.has_pieces:
        piece = ast.copy_location(ast.keyword("piece", _number(number, whole)), whole)
        return ast.copy_location(ast.Call(node.func, node.args, [*node.keywords, piece]), node)
    answers = call.row.answers
    if not -len(answers) <= number < len(answers):
        message = f"`{call.row.name}` answers {len(answers)} arrays, there is no number {number}"
        raise NodeError("bad-index", message, whole)
    if number % len(answers):
        message = (
            f"`{call.row.name}` answers `{answers[number]}` there, of which there is no derivative"
        )
        raise NodeError("bad-index", message, whole)
    return node


def _number(value: int, at: ast.expr) -> ast.expr:
    number: ast.expr = ast.copy_location(ast.Constant(abs(value)), at)
    return number if value >= 0 else ast.copy_location(ast.UnaryOp(ast.USub(), number), at)
