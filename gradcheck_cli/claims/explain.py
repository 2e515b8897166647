"""Why a claim is not the derivative. Each sentence is tested at several points before it is said:
what it describes has to give the very numbers that were claimed.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.claims.factors import factor_between
from gradcheck_cli.claims.verdict import Explanation
from gradcheck_cli.language.elements import elements_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck_cli.claims.board import Board
    from gradcheck_cli.claims.rivals import Rivals
    from gradcheck_cli.language.claiming import Statement
    from gradcheck_cli.worlds.scalars import Indices

# A program of more names than this has only some of its derivatives tried.
_MOST = 40
# Scalar steps of all descriptions that are tried of a claim, at most: a guess, some seconds.
_MOST_STEPS = 200_000


def explain(
    board: Board, line: Statement, pair: Rivals, *, factors: bool = True
) -> Explanation | None:
    """The first description of a claim that gives its numbers; None where none does.

    Args:
        factors: whether a factor between both sides may be one.
    """
    why = _explained(board, line, pair, factors=factors)
    inputs = [] if why else [name for name in board.inputs if name != line.by]
    for name in inputs:
        fixed = frozenset(elements_of(name, np.shape(board.values[name])))
        why = _explained(board, line, replace(pair, fixed=fixed), factors=factors)
        if why is not None:
            return replace(why, words=f"{why.words}, with `{name}` as given")
    return why


def _explained(board: Board, line: Statement, pair: Rivals, *, factors: bool) -> Explanation | None:
    most = max(1, _MOST_STEPS // len(pair.program.nodes))
    for kind, words, nodes in islice(_descriptions(board, line, pair), most):
        if _gives(pair, nodes):
            factor = factor_between(board, pair) if kind == "missing-factor" else None
            return Explanation(kind, words if factor is None else f"{words}; {factor.words}")
    if not factors:
        return None
    return factor_between(board, pair) or _within_parts(board, line, pair)


def _descriptions(
    board: Board, line: Statement, pair: Rivals
) -> Iterator[tuple[str, str, Indices]]:
    """What people do instead, in words, and what that gives."""
    true = pair.true
    yield "opposite", "its sign is wrong", board.mapped("neg", true)
    yield from _of_constants(board, line, true)
    yield from _of_parts(board, line, true)
    if np.ndim(true) == 2 and np.shape(true) == np.shape(true)[::-1]:
        yield "transposed", "it is the transpose of the derivative", np.asarray(true).T
    yield from _of_others(board, line)
    if np.ndim(true):
        yield from _of_diagonals(board, line)


def _of_parts(board: Board, line: Statement, true: Indices) -> Iterator[tuple[str, str, Indices]]:
    """Parts of the derivative that are missing, counted twice, of the wrong sign, or alone."""
    parts = board.parted(line.of, line.by)
    if len(parts) < 2:
        return
    for use, part in parts.items():
        yield (
            "missing-part",
            f"what comes through `{use}` is missing",
            board.mapped("sub", true, part),
        )
    for use, part in parts.items():
        twice = board.mapped("add", true, part)
        yield "part-twice", f"what comes through `{use}` is counted twice", twice
        other = board.mapped("sub", board.mapped("sub", true, part), part)
        yield "part-sign", f"the sign of what comes through `{use}` is wrong", other
        if len(parts) > 2:
            yield "part-alone", f"it is what comes through `{use}` alone", part


def _of_others(board: Board, line: Statement) -> Iterator[tuple[str, str, Indices]]:
    """Derivatives that are not the one asked for."""
    of, names = line.of or board.result or "f", list(board.values)[:_MOST]
    shape = np.shape(board.values[line.by])
    for name in names:
        if name not in (line.by, line.of, board.result) and name in board.names:
            local = board.derivative(name, line.by)
            words = f"this is d{name}/d{line.by}, the local partial"
            words = f"{words}; the derivative of {of} is that times d{of}/d{name}"
            yield "local-partial", words, local
    for name in names:
        if name != line.by and np.shape(board.values[name]) == shape:
            words, kind = (
                f"this is d{of}/d{name}: `{line.by}` and `{name}` are exchanged",
                "exchanged",
            )
            if board.reaches(line.by, name):
                kind = "missing-factor"
                words = f"this is d{of}/d{name}: the factor d{name}/d{line.by} is missing"
            yield kind, words, board.derivative(line.of, name)


def _of_constants(
    board: Board, line: Statement, true: Indices
) -> Iterator[tuple[str, str, Indices]]:
    """The derivative with a name taken for a constant."""
    for name in board.names[:_MOST]:
        if name not in (line.by, line.of, board.result):
            held = board.holding(line.of, line.by, name)
            if held is not None and not np.array_equal(held, true):
                words = f"what comes through `{name}` is missing: it is taken for a constant"
                yield "constant", words, held


def _of_diagonals(board: Board, line: Statement) -> Iterator[tuple[str, str, Indices]]:
    """The derivative where of one step by `by` the diagonal alone is counted."""
    shape = np.shape(board.values[line.by])
    for name in board.names[:_MOST]:
        if name not in (line.by, line.of, board.result) and np.shape(board.values[name]) == shape:
            found = _diagonal(board, name, line.by, board.derivative(line.of, name))
            if found is not None:
                words = f"of d{name}/d{line.by} only the diagonal is counted"
                yield "diagonal-alone", words, found
    numerator = line.of or board.result
    if np.shape(board.values[numerator] if numerator else board.value) == shape:
        found = _diagonal(board, line.of, line.by, board.weights(line.of))
        if found is not None:
            yield "diagonal-alone", "only the diagonal of the Jacobian is counted", found


def _diagonal(board: Board, of: str, by: str, weights: Indices) -> Indices | None:
    """Each element's own derivative, weighted."""
    whole = board.jacobian(of, by)
    if whole is None:
        return None
    shape, weights = np.shape(board.values[by]), np.asarray(weights)
    found = np.empty(shape, dtype=np.int64)
    for index in np.ndindex(*shape):
        own = int(np.asarray(whole)[(*index, *index)])
        found[index] = board.builder.call("mul", int(weights[index]), own)
    return found


def _within_parts(board: Board, line: Statement, pair: Rivals) -> Explanation | None:
    """A factor within one part of the derivative, where the other parts are right."""
    parts = board.parted(line.of, line.by)
    for use, part in parts.items() if len(parts) > 1 else ():
        rest = board.mapped("sub", pair.true, part)
        claimed = board.mapped("sub", pair.claimed, rest)
        found = factor_between(board, pair.beside(claimed, part))
        if found is not None:
            words = f"in what comes through `{use}`: {found.words}"
            return Explanation(f"part-{found.kind}", words, found.factor)
    return None


def _gives(pair: Rivals, nodes: Indices) -> bool:
    """Whether a description gives the numbers that were claimed, at every point that has any."""
    if np.shape(nodes) != np.shape(pair.claimed):
        return False
    return pair.beside(pair.claimed, nodes).agree()
