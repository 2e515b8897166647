"""Linear algebra rows: products, determinant, inverse, parts of a matrix."""

from __future__ import annotations

import math
import operator
from functools import reduce
from itertools import combinations
from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions.deviations import Elsewhere
from gradcheck_cli.functions.reductions import total
from gradcheck_cli.functions.row import CallError, Function
from gradcheck_cli.functions.tensors import axis_of, fill, integer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Cofactors cost n**2 * 2**n products: 2,304 at 6, in SymPy too. Scalars are opaque, so no pivot can
# be chosen.
LARGEST_MATRIX = 6


def matmul(k: Any, a: Any, b: Any) -> Any:
    y = k.matmul(a, b)
    return y if isinstance(y, k.np.ndarray) else fill(k, (), [y])


def _product(name: str, left: tuple[int, ...], right: tuple[int, ...]) -> Callable[..., Any]:
    """A matrix product of so many dimensions and no others, without broadcasting."""
    takes = " times ".join(" or ".join(map(str, ranks)) for ranks in (left, right))

    def array(k: Any, a: Any, b: Any) -> Any:
        if a.ndim not in left or b.ndim not in right or a.shape[:-2] != b.shape[:-2]:
            given = f"{a.ndim} and {b.ndim}"
            raise ValueError(f"{name} takes {takes} dimensions, not {given}: write `a @ b`")
        return matmul(k, a, b)

    return array


def _outer(k: Any, x: Any, y: Any) -> Any:
    if x.ndim != 1 or y.ndim != 1:
        raise ValueError(f"outer takes two vectors, not {x.ndim} and {y.ndim} dimensions")
    return x[:, None] * y[None, :]


def _square(k: Any, x: Any) -> tuple[int, list[Any]]:
    """The size n and the n×n matrices in `x`, as lists of rows."""
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ValueError(f"a square matrix is needed, not the shape {x.shape}")
    n = x.shape[-1]
    if n > LARGEST_MATRIX:
        limit = f"up to {LARGEST_MATRIX} are expanded exactly"
        raise CallError(f"a determinant or inverse of size {n} is too large; {limit}", "too-large")
    return n, [[list(row) for row in matrix] for matrix in x.reshape(math.prod(x.shape[:-2]), n, n)]


def _minors(k: Any, rows: list[list[Any]], n: int) -> dict[tuple[int, ...], Any]:
    """Determinant of the m `rows` for every choice of m of their n columns (Laplace expansion along
    the last row).
    """
    minors: dict[tuple[int, ...], Any] = (
        {(j,): rows[0][j] for j in range(n)} if rows else {(): k.number(1)}
    )
    for m in range(1, len(rows)):
        larger = {}
        for columns in combinations(range(n), m + 1):
            minor = rows[m][columns[m]] * minors[columns[:m]]
            for i in range(m - 1, -1, -1):
                term = rows[m][columns[i]] * minors[columns[:i] + columns[i + 1 :]]
                minor = minor + term if (m - i) % 2 == 0 else minor - term
            larger[columns] = minor
        minors = larger
    return minors


def _det(k: Any, x: Any) -> Any:
    n, matrices = _square(k, x)
    return fill(k, x.shape[:-2], [_minors(k, rows, n)[tuple(range(n))] for rows in matrices])


def inverse(k: Any, x: Any) -> Any:
    n, matrices = _square(k, x)
    return fill(
        k, x.shape, [entry for rows in matrices for entry in _adjugate_over_det(k, rows, n)]
    )


def _adjugate_over_det(k: Any, rows: list[list[Any]], n: int) -> list[Any]:
    cofactors = []
    for i in range(n):
        minors = _minors(k, rows[:i] + rows[i + 1 :], n)
        row = [minors[tuple(c for c in range(n) if c != j)] for j in range(n)]
        cofactors.append([minor if (i + j) % 2 == 0 else -minor for j, minor in enumerate(row)])
    det = (
        reduce(operator.add, (a * c for a, c in zip(rows[0], cofactors[0], strict=True)))
        if n
        else None
    )
    return [cofactors[j][i] / det for i in range(n) for j in range(n)]


def _solve(k: Any, a: Any, b: Any, left: Any) -> Any:
    if b.ndim > 1 and b.ndim == a.ndim - 1:
        raise ValueError("torch takes b for vectors and NumPy for matrices: write unsqueeze(b, -1)")
    back = inverse(k, a)
    return matmul(k, back, b) if left else matmul(k, b, back)


def _solve_triangular(k: Any, a: Any, b: Any, upper: Any, left: Any, unitriangular: Any) -> Any:
    """By substitution, row by row."""
    if b.ndim < 2 or a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ValueError("solve_triangular takes a square matrix and a matrix")
    if not left:  # x A = b is A' x' = b'
        a, b = k.np.swapaxes(a, -1, -2), k.np.swapaxes(b, -1, -2)
    n = a.shape[-1]
    if b.shape[-2] != n:
        raise ValueError(f"{n} rows are needed, not {b.shape[-2]}")
    known: dict[int, Any] = {}
    is_upper = bool(upper) == bool(left)
    for i in reversed(range(n)) if is_upper else range(n):
        value = b[..., i, :]
        for j, found in known.items():
            value = value - a[..., i, j, None] * found
        known[i] = value if unitriangular else value / a[..., i, i, None]
    if n == 0:
        return b
    found = k.np.stack(k.np.broadcast_arrays(*(known[i] for i in range(n))), -2)
    return found if left else k.np.swapaxes(found, -1, -2)


def _slogdet(k: Any, x: Any, piece: Any) -> Any:
    number = None if piece is None else integer("piece", piece)
    if number is None or not -2 <= number < 2:
        raise CallError("slogdet answers a sign and a logarithm: pick one, as in slogdet(x)[1]")
    found = _det(k, x)
    scalars = [
        k.call("log", k.call("abs", det)) if number % 2 else k.call("sign", det)
        for det in found.reshape(-1)
    ]
    return fill(k, found.shape, scalars)


def _trace(k: Any, x: Any) -> Any:
    if x.ndim != 2:
        raise ValueError(f"trace takes a matrix, not {x.ndim} dimensions")
    return total(k, x.diagonal(), None, False)


def _triangle(keep: Callable[..., Any]) -> Callable[..., Any]:
    """Zero outside the mask `keep(np, rows, columns, diagonal)` of the last two dims."""

    def array(k: Any, x: Any, diagonal: Any) -> Any:
        if x.ndim < 2:
            raise ValueError(f"a matrix is needed, not {x.ndim} dimensions")
        offset = integer("diagonal", diagonal)
        return k.np.where(keep(k.np, *x.shape[-2:], offset), x, fill(k, (), [k.number(0)]))

    return array


def _diagonal(k: Any, x: Any, offset: Any, dim1: Any, dim2: Any) -> Any:
    return x.diagonal(integer("offset", offset), axis_of(x.ndim, dim1), axis_of(x.ndim, dim2))


def _product_written(shapes: Sequence[Sequence[int]]) -> tuple[str, ...]:
    """By the ranks of the factors; nothing for stacks of matrices."""
    by_rank = {
        "1 1": ("ybar * b", "ybar * a"),
        "1 2": ("b @ ybar", "outer(a, ybar)"),
        "2 1": ("outer(ybar, b)", "transpose(a) @ ybar"),
        "2 2": ("ybar @ transpose(b)", "transpose(a) @ ybar"),
    }
    return by_rank.get(" ".join(str(len(shape)) for shape in shapes), ())


def _det_written(shapes: Sequence[Sequence[int]]) -> tuple[str, ...]:
    """Of one matrix."""
    return ("ybar * (y * transpose(inverse(x)))",) if len(shapes[0]) == 2 else ()


def _inverse_written(shapes: Sequence[Sequence[int]]) -> tuple[str, ...]:
    """Of one matrix."""
    back = "-(transpose(y) @ ybar @ transpose(y))"
    return (back,) if len(shapes[0]) == 2 else ()


# fmt: off
ROWS = (
    Function("matmul",    "a, b", derivative=_product_written, torch=lambda t, a, b: a @ b, array=matmul, operator="@"),
    # NumPy's dot of more dimensions is another product.
    Function("dot",       "a, b", derivative=_product_written,
             torch=lambda t, a, b: t.dot(a, b) if a.dim() == b.dim() == 1 else a @ b, array=_product("dot", (1, 2), (1, 2)),
             note="of vectors and matrices"),
    Function("mv",        "a, b", derivative=_product_written, torch=lambda t, a, b: t.mv(a, b), array=_product("mv", (2,), (1,))),
    Function("mm",        "a, b", derivative=_product_written, torch=lambda t, a, b: t.mm(a, b), array=_product("mm", (2,), (2,))),
    Function("bmm",       "a, b", torch=lambda t, a, b: t.bmm(a, b), array=_product("bmm", (3,), (3,))),
    Function("outer",     "x, y", derivative=("ybar @ y", "transpose(ybar) @ x"), torch=lambda t, x, y: t.outer(x, y), array=_outer),
    Function("trace",     "x", torch=lambda t, x: t.trace(x), array=_trace),
    Function("diagonal", "x; offset=0, dim1=0, dim2=1", torch=lambda t, x, offset, dim1, dim2: t.diagonal(x, offset=offset, dim1=dim1, dim2=dim2),
             array=_diagonal, aliases=("diagonal_copy",), foreign=dict.fromkeys(("torch.linalg", "np.linalg"), Elsewhere(defaults={"dim1": -2, "dim2": -1}))),
    Function("det",       "x", derivative=_det_written, torch=lambda t, x: t.linalg.det(x), array=_det,
             pullback=("unsqueeze(unsqueeze(ybar * y, -1), -1) * transpose(inverse(x), -2, -1)",),
             eliminates=True,
             note=f"up to size {LARGEST_MATRIX}; torch's backward solves with x, and for a singular x with x moved by a rounding unit"),
    Function("inverse", "x", derivative=_inverse_written, torch=lambda t, x: t.linalg.inv(x), array=inverse, aliases=("inv",),
             pullback=("-(transpose(y, -2, -1) @ (ybar @ transpose(y, -2, -1)))",),
             note=f"up to size {LARGEST_MATRIX}", eliminates=True),
    Function("slogdet", "x; piece=None", answers=("sign", "logabsdet"), torch=lambda t, x, piece: t.linalg.slogdet(x)[piece], array=_slogdet, eliminates=True,
             note="written slogdet(x)[1] or slogdet(x).logabsdet"),
    Function("logdet", "x", torch=lambda t, x: t.logdet(x), means="log(det(x))"),
    Function("solve", "A, b; left=True", torch=lambda t, a, b, left: t.linalg.solve(a, b, left=left), array=_solve,
             eliminates=True, note=f"up to size {LARGEST_MATRIX}", foreign={"sympy": "sympy.solve solves equations: for a linear system write solve(A, b)"}),
    Function("solve_triangular", "A, B; upper, left=True, unitriangular=False",
             torch=lambda t, a, b, upper, left, unitriangular: t.linalg.solve_triangular(a, b, upper=bool(upper), left=left, unitriangular=unitriangular),
             array=_solve_triangular),
    Function("tril",      "x; diagonal=0", derivative=lambda shapes, diagonal: (f"tril(ybar, {diagonal})",),
             torch=lambda t, x, diagonal: t.tril(x, diagonal), array=_triangle(lambda np, n, m, d: np.tri(n, m, d, dtype=bool))),
    Function("triu", "x; diagonal=0", derivative=lambda shapes, diagonal: (f"triu(ybar, {diagonal})",),
             torch=lambda t, x, diagonal: t.triu(x, diagonal), array=_triangle(lambda np, n, m, d: ~np.tri(n, m, d - 1, dtype=bool))),
)
# fmt: on
