"""Laws of what is recorded of NumPy: the nodes of a call come to what NumPy makes of the numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from each import each
from flint import ctx
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from gradcheck_cli.language.program import Program
from gradcheck_cli.recording.arrays import TapedArray
from gradcheck_cli.recording.ledger import ArrayLedger, Taped, untaped
from gradcheck_cli.recording.substitutes import substituted
from gradcheck_cli.recording.tape import Unfollowed
from gradcheck_cli.worlds import balls

A = np.array([[0.5, -1.25, 2.0], [1.5, 0.25, -0.75]])
B = np.array([[1.25, 0.5, -0.5], [-2.0, 0.75, 3.0]])
V = np.array([0.3, -0.7, 1.1])
P = np.array([[0.5, 1.25, 2.0], [1.5, 0.25, 0.75]])
S = np.array([[2.0, 0.5, -0.25], [0.25, -1.5, 0.75], [1.0, 0.5, 3.0]])
X = {"a": A, "b": B, "v": V, "p": P, "s": S}


def recorded(function, *names):
    """What a function gives for arrays that are written down: values, balls of their nodes."""
    ledger = ArrayLedger()
    arrays = [
        TapedArray(ledger, X[name].copy(), ledger.tape.input(name, X[name].shape)) for name in names
    ]
    with substituted(ledger, [function]):
        found = function(*arrays)
    parts = list(found) if isinstance(found, list | tuple) else [found]
    program = Program(tuple(ledger.tape.builder.nodes), ())
    point = {
        f"{n}[{','.join(map(str, i))}]": float(X[n][i])
        for n in names
        for i in np.ndindex(X[n].shape)
    }
    with ctx.workprec(128):
        made = balls.Machine(program).values(
            {name: balls.exact_ball(value) for name, value in point.items()}, lambda value: value
        )
        answers = [number_of(part, made) for part in parts]
    return parts, answers, ledger


def number_of(part, made):
    """The numbers that the nodes of an array come to."""
    if not isinstance(part, Taped):
        return np.asarray(part)
    nodes = np.asarray(part.nodes)
    found = [made[i] for i in nodes.reshape(-1).tolist()]
    return np.array(
        [float(b) if isinstance(b, bool) else float(balls.plain(b).mid()) for b in found]
    ).reshape(nodes.shape)


def held(function, *names):
    """Whether a call is recorded as what it is, and really recorded."""
    with np.errstate(all="ignore"):
        wanted = function(*[X[name].copy() for name in names])
    parts, answers, ledger = recorded(function, *names)
    wanted = list(wanted) if isinstance(wanted, list | tuple) else [wanted]
    assert len(parts) == len(wanted)
    for part, answer, want in zip(parts, answers, wanted, strict=True):
        assert isinstance(part, Taped), "it was not recorded"
        assert np.shape(want) == part.shape == answer.shape
        assert np.asarray(want).dtype == part.dtype
        np.testing.assert_allclose(np.asarray(untaped(part)), want, rtol=0, atol=0)
        np.testing.assert_allclose(answer, np.asarray(want, dtype=float), rtol=1e-13, atol=1e-15)
    assert ledger.failure is None
    return ledger


ELEMENTWISE = [
    "absolute",
    "arctan",
    "cbrt",
    "ceil",
    "cos",
    "cosh",
    "deg2rad",
    "degrees",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "floor",
    "negative",
    "positive",
    "rad2deg",
    "radians",
    "reciprocal",
    "rint",
    "sign",
    "sin",
    "sinc",
    "sinh",
    "square",
    "tan",
    "tanh",
    "trunc",
    "arcsinh",
    "conjugate",
    "fix",
]
OF_POSITIVE = ["sqrt", "log", "log2", "log10", "log1p"]
OF_TWO = [
    "add",
    "subtract",
    "multiply",
    "divide",
    "true_divide",
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "arctan2",
    "hypot",
    "logaddexp",
    "logaddexp2",
    "copysign",
    "heaviside",
    "floor_divide",
    "remainder",
    "mod",
    "fmod",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "equal",
    "not_equal",
    "logical_and",
    "logical_or",
    "logical_xor",
]


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_function_of_one_array(name):
    """By its name in NumPy, of an array and of a number of it."""
    held(lambda a: getattr(np, name)(a), "a")
    held(lambda a: getattr(np, name)(a[0, 1]), "a")


@pytest.mark.parametrize("name", OF_POSITIVE)
def test_a_function_of_positive_numbers(name):
    """By its name in NumPy."""
    held(lambda p: getattr(np, name)(p), "p")


@pytest.mark.parametrize("name", OF_TWO)
def test_a_function_of_two_arrays(name):
    """Broadcast, and with a number on either side."""
    held(lambda a, v: getattr(np, name)(a, v), "a", "v")
    held(lambda a: getattr(np, name)(a, 0.25), "a")
    held(lambda v: getattr(np, name)(2, v), "v")


SQUARES = np.vectorize(lambda v, w: v * w)
CALLS = {
    "operators": lambda a, b: (a + 2 * b - a / b, 1 - a, 2.0 / b, -a, abs(a), a**2, a**3, 3 / b**2),
    "powers": lambda p: (p**0.5, p**-1.5, 2**p, np.power(p, 3), np.float_power(p, 2)),
    "comparisons": lambda a, b: (a > b, a <= 0, (a > 0) & (b > 0), ~(a > b), (a > 0) | (b < 0), (a > 0) ^ (b > 0)),
    "masks as numbers": lambda a, b: ((a > 0) * b, b * (a > 0).astype(float), (a > 0).astype(int) + 1, np.sum(a > 0)),
    "in place": lambda a, b: in_place(a, b),
    "sum": lambda a: (a.sum(), np.sum(a, axis=0), a.sum(axis=1, keepdims=True), np.sum(a, axis=(0, 1)), a.sum(-1), np.add.reduce(a, axis=1)),
    "sum where": lambda a, b: np.sum(a, axis=1, where=b > 0),
    "mean": lambda a: (a.mean(), np.mean(a, 0), a.mean(axis=-1, keepdims=True), np.average(a, axis=0), np.average(a, axis=1, weights=[1, 2, 3])),
    "var": lambda a: (a.var(), np.var(a, axis=0), a.var(axis=1, ddof=1), a.std(1), np.std(a, axis=1, ddof=1, keepdims=True)),
    "prod": lambda a: (a.prod(), np.prod(a, axis=1), np.prod(a, axis=(0, 1)), np.multiply.reduce(a, axis=0)),
    "max": lambda a: (a.max(), np.max(a, axis=0), np.amin(a, axis=1, keepdims=True), a.min(), np.ptp(a, axis=1), np.maximum.reduce(a)),
    "any": lambda a: (np.any(a > 0, axis=1), (a > -5).all()),
    "running": lambda a: (np.cumsum(a), a.cumsum(axis=1), np.cumprod(a, axis=0), np.add.accumulate(a, axis=0)),
    "diff": lambda a: (np.diff(a), np.diff(a, axis=0), np.diff(a, n=2)),
    "trapezoid": lambda a, v: (np.trapezoid(a, dx=0.5), np.trapezoid(a, x=v)) if hasattr(np, "trapezoid") else (np.trapz(a), np.trapz(a, x=v)),
    "matmul": lambda a, s, v: (a @ s, a @ v, np.matmul(a, s), a.dot(s), np.dot(v, v), v.dot(s), a @ a.T, np.matmul(np.stack([a, a]), s)),
    "products": lambda a, b, v: (np.outer(v, a), np.inner(a, v), np.vdot(a, b), np.tensordot(a, b, axes=([1], [1])), np.tensordot(a, b.T, 1), np.kron(a, b), np.cross(a, v)),
    "einsum": lambda a, b, s: (np.einsum("ij,kj->ik", a, b), np.einsum("ii", s), np.einsum("ij->j", a), np.einsum("ij,ij->", a, b), np.einsum("...i,ij->...j", a, s), np.einsum("ij,jk,lk->il", a, s, b), np.einsum("ij,jk", a, s), np.einsum("ii->i", s), np.einsum("i,j->ij", a[0], b[1])),
    "dot of stacks": lambda a, s: np.dot(np.stack([a, a]), np.stack([s, s])),
    "constants first": lambda v: np.ones((2, 3)) @ v + np.array([[1.0, 2, 3]]).dot(v),
    "linalg": lambda s, v: (np.linalg.inv(s), np.linalg.det(s), np.linalg.solve(s, v), np.linalg.solve(s, s.T), np.trace(s), np.linalg.matrix_power(s, 2), np.linalg.multi_dot([s, s, v])),
    "slogdet": lambda s: tuple(np.linalg.slogdet(s)),
    "norm": lambda a, v: (np.linalg.norm(v), np.linalg.norm(a), np.linalg.norm(a, axis=1), np.linalg.norm(a, axis=0, keepdims=True), np.linalg.norm(v, 1), np.linalg.norm(v, np.inf), np.linalg.norm(a, 3, axis=1)),
    "convolve": lambda a, v: (np.convolve(v, a[0][:2]), np.convolve(v, v, "same"), np.convolve(v, a[0, 1:], "valid"), np.correlate(v, a[1, :2], "full"), np.correlate(v, a[1, :2])),
    "clip": lambda a, v: (np.clip(a, -0.5, 1), a.clip(0, None), np.clip(a, v, 2)),
    "where": lambda a, b: (np.where(a > b, a, b), np.where(a > 0, 1.0, 0.0), np.where(a > 0, a, 0.1 * a)),
    "select": lambda a: np.select([a < 0, a > 1], [-a, a**2], default=0.5),
    "sort": lambda a: (np.sort(a), np.sort(a, axis=0), np.sort(a, axis=None), np.median(a), np.median(a, axis=1)),
    "round": lambda a: (np.round(a), np.round(a, 1), a.round(), a.astype(int)),
    "shapes": lambda a: (a.T, a.reshape(3, 2), a.reshape((-1,)), a.ravel(), a.flatten(), np.expand_dims(a, 1), a[None], np.squeeze(a[:1]), np.swapaxes(a, 0, 1), np.moveaxis(a[None], 0, -1), a.transpose(1, 0), np.transpose(a, (1, 0)), np.atleast_2d(a[0])),
    "joined": lambda a, b: (np.concatenate([a, b]), np.concatenate((a, np.ones((2, 1))), axis=1), np.stack([a, b], axis=-1), np.vstack([a, b]), np.hstack((a, b)), np.append(a, b, axis=0), np.r_[0:1, 2:3] * a[:, :2], np.block([[a, b], [b, a]])),
    "split": lambda a: np.split(a, 3, axis=1),
    "moved": lambda a: (np.tile(a, (2, 1)), np.repeat(a, 2, axis=1), np.roll(a, 1, axis=1), np.flip(a, 0), a[::-1], np.rot90(a), np.take(a, [0, 2], axis=1), np.take_along_axis(a, np.array([[0], [2]]), 1), np.delete(a, 1, axis=1), np.diag(a[:, :2]), np.diag(a[0]), np.triu(a), np.tril(a), np.broadcast_to(a, (2, 2, 3))),
    "pad": lambda a: (np.pad(a, 1), np.pad(a, ((0, 0), (1, 2)), mode="constant", constant_values=0.5), np.pad(a, 1, mode="edge"), np.pad(a, 1, mode="reflect")),
    "windows": lambda a, v: (sliding_window_view(v, 2), np.lib.stride_tricks.sliding_window_view(a, (2, 2)), as_strided(v, (2, 2), (8, 8)), np.lib.stride_tricks.as_strided(v, (2, 2), (8, 8))),
    "indexed": lambda a: (a[0], a[:, 1:], a[..., 0], a[0, 1], a[[1, 0]], a[np.arange(2), [0, 2]], a[a > 0], a[np.argmax(a[:, 0])], a[:, np.newaxis, :]),
    "outer of a ufunc": lambda a, v: (np.subtract.outer(v, a[0]), np.add.outer(a[0], v)),
    "where of a ufunc": lambda a, b: np.divide(a, b, out=np.zeros_like(a), where=b > 0.5),
    "made": lambda a: (np.zeros_like(a) + a, np.ones_like(a) * a, np.full_like(a, 2.5) * a, np.full((2, 3), 1.5) - a, np.eye(2) @ a, np.array([a[0], a[1]]), np.array([[a[0, 0], 1.0]]), np.asarray(a), np.array(a) * 1, np.full((2,), a[0, 0])),
    "whole numbers": lambda a: (np.array([a[0, 0], a[1, 0]], dtype=int) * a[0, 1], np.zeros((np.sum(a > 0), 1)) + a[0, 0]),
    "lists": lambda a: (np.sum([a[0, 0], a[0, 1]]), np.mean([a[0], a[1]], axis=0), np.max([a[0, 0], 0.0]), np.exp([a[0, 0], a[1, 1]])),
    "python": lambda a: (sum(a), sum(x**2 for x in a[0]), a[0, 0].item() * 2, a.tolist()[0][1] * 1.0, max(a[0]), np.float64(2) * a, round(a[0, 1])),
    "floats": lambda a: (float(a[0, 0]) * a, np.zeros(2, dtype=float) + float(a[0, 1]), a.astype(float)),
    "each": lambda a: (np.vectorize(lambda v: v * v if v > 0 else 0.5)(a), SQUARES(a, 2.0), np.apply_along_axis(lambda row: row / row.max(), 1, a), np.apply_along_axis(sum, 0, a)),
    "math": lambda p: (math.exp(p[0, 0]), math.sqrt(p[0, 1]), math.log(p[1, 1]), math.sqrt(2) * p, math.pow(p[0, 0], 2.5), math.atan2(p[0, 0], p[0, 1]), math.erf(p[0, 0])),
    "meshed": lambda v: np.meshgrid(v, v),
    "divmod": lambda a: (*divmod(a, 0.75), *np.modf(a)),
    "gradient's at": lambda a, v: added_at(a, v),
    "views": lambda a, b: views(a, b),
    "writers": lambda a, b: writers(a, b),
    "loops": lambda a, b: loops(a, b),
}  # fmt: skip


def in_place(a, b):
    """Operators that write, on arrays and on numbers."""
    c = a.copy()
    c += b
    c[0] *= 2
    c[:, 1] /= b[:, 1]
    c[c > 1] = 0.5
    c[a < 0] -= 1
    number = c[0, 0]
    number += 5
    np.exp(c, out=c)
    np.add(c, 1, out=c)
    c[:, 0] = [1, 2]
    c[1, 1:] = b[0, :2]
    return c, number


def added_at(a, v):
    """What comes twice counts twice."""
    c = np.zeros(3)
    np.add.at(c, [0, 2, 0], v)
    d = a.copy()
    np.subtract.at(d, (slice(None), [0, 0, 1]), v)
    return c, d


def views(a, b):
    """Writing through a view writes to what it is of; to a copy it does not."""
    c = np.zeros((2, 3))
    c[0] = a[0]
    row, column, flat, turned = c[1], c[:, 2], c.reshape(-1), c.T
    row[:] = b[1]
    column += 1
    flat[0] = a[1, 1]
    turned[1, 0] = 7
    copy = c[[0, 1]]
    copy[:] = 0
    other = (a.T + 1).reshape(-1)
    other[0] = 3
    fortran = a.T + 1
    seen = fortran.ravel()
    seen[1] = 9
    return c, copy, other, fortran, seen


def writers(a, b):
    """Functions that change their first argument."""
    c, d, e, f = a.copy(), a.copy(), a.copy(), b[:, :2].copy()
    np.copyto(c, b, where=a > 0)
    np.put(d, [0, 4], [b[0, 0], 2])
    np.putmask(e, e > 0, 0.5)
    np.fill_diagonal(f, a[0, 0])
    g = np.empty_like(a)
    g[...] = b
    g.fill(2)
    g[0].sort()
    h = np.empty((2, 2))
    h[:, 0], h[:, 1] = a[:, 0], 1
    return c, d, e, f, g, h


def loops(a, b):
    """Elements one by one."""
    c = np.zeros((a.shape[0], b.shape[0]))
    for i in range(len(a)):
        for j, row in enumerate(b):
            c[i, j] = np.sum(a[i] * row)
            if c[i, j] > 0:
                c[i, j] = c[i, j] ** 2
    best = np.zeros(2, dtype=bool)
    for i in range(2):
        best[i] = a[i, 0] > b[i, 0]
    return c, best, c * best


@each("name", CALLS)
def test_what_is_recorded_comes_to_what_numpy_computes(name):
    """Values, shapes and dtypes, and the balls of what was written down."""
    function = CALLS[name]
    held(function, *function.__code__.co_varnames[: function.__code__.co_argcount])


REFUSED = {
    "fft": (lambda a: np.fft.fft(a), "`numpy.fft` has no row in the function table"),
    "svd": (lambda a: np.linalg.svd(a), "`numpy.linalg.svd` has no row in the function table"),
    "unwritten": (lambda a: np.empty(3) * a, "it reads memory that nothing was written to"),
    "complex": (lambda a: a * 1j, "an array of complex128"),
    "view": (lambda a: a.view(np.int64), "`view` of an array"),
    "shuffle": (lambda a: np.random.shuffle(a), "`shuffle` of numbers that depend on the inputs"),
    "ndmin": (lambda a: np.array(a, ndmin=3), "`array` with `ndmin`"),
    "percentile": (lambda a: np.percentile(a, 20), "`numpy.percentile` has no row in the function table"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_followed_says_what_and_where(name):
    """With the person's line, and remembered, as whoever called may catch it."""
    function, message = REFUSED[name]
    ledger = ArrayLedger()
    array = TapedArray(ledger, A.copy(), ledger.tape.input("a", A.shape))
    with pytest.raises(Unfollowed) as caught, substituted(ledger, [function]):
        function(array)
    assert str(caught.value) == message
    assert caught.value.place == f"{__file__}:{function.__code__.co_firstlineno}"
    assert ledger.failure is caught.value


def test_other_libraries_are_not_given_numbers():
    """Not even where they ask for an array in the ways of NumPy."""
    ledger = ArrayLedger()
    array = TapedArray(ledger, A.copy(), ledger.tape.input("a", A.shape))
    with pytest.raises(Unfollowed, match=r"^code outside of NumPy takes the numbers of an array$"):
        np.zeros(3)[:] = array
    with pytest.raises(Unfollowed, match=r"^it writes to an array that was made elsewhere$"):
        np.add(A, array, out=np.zeros((2, 3)))
    assert np.asarray(TapedArray(ledger, A, ledger.constants(A))).tolist() == A.tolist()


def test_what_leaves_the_arrays_is_remarked():
    """Branches and numbers, each at its line; what no input has a part in is not."""

    def leaves(a):
        if a[0, 0] > 0:
            return a * int(a[0, 2]) * np.argmax(a)
        return a

    _, _, ledger = recorded(leaves, "a")
    line = leaves.__code__.co_firstlineno
    seen = [(r.kind, r.what, r.place) for r in ledger.remarks]
    assert seen == [
        ("escape", "bool", f"{__file__}:{line + 1}"),
        ("escape", "int", f"{__file__}:{line + 2}"),
        ("index", "argmax", f"{__file__}:{line + 2}"),
    ]
    _, _, ledger = recorded(lambda a: a * int(np.sqrt(9.0)) * np.argmax(np.ones(3)), "a")
    assert ledger.remarks == []


def test_numpy_is_as_it_was():
    """Also after code that fails; and it never was another for who does not belong to the code."""
    before = np.zeros, math.exp, np.random.rand
    with pytest.raises(ZeroDivisionError):
        recorded(lambda a: a / (1 // 0), "a")
    assert before == (np.zeros, math.exp, np.random.rand)
    assert isinstance(np.zeros(2), np.ndarray)
    assert type(np) is type(math)
