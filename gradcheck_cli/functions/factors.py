"""Rows of factors and general inverses of matrices."""

from __future__ import annotations

import math
import operator
from functools import reduce
from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions.deviations import Elsewhere
from gradcheck_cli.functions.linear_algebra import LARGEST_MATRIX, inverse, matmul
from gradcheck_cli.functions.row import CallError, Function
from gradcheck_cli.functions.tensors import axes_of, fill, flag, integer

if TYPE_CHECKING:
    from collections.abc import Callable


def _squares(x: Any) -> int:
    """The size of a square matrix, or of several."""
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ValueError(f"a square matrix is needed, not the shape {x.shape}")
    return int(x.shape[-1])


def _triangle(upper: Any) -> str:
    return "triu" if flag("upper", upper) else "tril"


def _symmetric(upper: Any) -> str:
    """The value of one triangle, mirrored, and the gradient of a symmetric matrix."""
    keep, step = _triangle(upper), 1 if upper else -1
    mirrored = f"{keep}(x) + transpose({keep}(x, {step}), -2, -1)"
    return f"straight_through({mirrored}, (x + transpose(x, -2, -1)) / 2)"


def _factor(k: Any, x: Any, upper: Any) -> Any:
    """Lower triangles of which the products with themselves are the matrices, row by row."""
    n = _squares(x)
    found = []
    for matrix in x.reshape(math.prod(x.shape[:-2]), n, n):
        rows: list[list[Any]] = []
        for i in range(n):
            row: list[Any] = []
            for j in range(i + 1):
                other = rows[j] if j < i else row
                pairs = zip(row, other, strict=False)
                rest = reduce(operator.sub, (a * b for a, b in pairs), matrix[i, j])
                row.append(rest / rows[j][j] if j < i else k.call("sqrt", rest))
            rows.append(row)
        found += [entry for row in rows for entry in [*row, *[k.number(0)] * (n - len(row))]]
    lower = fill(k, x.shape, found)
    return k.np.swapaxes(lower, -1, -2) if upper else lower


def _product(factor: str, upper: Any) -> str:
    """What a triangle is the factor of; torch's backward does not ask where the zeros are."""
    part = f"straight_through({_triangle(upper)}({factor}), {factor})"
    turned = f"transpose({part}, -2, -1)"
    return f"{turned} @ {part}" if upper else f"{part} @ {turned}"


def _pinv(k: Any, x: Any) -> Any:
    """By the normal equations, of a matrix whose rows or columns are independent."""
    if x.ndim < 2:
        raise ValueError(f"a matrix is needed, not {x.ndim} dimensions")
    turned = k.np.swapaxes(x, -1, -2)
    if x.shape[-2] >= x.shape[-1]:
        return matmul(k, inverse(k, matmul(k, turned, x)), turned)
    return matmul(k, turned, inverse(k, matmul(k, x, turned)))


def _lstsq(k: Any, a: Any, b: Any, piece: Any) -> Any:
    if piece is None:
        raise CallError("lstsq answers several arrays: pick one, as in lstsq(A, B)[0]")
    if integer("piece", piece):
        raise CallError("of what lstsq answers only the solution, number 0, has a derivative here")
    if a.ndim < 2 or a.shape[-2] < a.shape[-1]:
        raise ValueError(f"at least as many rows as columns are needed, not the shape {a.shape}")
    return matmul(k, _pinv(k, a), b)


def _tensorinv(k: Any, x: Any, ind: Any) -> Any:
    count = integer("ind", ind)
    if not 0 < count < x.ndim:
        raise CallError(f"ind is from 1 to {x.ndim - 1}, not {count}")
    rows, columns = x.shape[:count], x.shape[count:]
    if math.prod(rows) != math.prod(columns):
        raise ValueError(f"{rows} and {columns} do not make a square matrix")
    return inverse(k, x.reshape(math.prod(rows), -1)).reshape(*columns, *rows)


def _tensorsolve(k: Any, a: Any, b: Any, dims: Any) -> Any:
    if dims is not None:
        axes = axes_of(a.ndim, dims)
        a = k.np.moveaxis(a, axes, range(a.ndim - len(axes), a.ndim))
    size, columns = math.prod(b.shape), a.shape[b.ndim :]
    if math.prod(columns) != size or a.size != size * size:
        raise ValueError(f"{a.shape} and {b.shape} do not make a square system")
    found = matmul(k, inverse(k, a.reshape(size, -1)), b.reshape(-1, 1))
    return found.reshape(columns)


def _powers(k: Any, x: Any, count: Any) -> Any:
    if not x.ndim and count is None:
        raise ValueError("a vector is needed, not a number")
    x = x if x.ndim else x.reshape(1)
    size = x.shape[-1] if count is None else integer("N", count)
    if size < 1:
        raise CallError(f"N is from 1 on, not {size}")
    columns = [fill(k, x.shape, [k.number(1)] * x.size), x]
    while len(columns) < size:
        columns.append(columns[-1] * x)
    return k.np.stack(columns[:size], -1)


def _first(name: str, answer: str) -> Callable[..., Any]:
    """The first of what a function of torch.linalg answers."""
    return lambda t, *args, **settings: getattr(getattr(t.linalg, name)(*args, **settings), answer)


# fmt: off
_TAKEN = "torch reads one triangle, and takes the matrix as symmetric in its backward: that gradient is checked"

_FALLING = "begins with the largest power,"

ROWS = (
    Function("symmetric", "x; upper=False", helper=True, means=_symmetric,
             torch=lambda t, x, upper: (x + x.mT) / 2 + ((t.triu(x) + t.triu(x, 1).mT if upper else t.tril(x) + t.tril(x, -1).mT) - (x + x.mT) / 2).detach(),
             note="the value of one triangle, mirrored, with the gradient of a symmetric matrix"),
    Function("triangular_factor", "x; upper=False", helper=True, array=_factor, eliminates=True,
             torch=lambda t, x, upper: t.linalg.cholesky(t.tril(x) + t.tril(x, -1).mT, upper=bool(upper)),
             note="of a symmetric matrix"),
    Function("cholesky", "x; upper=False", torch=lambda t, x, upper: t.linalg.cholesky(x, upper=bool(upper)),
             means=lambda upper: f"triangular_factor(symmetric(x, upper={flag('upper', upper)}), upper={flag('upper', upper)})", note=_TAKEN),
    Function("cholesky_ex", "x; upper=False, check_errors=False", answers=("L", "info"), torch=_first("cholesky_ex", "L"),
             means=lambda upper, check_errors: f"cholesky(x, upper={flag('upper', upper)})", note=_TAKEN),
    Function("cholesky_inverse", "L; upper=False", torch=lambda t, x, upper: t.cholesky_inverse(x, upper),
             means=lambda upper: f"inverse({_product('L', upper)})", note="of the product of a triangle and itself"),
    Function("cholesky_solve", "B, L; upper=False", torch=lambda t, b, x, upper: t.cholesky_solve(b, x, upper),
             means=lambda upper: f"inverse({_product('L', upper)}) @ B", note="for the product of a triangle and itself"),
    Function("inv_ex", "A; check_errors=False", answers=("inverse", "info"), torch=_first("inv_ex", "inverse"), means="inverse(A)", eliminates=True),
    Function("solve_ex", "A, B; left=True, check_errors=False", answers=("result", "info"), torch=_first("solve_ex", "result"),
             means=lambda left, check_errors: f"solve(A, B, left={flag('left', left)})", eliminates=True),
    Function("pinv", "x", torch=lambda t, x: t.linalg.pinv(x), array=_pinv, aliases=("pinverse",), eliminates=True,
             note=f"of a matrix whose rows or columns are independent, up to {LARGEST_MATRIX} of them"),
    Function("lstsq", "A, B; piece=None", torch=lambda t, a, b, piece: t.linalg.lstsq(a, b)[piece], array=_lstsq, eliminates=True,
             note="written lstsq(A, B)[0]; A has independent columns"),
    Function("tensorinv", "x; ind=2", torch=lambda t, x, ind: t.linalg.tensorinv(x, ind), array=_tensorinv, eliminates=True),
    Function("tensorsolve", "A, B; dims=None", torch=lambda t, a, b, dims: t.linalg.tensorsolve(a, b, dims), array=_tensorsolve, eliminates=True),
    Function("vander", "x; N=None", torch=lambda t, x, **settings: t.linalg.vander(x, **settings), array=lambda k, x, **settings: _powers(k, x, settings["N"]),
             foreign={"torch": f"torch.vander(x) {_FALLING} and torch cannot differentiate it: write torch.linalg.vander(x)",
                      "np": f"np.vander(x) {_FALLING} this language's vander(x) with 1: write flip(vander(x), -1)", "torch.linalg": Elsewhere(named=("N",))},
             note="powers of x, from 1 on, a row for each"),
)
# fmt: on
