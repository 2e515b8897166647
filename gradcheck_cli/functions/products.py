"""Rows of products of arrays: by dims, by an equation, and added to something."""

from __future__ import annotations

import math
import re
from functools import reduce
from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions.deviations import Elsewhere
from gradcheck_cli.functions.reductions import total
from gradcheck_cli.functions.row import CallError, Function
from gradcheck_cli.functions.tensors import axis_of, fill, integer, integers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# What an equation is made of; the dots are a dimension's name of their own while it is read.
_TERM = re.compile(r"[A-Za-z]*(\.\.\.)?[A-Za-z]*")


def _contracted(k: Any, x: Any, y: Any, left: Sequence[int], right: Sequence[int]) -> Any:
    """The sum over products along pairs of dims."""
    keep = [i for i in range(x.ndim) if i not in left]
    rest = [i for i in range(y.ndim) if i not in right]
    if any(x.shape[i] != y.shape[j] for i, j in zip(left, right, strict=True)):
        raise ValueError(
            f"dims {tuple(left)} of {x.shape} are not dims {tuple(right)} of {y.shape}"
        )
    a, b = x.transpose(*keep, *left), y.transpose(*right, *rest)
    outer, shape = a.shape[: len(keep)], b.shape[len(right) :]
    inner = math.prod(b.shape[: len(right)])
    rows, columns = a.reshape(math.prod(outer), inner), b.reshape(inner, math.prod(shape))
    return k.matmul(rows, columns).reshape((*outer, *shape))


def _inner(k: Any, x: Any, y: Any) -> Any:
    if not (x.ndim and y.ndim):
        return _contracted(k, x, y, [], [])
    return _contracted(k, x, y, [x.ndim - 1], [y.ndim - 1])


def _vdot(k: Any, x: Any, y: Any) -> Any:
    if x.ndim != 1 or y.ndim != 1:
        raise ValueError(f"vdot takes two vectors, not {x.ndim} and {y.ndim} dimensions")
    return _contracted(k, x, y, [0], [0])


def _tensordot(k: Any, x: Any, y: Any, dims: Any) -> Any:
    if isinstance(dims, tuple):
        if len(dims) != 2 or not all(isinstance(d, tuple) for d in dims):
            raise CallError("dims is an integer, or the dims of x and those of y: ((1,), (0,))")
        left, right = (
            [axis_of(a.ndim, d) for d in given] for a, given in ((x, dims[0]), (y, dims[1]))
        )
        if len(left) != len(right) or len(set(left)) < len(left) or len(set(right)) < len(right):
            raise CallError("tensordot takes as many dims of x as of y, none twice")
        return _contracted(k, x, y, left, right)
    count = integer("dims", dims)
    if not 0 <= count <= min(x.ndim, y.ndim):
        raise CallError(f"{count} dims are not there to be summed over")
    return _contracted(k, x, y, range(x.ndim - count, x.ndim), range(count))


def _cross(k: Any, x: Any, other: Any, dim: Any) -> Any:
    if x.ndim != other.ndim:
        raise ValueError("cross takes arrays of as many dimensions")
    x, other = k.np.broadcast_arrays(x, other)
    found = [i for i, n in enumerate(x.shape) if n == 3]
    if dim is None and not found:
        raise ValueError("cross takes a dim of 3 elements")
    axis = found[0] if dim is None else axis_of(x.ndim, dim)
    if axis not in found:
        raise ValueError("cross takes a dim of 3 elements")
    (a, b, c), (d, e, f) = k.np.moveaxis(x, axis, 0), k.np.moveaxis(other, axis, 0)
    return k.np.stack([b * f - c * e, c * d - a * f, a * e - b * d], axis)


def _torch_cross(t: Any, x: Any, other: Any, dim: Any) -> Any:
    if dim is None:  # torch's own default warns that it will change
        shape = t.broadcast_tensors(x, other)[0].shape
        dim = shape.index(3) if 3 in shape and x.dim() == other.dim() else -1
    return t.cross(x, other, dim=dim)


def _matrix_power(k: Any, x: Any, n: Any) -> Any:
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ValueError(f"a square matrix is needed, not the shape {x.shape}")
    power = integer("n", n)
    if not 1 <= power <= 64:
        raise CallError(
            f"n is from 1 to 64, not {power}: write matrix_power(inverse(x), n) below 0"
        )
    found, square = None, x
    while power:
        if power % 2:
            found = square if found is None else k.matmul(found, square)
        power //= 2
        square = k.matmul(square, square) if power else square
    return found


def _chain(k: Any, *tensors: Any) -> Any:
    inside = tensors[1:-1]
    if (
        len(tensors) < 2
        or any(x.ndim != 2 for x in inside)
        or not all(x.ndim in (1, 2) for x in tensors)
    ):
        raise ValueError("multi_dot takes matrices; the first and the last may be vectors")
    y = reduce(k.matmul, tensors)
    return y if isinstance(y, k.np.ndarray) else fill(k, (), [y])


def _terms(equation: Any, count: int) -> tuple[list[str], str]:
    """The dims of each operand and of the result, as letters; dots stand as one `.`."""
    if not isinstance(equation, str):
        raise CallError(f"einsum takes an equation such as 'ij,j->i' first, not {equation!r}")
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if not all(_TERM.fullmatch(term) for term in (*terms, right)):
        raise CallError(f"the equation {equation!r} is not made of letters, `...`, `,` and `->`")
    if len(terms) != count:
        raise CallError(f"the equation {equation!r} is for {len(terms)} operands, not {count}")
    terms = [term.replace("...", ".") for term in terms]
    letters = "".join(terms)
    result = right.replace("...", ".")
    if not arrow:
        once = sorted(c for c in {*letters} if letters.count(c) == 1 and c != ".")
        result = "." * ("." in letters) + "".join(once)
    if len({*result}) < len(result) or not {*result} <= {*letters, "."}:
        raise CallError(
            f"the result of {equation!r} names a dimension twice, or one that is nowhere"
        )
    return terms, result


def _einsum(k: Any, *operands: Any, equation: Any) -> Any:
    terms, result = _terms(equation, len(operands))
    dots = max(
        (x.ndim - len(t) + 1 for x, t in zip(operands, terms, strict=True) if "." in t), default=0
    )
    names = [*range(dots)]
    wanted = [d for c in result for d in (names if c == "." else [c])]
    ranked = [_labelled(k, x, t, names) for x, t in zip(operands, terms, strict=True)]
    product = ranked[0]
    for i, operand in enumerate(ranked[1:], 2):
        later = {*wanted}.union(*(labels for labels, _ in ranked[i:]))
        left = _summed(k, *product, later | {*operand[0]})
        product = _joined(k, left, _summed(k, *operand, later | {*left[0]}), later)
    labels, y = _summed(k, *product, {*wanted})
    return y.transpose([labels.index(d) for d in wanted])


def _summed(k: Any, labels: list[Any], x: Any, needed: set[Any]) -> tuple[list[Any], Any]:
    """An operand without the dims that nothing needs."""
    gone = tuple(j for j, label in enumerate(labels) if label not in needed)
    kept = [label for label in labels if label in needed]
    return kept, total(k, x, gone, False) if gone else x


def _joined(
    k: Any, left: tuple[list[Any], Any], right: tuple[list[Any], Any], needed: set[Any]
) -> tuple[list[Any], Any]:
    """Two operands multiplied, and summed over the dims of both that nothing needs: a product of
    matrices for each element of those that stay.
    """
    (of_a, a), (of_b, b) = left, right
    both = [label for label in of_a if label in of_b]
    stay = [label for label in both if label in needed]
    inner = [label for label in both if label not in needed]
    rows, columns = ([n for n in labels if n not in both] for labels in (of_a, of_b))
    sizes = dict(zip([*of_a, *of_b], [*a.shape, *b.shape], strict=True))
    for label in both:
        pair = a.shape[of_a.index(label)], b.shape[of_b.index(label)]
        sizes[label] = k.np.broadcast_shapes(*pair)[0]

    def matrices(labels: list[Any], x: Any, *sides: list[Any]) -> Any:
        order = [*stay, *sides[0], *sides[1]]
        shape = [sizes[label] for label in order]
        held = k.np.broadcast_to(x.transpose([labels.index(label) for label in order]), shape)
        ends = (math.prod(sizes[label] for label in side) for side in sides)
        return held.reshape([*shape[: len(stay)], *ends])

    y = k.matmul(matrices(of_a, a, rows, inner), matrices(of_b, b, inner, columns))
    order = [*stay, *rows, *columns]
    return order, y.reshape([sizes[label] for label in order])


def _labelled(k: Any, x: Any, term: str, names: list[int]) -> tuple[list[Any], Any]:
    """The name of each dim; of a name that stands twice the diagonal."""
    free = x.ndim - len(term.replace(".", ""))
    if free < 0 or (free and "." not in term):
        raise ValueError(f"{x.ndim} dimensions are not {term.replace('.', '...')!r}")
    labels: list[Any] = [d for c in term for d in (names[len(names) - free :] if c == "." else [c])]
    for c in dict.fromkeys(labels):
        while labels.count(c) > 1:
            first = labels.index(c)
            second = labels.index(c, first + 1)
            if x.shape[first] != x.shape[second]:
                raise ValueError(
                    f"{c!r} stands for {x.shape[first]} and {x.shape[second]} elements"
                )
            x = x.diagonal(0, first, second)
            labels = [d for j, d in enumerate(labels) if j not in (first, second)] + [c]
    return labels, x


def _one(dim: Any) -> int:
    (found,) = integers("dim", dim) if not isinstance(dim, tuple) or len(dim) == 1 else (None,)
    if found is None:
        raise CallError(f"one dim is needed, not {dim}")
    return found


def _added(product: str) -> Callable[..., str]:
    """A product and what it is added to, each times a number."""

    def means(beta: Any, alpha: Any) -> str:
        terms = ("x" if beta == 1 else "beta * x", product if alpha == 1 else f"alpha * {product}")
        return " + ".join(terms)

    return means


def _torch_added(name: str) -> Callable[..., Any]:
    return lambda t, x, one, other, beta, alpha: getattr(t, name)(
        x, one, other, beta=beta, alpha=alpha
    )


# fmt: off
# torch takes them by their names alone.
_NAMED = {"torch": Elsewhere(named=("beta", "alpha"))}

ROWS = (
    Function("einsum", "*operands; equation", places=("equation",), torch=lambda t, *operands, equation: t.einsum(equation, *operands), array=_einsum,
             note="written einsum('ij,j->i', A, x)"),
    Function("inner", "x, y", torch=lambda t, x, y: t.inner(x, y), array=_inner),
    Function("vdot", "x, y", derivative=("ybar * y", "ybar * x"), torch=lambda t, x, y: t.vdot(x, y), array=_vdot),
    Function("vecdot", "x, y; dim=-1", torch=lambda t, x, y, dim: t.linalg.vecdot(x, y, dim=dim), means=lambda dim: f"sum(x * y, dim={_one(dim)})",
             foreign=dict.fromkeys(("np", "np.linalg"), "np.vecdot takes its axis of each array by itself: write vecdot(x, y)")),
    Function("tensordot", "x, y; dims=2", torch=lambda t, x, y, dims: t.tensordot(x, y, dims=dims), array=_tensordot),
    Function("kron", "x, y", torch=lambda t, x, y: t.kron(x, y), array=lambda k, x, y: k.np.kron(x, y) if x.ndim or y.ndim else x * y),
    Function("cross", "x, other; dim=None", torch=_torch_cross,
             array=_cross, foreign=dict.fromkeys(("torch.linalg", "np", "np.linalg"), Elsewhere("linalg_cross", named=("dim",))),
             note="along the first dim of 3 elements, if none is said"),
    Function("linalg_cross", "x, other; dim=-1", torch=lambda t, x, other, dim: t.linalg.cross(x, other, dim=dim),
             array=lambda k, x, other, dim: _cross(k, x, other, axis_of(x.ndim, dim)), note="torch.linalg.cross: along the last dim"),
    Function("matrix_power", "x; n", torch=lambda t, x, n: t.linalg.matrix_power(x, n), array=_matrix_power),
    Function("multi_dot", "*tensors", torch=lambda t, *tensors: t.linalg.multi_dot(tensors), array=_chain, aliases=("chain_matmul",)),

    Function("addmm",   "x, mat1, mat2; beta=1, alpha=1", torch=_torch_added("addmm"), means=_added("mm(mat1, mat2)"), foreign=_NAMED),
    Function("addmv",   "x, mat, vec; beta=1, alpha=1", torch=_torch_added("addmv"), means=_added("mv(mat, vec)"), foreign=_NAMED),
    Function("addr",    "x, vec1, vec2; beta=1, alpha=1", torch=_torch_added("addr"), means=_added("outer(vec1, vec2)"), foreign=_NAMED),
    Function("addbmm",  "x, batch1, batch2; beta=1, alpha=1", torch=_torch_added("addbmm"), means=_added("sum(bmm(batch1, batch2), dim=0)"), foreign=_NAMED),
    Function("baddbmm", "x, batch1, batch2; beta=1, alpha=1", torch=_torch_added("baddbmm"), means=_added("bmm(batch1, batch2)"), foreign=_NAMED),
)
# fmt: on
