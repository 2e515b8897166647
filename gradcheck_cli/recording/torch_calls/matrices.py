"""Factorisations of matrices and what is solved with them, step by step; rows are exchanged as they
are at the point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradcheck_cli.recording.operation import Operation
    from gradcheck_cli.recording.tape import Nodes


def _batched(function: Callable[..., Any], *arrays: Any) -> Any:
    """A function of matrices for each of a batch."""
    batch = np.broadcast_shapes(*[a.shape[:-2] for a in arrays])
    full = [np.broadcast_to(a, (*batch, *a.shape[-2:])) for a in arrays]
    if not batch:
        return function(*full)
    places = list(np.ndindex(*batch))
    made = [function(*[a[place] for a in full]) for place in places]
    shape = made[0].shape if made else arrays[-1].shape[-2:]
    out = np.empty((*batch, *shape), dtype=object)
    for place, matrix in zip(places, made, strict=True):
        out[place] = matrix
    return out


def _turned(matrix: Any) -> Any:
    return np.swapaxes(matrix, -1, -2)


def _less(value: Any, products: list[Any]) -> Any:
    """A value without a sum of products."""
    if not products:
        return value
    total = products[0]
    for product in products[1:]:
        total = total + product
    return value - total


def _lower_solved(a: Any, b: Any, *, unit: bool) -> Any:
    """By substitution; of `a` the lower triangle is read."""
    x = np.empty(b.shape, dtype=object)
    for i in range(len(a)):
        row = _less(b[i], [x[k] * a[i, k] for k in range(i)])
        x[i] = row if unit else row / a[i, i]
    return x


def _solved(a: Any, b: Any, *, upper: bool, unit: bool = False) -> Any:
    if upper:
        return _lower_solved(a[::-1, ::-1], b[::-1], unit=unit)[::-1]
    return _lower_solved(a, b, unit=unit)


def _cholesky(a: Any, root: Callable[[Any], Any]) -> Any:
    """The lower factor. torch's derivative is that of a matrix which stays symmetric."""
    n = len(a)
    a = [[a[i, j] if i == j else (a[i, j] + a[j, i]) / 2 for j in range(n)] for i in range(n)]
    found = np.zeros((n, n), dtype=object)
    for j in range(n):
        found[j, j] = root(_less(a[j][j], [found[j, k] * found[j, k] for k in range(j)]))
        for i in range(j + 1, n):
            rest = _less(a[i][j], [found[i, k] * found[j, k] for k in range(j)])
            found[i, j] = rest / found[j, j]
    return found


def _factored(a: Any) -> Any:
    """Both factors in one matrix, rows being exchanged already."""
    found = np.array(a, dtype=object)
    rows, columns = found.shape
    for i in range(rows):
        for j in range(columns):
            products = [found[i, k] * found[k, j] for k in range(min(i, j))]
            rest = _less(a[i, j], products)
            found[i, j] = rest / found[j, j] if j < i else rest
    return found


def _exchanged(pivots: Any, rows: int) -> Any:
    """Which row comes to each place, of each matrix of a batch: LAPACK exchanges one by one."""
    pivots = np.asarray(pivots.detach().cpu())
    orders = np.empty((*pivots.shape[:-1], rows), dtype=np.int64)
    for place in np.ndindex(*pivots.shape[:-1]):
        order = list(range(rows))
        for i, k in enumerate(pivots[place].tolist()):
            order[i], order[k - 1] = order[k - 1], order[i]
        orders[place] = order
    return orders


def _taken(matrix: Any, orders: Any) -> Any:
    """Rows in another order."""
    batch = np.broadcast_shapes(matrix.shape[:-2], orders.shape[:-1])
    orders = np.broadcast_to(orders, (*batch, orders.shape[-1]))[..., None]
    return np.take_along_axis(np.broadcast_to(matrix, (*batch, *matrix.shape[-2:])), orders, -2)


def _lu_of(op: Operation, pivots: Any, *, turned: bool = False) -> Nodes:
    nodes = op.floats("A")
    nodes = _turned(nodes) if turned else nodes
    exchanged = _taken(nodes, _exchanged(pivots, nodes.shape[-2]))
    return op.tape.computed(lambda a: _batched(_factored, a), exchanged)


def _lu_solved(
    op: Operation, lu: Nodes, pivots: Any, b: Nodes, *, left: bool, turned: bool
) -> Nodes:
    """`a^-1 b`, `a` being turned perhaps, or the same from the right."""
    if not left:
        return _turned(_lu_solved(op, lu, pivots, _turned(b), left=True, turned=not turned))
    orders = _exchanged(pivots, lu.shape[-1])
    # The lower factor is the one with ones on its diagonal.
    first, last = (False, True) if turned else (True, False)

    def solve(a: Any, b: Any) -> Any:
        a = a.T if turned else a
        return _solved(a, _solved(a, b, upper=False, unit=first), upper=True, unit=last)

    right = b if turned else _taken(b, orders)
    found = op.tape.computed(lambda a, b: _batched(solve, a, b), lu, right)
    return _taken(found, np.argsort(orders, -1)) if turned else found


def _cholesky_made(op: Operation) -> tuple[Nodes, None]:
    root = op.tape.scalar_function("sqrt")
    found = op.tape.computed(lambda a: _batched(lambda m: _cholesky(m, root), a), op.floats("self"))
    return _turned(found) if op["upper"] else found, None


def _by_cholesky(op: Operation, factor: Nodes, right: Nodes) -> Nodes:
    """Solved with a factor that is there."""
    factor = _turned(factor) if op["upper"] else factor

    def solve(a: Any, b: Any) -> Any:
        return _solved(a.T, _solved(a, b, upper=False), upper=True)

    return op.tape.computed(lambda a, b: _batched(solve, a, b), factor, right)


def _cholesky_solved(op: Operation) -> Nodes:
    name = "input2" if "input2" in op.args else "A"
    return _by_cholesky(op, op.floats(name), op.floats("self"))


def _cholesky_inverse(op: Operation) -> Nodes:
    factor = op.floats("self")
    return _by_cholesky(op, factor, op.tape.numbers(np.eye(factor.shape[-1])))


def _triangular(op: Operation) -> Any:
    """`linalg_solve_triangular` and the older `triangular_solve`."""
    upper, unit = op["upper"], op["unitriangular"]
    if op.name == "triangular_solve":
        a, b, left = op.floats("A"), op.floats("self"), True
        if op["transpose"]:
            a, upper = _turned(a), not upper
    else:
        a, b, left = op.floats("self"), op.floats("B"), op["left"]
    if not left:
        a, b, upper = _turned(a), _turned(b), not upper

    def solve(a: Any, b: Any) -> Any:
        return _solved(a, b, upper=upper, unit=unit)

    found = op.tape.computed(lambda a, b: _batched(solve, a, b), a, b)
    found = found if left else _turned(found)
    return (found, op.floats("A")) if op.name == "triangular_solve" else found


def _factors(op: Operation) -> tuple[Any, ...]:
    """`linalg_lu_factor_ex` and what gives both factors in one beside pivots."""
    return _lu_of(op, op.outputs()[1]), None, None


def _is_turned(op: Operation, lu: Any, pivots: Any) -> bool:
    """Whether the factors are those of the turned matrix, which may spare torch a copy."""
    p, lower, upper = torch.lu_unpack(lu.detach(), pivots)
    product, a = p @ lower @ upper, op["A"].detach()
    return bool((product - a).abs().sum() > (product - a.mT).abs().sum())


def _diagonal(op: Operation, lu: Nodes) -> list[Nodes]:
    return [lu[..., i, i] for i in range(lu.shape[-1])]


def _signs(op: Operation, pivots: Any) -> Nodes:
    """Of the exchanges of rows."""
    places = np.asarray(pivots.detach().cpu())
    moved = (places != np.arange(1, places.shape[-1] + 1)).sum(-1)
    return op.tape.numbers(1 - 2 * (moved % 2))


def _determinant(op: Operation) -> tuple[Any, ...]:
    """`_linalg_det`, and as a sign and a logarithm `_linalg_slogdet`."""
    *_, factors, pivots = op.outputs()
    lu = _lu_of(op, pivots, turned=_is_turned(op, factors, pivots))
    if op.name == "_linalg_det":
        total = _signs(op, pivots)
        for part in _diagonal(op, lu):
            total = op.row("mul", total, part)
        return total, lu, None
    sign = _signs(op, pivots)
    logarithm = op.tape.numbers(np.zeros(sign.shape))
    for part in _diagonal(op, lu):
        sign = op.row("mul", sign, op.row("sign", part))
        logarithm = op.row("add", logarithm, op.row("log", op.row("abs", part)))
    return sign, logarithm, lu, None


def _equations(op: Operation) -> tuple[Any, ...]:
    """`_linalg_solve_ex`: the solution, and the factors for the backward."""
    right, b = op["B"], op.floats("B")
    _, factors, pivots, _ = op.outputs()
    turned = _is_turned(op, factors, pivots)
    lu = _lu_of(op, pivots, turned=turned)
    is_vector = right.dim() == 1 or tuple(right.shape) == tuple(op["A"].shape[:-1])
    b = b[..., None] if is_vector else b
    found = _lu_solved(op, lu, pivots, b, left=op["left"], turned=turned)
    return found[..., 0] if is_vector else found, lu, None, None


def _solved_by_factors(op: Operation) -> Nodes:
    lu, b = op.floats("LU"), op.floats("B")
    return _lu_solved(op, lu, op["pivots"], b, left=op["left"], turned=op["adjoint"])


def _unpacked(op: Operation) -> Any:
    """The factors of `lu_unpack` and `linalg_lu`; the order of rows is a constant."""
    if op.name == "linalg_lu":
        order = np.asarray(op.outputs()[0].detach().cpu().argmax(-2))
        lu = op.tape.computed(lambda a: _batched(_factored, a), _taken(op.floats("A"), order))
    else:
        if not op["unpack_data"]:
            return None, None, None
        lu = op.floats("LU_data")
    small = min(lu.shape[-2:])
    one = int(op.tape.numbers(1.0))
    left = np.tril(np.ones(lu.shape[-2:], dtype=bool), -1)[:, :small]
    low = np.where(left, lu[..., :, :small], 0)
    low[..., range(small), range(small)] = one
    high = np.where(np.triu(np.ones(lu.shape[-2:], dtype=bool))[:small], lu[..., :small, :], 0)
    return None, low, high


def _orthogonal(a: Any, signs: list[int], root: Callable[[Any], Any]) -> Any:
    """Columns made orthonormal one after the other, each on the side where it is at the point."""
    columns: list[Any] = []
    for j, sign in enumerate(signs):
        rest = a[:, j]
        for q in columns:
            rest = rest - q * (q * a[:, j]).sum()
        columns.append(rest / (root((rest * rest).sum()) * sign))
    return np.stack(columns, 1)


def _orthogonalised(op: Operation) -> Any:
    """`linalg_qr`, where the orthogonal factor is determined by the matrix."""
    a, root = op.floats("A"), op.tape.scalar_function("sqrt")
    rows, columns = a.shape[-2:]
    if a.ndim != 2 or op["mode"] == "r" or (op["mode"] == "complete" and rows > columns):
        return None
    diagonal = op.outputs()[1].detach().diagonal()
    signs = [1 if value > 0 else -1 for value in diagonal.tolist()]
    q = op.tape.computed(lambda m: _orthogonal(m, signs, root), a)
    r = op.row("matmul", q.T, a)
    below = np.tril(np.ones(r.shape, dtype=bool), -1)
    return q, np.where(below, 0, r)


OPERATORS: dict[str, Any] = {
    "linalg_cholesky_ex": _cholesky_made, "cholesky": lambda op: _cholesky_made(op)[0],
    "cholesky_solve": _cholesky_solved, "_cholesky_solve_helper": _cholesky_solved,
    "cholesky_inverse": _cholesky_inverse, "linalg_solve_triangular": _triangular,
    "triangular_solve": _triangular, "linalg_lu_factor_ex": _factors,
    "_linalg_det": _determinant, "_linalg_slogdet": _determinant,
    "_linalg_solve_ex": _equations, "linalg_lu_solve": _solved_by_factors,
    "linalg_qr": _orthogonalised, "lu_unpack": _unpacked, "linalg_lu": _unpacked,
}  # fmt: skip
