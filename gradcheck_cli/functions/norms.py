"""Norm rows: of all elements as one vector, and of matrices as operators."""

from __future__ import annotations

import math
from typing import Any

from gradcheck_cli.functions.deviations import Elsewhere
from gradcheck_cli.functions.reductions import over, spread_out
from gradcheck_cli.functions.row import CallError, Function
from gradcheck_cli.functions.tensors import integers

# Norms of a matrix that are made of its singular values.
_SINGULAR = (2, -2, "nuc")
_OPERATOR = (1, -1, math.inf, -math.inf)
_ORDERS = "'fro', 1, -1, inf or -inf"


def _norm(p: Any, dim: Any, keepdim: bool) -> str:
    dims = over(dim, keepdim)
    if p in ("fro", 2):
        return f"sqrt(sum(x**2, {dims}))"
    special = {
        1: f"sum(abs(x), {dims})",
        0: f"sum(abs(sign(x)), {dims})",
        math.inf: f"amax(abs(x), {dims})",
        -math.inf: f"amin(abs(x), {dims})",
    }
    if p in special:
        return special[p]
    if isinstance(p, str | bool | tuple) or p is None:
        raise CallError(f"p is a number or 'fro', not {p!r}")
    if p == int(p):  # exact; an even power has no kink at 0
        return f"sum({'x' if p % 2 == 0 else 'abs(x)'}**({int(p)}), {dims})**(1/({int(p)}))"
    return f"sum(abs(x)**p, {dims})**(1/p)"


def _norm_back(p: Any, dim: Any, keepdim: bool) -> tuple[str, ...]:
    """What torch's backward evaluates: 0 where the norm is 0; for other orders that of the meaning.

    Source: `linalg_vector_norm_backward` of torch's `FunctionsManual.cpp`.
    """
    y, ybar = (spread_out(name, dim, keepdim) for name in ("y", "ybar"))
    if y and p in ("fro", 2):
        return (f"where({y} == 0, 0, {ybar} * (x / {y}))",)
    if not y or isinstance(p, str) or not 1 < p < math.inf:
        return ()
    less = f"({p} - 1)"
    scaled = f"x * abs(x)**({p} - 2)" if p > 2 else f"sign(x) * abs(x)**{less}"
    return (f"{scaled} * where({y} == 0, 0, {ybar} / {y}**{less})",)


def _norm_written(shapes: Any, p: Any, dim: Any, keepdim: bool) -> tuple[str, ...]:
    """`x / norm(x)`, for the length."""
    y, ybar = (spread_out(name, dim, keepdim) for name in ("y", "ybar"))
    return (f"{ybar} * (x / {y})",) if y and p in ("fro", 2) else ()


def _as_vector(k: Any, x: Any, ord: Any) -> Any:  # noqa: A002 - torch's name for it
    if x.ndim != 1:
        order = _written(ord)
        if ord in _SINGULAR:
            operator = "is made of singular values, which are not known here"
        else:
            operator = f"is written matrix_norm(x, {order})"
        of_all = "" if isinstance(ord, str) else f"; that of all elements is norm(x, {order})"
        if ord not in (*_SINGULAR, *_OPERATOR):
            raise CallError(f"ord of a matrix is {_ORDERS}, not {order}{of_all}")
        raise ValueError(f"the operator norm of a matrix {operator}{of_all}")
    return x


def _as_scalar(k: Any, x: Any) -> Any:
    if x.ndim:
        raise ValueError(
            "SymPy's function of a matrix is not that of its elements: drop the prefix"
        )
    return x


def _matrix_norm(ord: Any, dim: Any, keepdim: bool) -> str:  # noqa: A002 - torch's name for it
    dims = (-2, -1) if dim is None else integers("dim", dim)
    if len(dims) != 2:
        raise CallError(f"a matrix has two dims, not {dim}")
    rows, columns = dims
    if ord == "fro":
        return f"norm(x, {over((rows, columns), keepdim)})"
    if ord in _OPERATOR:
        extreme = "amax" if ord > 0 else "amin"
        along = rows if abs(ord) == 1 else columns
        return (
            f"{extreme}(sum(abs(x), dim={along}, keepdim=True), {over((rows, columns), keepdim)})"
        )
    if ord in _SINGULAR:
        unknown = "takes singular values, which are not known here"
        raise CallError(f"the matrix norm {_written(ord)} {unknown}")
    raise CallError(f"ord of a matrix is {_ORDERS}, not {_written(ord)}")


def _linalg_norm(ord: Any, dim: Any, keepdim: bool) -> str:  # noqa: A002 - torch's name for it
    if isinstance(dim, tuple) and len(dim) == 2:
        order = "fro" if ord is None else ord
        return f"matrix_norm(x, {_written(order)}, {over(dim, keepdim)})"
    if ord in (None, "fro"):
        return f"norm(x, {over(dim, keepdim)})"
    order = _written(ord)
    vector = f"as_vector(x, ord={order})" if dim is None else "x"
    return f"norm({vector}, {order}, {over(dim, keepdim)})"


def _renorm(p: Any, dim: Any, maxnorm: Any) -> str:
    if isinstance(p, str | bool | tuple) or p is None or p <= 0:
        raise CallError(f"p is a number above 0, not {p!r}")
    if isinstance(maxnorm, str | bool | tuple) or maxnorm is None or maxnorm < 0:
        raise CallError(f"maxnorm is a number from 0 on, not {maxnorm!r}")
    turned = f"transpose(x, 0, {integers('dim', dim)[0]})"
    flat = f"flatten({turned}, 1)"
    size = f"norm({flat}, p={_written(p)}, dim=1, keepdim=True)"
    scaled = f"where({size} > maxnorm, {flat} * (maxnorm / ({size} + 1/10**7)), {flat})"
    return f"transpose(shaped_like({scaled}, {turned}), 0, {integers('dim', dim)[0]})"


def _written(order: Any) -> str:
    return repr(order) if isinstance(order, str) else str(order)


# fmt: off
ROWS = (
    Function("norm", "x; p=2, dim=None, keepdim=False",
             derivative=_norm_written,
             torch=lambda t, x, p, dim, keepdim: t.linalg.vector_norm(x, ord=2 if p == "fro" else p, dim=dim, keepdim=keepdim), means=_norm,
             pullback=_norm_back,
             aliases=("vector_norm",), note="of the vector of all elements along dim, also for a matrix (p=2 is Frobenius there)",
             foreign={"torch.linalg.norm": Elsewhere("linalg_norm"), "np.linalg.norm": Elsewhere("linalg_norm")}),
    Function("matrix_norm", "x; ord='fro', dim=None, keepdim=False",
             torch=lambda t, x, ord, dim, keepdim: t.linalg.matrix_norm(x, ord, (-2, -1) if dim is None else dim, keepdim), means=_matrix_norm,
             note="'fro', or of an operator: 1 and inf are the largest sums of a column and of a row, -1 and -inf the smallest; without dim of the last two"),
    Function("linalg_norm", "x; ord=None, dim=None, keepdim=False", torch=lambda t, x, ord, dim, keepdim: t.linalg.norm(x, ord, dim, keepdim),
             means=_linalg_norm, note="torch.linalg.norm: without ord of all elements; with it a vector's, and with two dims a matrix's"),
    Function("renorm", "x; p, dim, maxnorm", torch=lambda t, x, p, dim, maxnorm: t.renorm(x, p, dim, maxnorm), means=_renorm,
             note="each part along dim whose norm is above maxnorm is scaled to it, but for 1e-7"),
    Function("as_vector", "x; ord=None", helper=True, derivative=("ybar",), torch=lambda t, x, ord: x, array=_as_vector,
             note="x itself, which must have one dimension for the norm that is asked for"),
    Function("as_scalar", "x", helper=True, derivative=("ybar",), torch=lambda t, x: x, array=_as_scalar, note="x itself, which must be a number"),
)
# fmt: on
