"""Shapes of claims: what fits that of a derivative, and what would make it fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gradcheck_cli.claims.board import Board
    from gradcheck_cli.language.program import Program
    from gradcheck_cli.worlds.scalars import Indices


def fitted(claimed: Indices, shape: tuple[int, ...]) -> Indices | None:
    """What is claimed in the shape of the derivative: a number counts for all elements, and sizes
    of 1 do not count; None where it does not fit.
    """
    array = np.asarray(claimed)
    if array.shape == shape:
        return claimed
    if [n for n in array.shape if n != 1] == [n for n in shape if n != 1]:
        found = np.reshape(array, shape)
    else:
        try:
            found = np.broadcast_to(array, shape)
        except ValueError:
            return None
    return found if shape else int(found)


def amiss(board: Board, claimed: Indices, true: Indices, holds: Callable[[Indices], bool]) -> str:
    """That sums of what is claimed, or its transpose, are the derivative; empty where not.

    Args:
        holds: whether scalars of the derivative's shape are the derivative.
    """
    array, shape = np.asarray(claimed), np.shape(true)
    if array.ndim == 2 and array.T.shape == shape and holds(array.T):
        return "; its transpose is right"
    for dim in range(array.ndim):
        total = np.apply_along_axis(lambda row: _total(board, row), dim, array)
        fit = fitted(total, shape)
        if fit is not None and holds(fit):
            terms = array.shape[dim]
            return f"; the sum over the batch (dim {dim}, {terms} terms) is missing"
    if not shape and holds(_total(board, array.reshape(-1))):
        return "; the sum of its elements is right"
    return ""


def size_of_shape(indices: Indices) -> str:
    """A shape in words: `2x3`, `a number`."""
    return "x".join(map(str, np.shape(indices))) or "a number"


def _total(board: Board, nodes: Iterable[int]) -> int:
    first, *rest = [int(node) for node in nodes]
    for node in rest:
        first = board.builder.call("add", first, node)
    return first


def shapes_in_words(program: Program, known: Mapping[str, Indices]) -> str:
    """The shapes of what a program names, in words."""
    return ", ".join(f"{name} is {size_of_shape(known[name])}" for name in program.variables)
