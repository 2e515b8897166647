"""Elements that a line of a claim sets: `dx[1] -= 1`, `dx[range(N), y] -= 1`."""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.claims.sizes import without_sizes
from gradcheck_cli.language.program import Number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.claims.board import Board
    from gradcheck_cli.worlds.scalars import Indices

# Names of a range of integers.
_RANGES = ("range", "arange")
_LONGEST = 10_000


class NoIndex(Exception):
    """A text is no index of integers that are known."""


def with_elements(
    board: Board,
    old: Indices,
    index: str,
    function: str,
    new: Indices,
    known: Mapping[str, Indices],
) -> Indices:
    """An array in which some elements are other ones.

    Args:
        function: of the language, applied to the old element and the new one; empty for the new one
            itself.
    Raises:
        NoIndex: what stands in brackets is not known as integers, or lies outside.
    """
    shapes = {name: np.shape(nodes) for name, nodes in known.items()}
    text = without_sizes(f"({index},)", shapes)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parts = ast.parse(text, mode="eval").body
        assert isinstance(parts, ast.Tuple)
        where = tuple(_part(board, part, known) for part in parts.elts)
        found = np.array(old)
        places = np.arange(found.size).reshape(found.shape)[where]
        values = np.broadcast_to(np.asarray(new), np.shape(places))
    except (SyntaxError, ValueError, IndexError, TypeError, AssertionError) as error:
        raise NoIndex(str(error)) from error
    flat = found.reshape(-1)
    for place, value in zip(np.ravel(places).tolist(), np.ravel(values).tolist(), strict=True):
        mine = int(flat[place])
        flat[place] = board.builder.call(function, mine, value) if function else value
    return flat.reshape(found.shape)


def _part(board: Board, part: ast.expr, known: Mapping[str, Indices]) -> Any:
    match part:
        case ast.Slice(lower=lower, upper=upper, step=step):
            ends = [
                None if end is None else _whole(board, end, known) for end in (lower, upper, step)
            ]
            return slice(*ends)
        case ast.Constant(value=value) if value is Ellipsis:
            return Ellipsis
        case ast.Call(func=function, args=[end]) if _is_range(function):
            count = _whole(board, end, known)
            return np.arange(count if count <= _LONGEST else 0)
        case ast.Name(id=name) if name in known and np.ndim(known[name]):
            flat = [_integer(board, int(node)) for node in np.ravel(np.asarray(known[name]))]
            return np.reshape(np.array(flat), np.shape(known[name]))
    return _whole(board, part, known)


def _whole(board: Board, part: ast.expr, known: Mapping[str, Indices]) -> int:
    match part:
        case ast.Constant(value=int(value)):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_whole(board, operand, known)
        case ast.Name(id=name) if name in known and not np.ndim(known[name]):
            return _integer(board, int(known[name]))
    raise NoIndex(ast.unparse(part))


def _integer(board: Board, index: int) -> int:
    node = board.builder.nodes[index]
    if isinstance(node, Number) and node.value == int(node.value):
        return int(node.value)
    raise NoIndex("an index that depends on inputs")


def _is_range(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in _RANGES
