"""Products of arrays and what is solved with them."""

from __future__ import annotations

from itertools import count
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.recording.numpy_call import NumpyCall
    from gradcheck_cli.recording.tape import Nodes


def contracted(
    call: NumpyCall,
    first: Nodes,
    second: Nodes,
    labels: tuple[Sequence[Any], Sequence[Any]],
    kept: Sequence[Any],
) -> tuple[Nodes, list[Any]]:  # fmt: skip
    """The product of two arrays over the labels that both have and that are not kept, and the
    labels of its axes.
    """
    left, right = labels
    both = [k for k in left if k in right and k in kept]
    summed = [k for k in left if k in right and k not in kept]
    mine, theirs = [k for k in left if k not in right], [k for k in right if k not in left]
    sizes = dict(zip(left, first.shape, strict=True)) | dict(zip(right, second.shape, strict=True))
    a = _in_order(first, left, [*both, *mine, *summed])
    b = _in_order(second, right, [*both, *summed, *theirs])
    batch, rows, columns = ([sizes[k] for k in ks] for ks in (both, mine, theirs))
    if summed:
        inner = prod(sizes[k] for k in summed)
        a = a.reshape(prod(batch), prod(rows), inner)
        nodes = call.row("matmul", a, b.reshape(prod(batch), inner, prod(columns)))
    else:
        a = a.reshape(prod(batch), prod(rows), 1)
        nodes = call.row("mul", a, b.reshape(prod(batch), 1, prod(columns)))
    return nodes.reshape((*batch, *rows, *columns)), [*both, *mine, *theirs]


def _in_order(nodes: Nodes, labels: Sequence[Any], order: Sequence[Any]) -> Nodes:
    return nodes.transpose([list(labels).index(k) for k in order])


def _einsum(call: NumpyCall) -> Any:
    subscripts, *operands = call["operands"]
    if not isinstance(subscripts, str):
        call.ledger.refuse("`einsum` with lists of axes")
    arrays = [call.floats(operand) for operand in operands]
    inputs, output = _labels(subscripts.replace(" ", ""), [a.ndim for a in arrays])
    pairs = [_without_repeats(a, labels) for a, labels in zip(arrays, inputs, strict=True)]
    while len(pairs) > 1:
        (a, left), (b, right), *rest = pairs
        kept = {*output, *(k for _, labels in rest for k in labels)}
        a, left = _alone_summed(call, a, left, {*kept, *right})
        b, right = _alone_summed(call, b, right, {*kept, *left})
        pairs = [contracted(call, a, b, (left, right), [*kept]), *rest]
    nodes, labels = _alone_summed(call, *pairs[0], set(output))
    return _in_order(nodes, labels, output)


def _labels(text: str, ranks: list[int]) -> tuple[list[list[Any]], list[Any]]:
    """The labels of each operand and of the result; what `...` stands for is numbered."""
    given, arrow, wanted = text.partition("->")
    spread = 0
    inputs: list[list[Any]] = []
    for part, rank in zip(given.split(","), ranks, strict=True):
        before, dots, after = part.partition("...")
        inner = [*range(-(rank - len(before) - len(after)), 0)] if dots else []
        spread = max(spread, len(inner))
        inputs.append([*before, *inner, *after])
    every = [*range(-spread, 0)]
    if arrow:
        before, dots, after = wanted.partition("...")
        return inputs, [*before, *(every if dots else []), *after]
    letters = [k for labels in inputs for k in labels if isinstance(k, str)]
    return inputs, [*every, *sorted(k for k in set(letters) if letters.count(k) == 1)]


def _without_repeats(nodes: Nodes, labels: list[Any]) -> tuple[Nodes, list[Any]]:
    """The diagonal of axes with the same label."""
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            nodes = np.diagonal(nodes, axis1=first, axis2=second)
            labels = [k for i, k in enumerate(labels) if i not in (first, second)] + [label]
    return nodes, labels


def _alone_summed(call: NumpyCall, nodes: Nodes, labels: Any, kept: set[Any]) -> Any:
    gone = tuple(i for i, k in enumerate(labels) if k not in kept)
    if not gone:
        return nodes, labels
    return call.row("sum", nodes, dim=gone), [k for k in labels if k in kept]


def _tensordot(call: NumpyCall) -> Any:
    a, b, axes = call.floats(call["a"]), call.floats(call["b"]), call.get("axes", 2)
    if isinstance(axes, int | np.integer):
        pairs = list(zip(range(a.ndim - int(axes), a.ndim), range(int(axes)), strict=True))
    else:
        mine, theirs = ([k] if isinstance(k, int | np.integer) else list(k) for k in axes)
        pairs = [(i % a.ndim, j % b.ndim) for i, j in zip(mine, theirs, strict=True)]
    return _over(call, a, b, pairs)


def _over(call: NumpyCall, a: Nodes, b: Nodes, pairs: list[tuple[int, int]]) -> Nodes:
    fresh = count()
    left = [next(fresh) for _ in range(a.ndim)]
    of_right = {j: left[i] for i, j in pairs}
    right = [of_right[j] if j in of_right else next(fresh) for j in range(b.ndim)]
    summed = set(of_right.values())
    kept = [k for k in (*left, *right) if k not in summed]
    return contracted(call, a, b, (left, right), kept)[0]


def _dot(call: NumpyCall) -> Any:
    a, b = call.floats(call["a"]), call.floats(call["b"])
    if not a.ndim or not b.ndim:
        return call.row("mul", a, b)
    if a.ndim <= 2 and b.ndim <= 2:
        return call.row("matmul", a, b)
    return _over(call, a, b, [(a.ndim - 1, max(b.ndim - 2, 0))])


def _inner(call: NumpyCall) -> Any:
    a, b = call.floats(call["a"]), call.floats(call["b"])
    if not a.ndim or not b.ndim:
        return call.row("mul", a, b)
    return _over(call, a, b, [(a.ndim - 1, b.ndim - 1)])


def _vdot(call: NumpyCall) -> Any:
    a, b = (call.floats(call[k]).reshape(-1) for k in "ab")
    return call.row("matmul", a, b)


def _outer(call: NumpyCall) -> Any:
    a, b = [call.floats(v).reshape(-1) for v in list(call.args.values())[:2]]
    return call.row("mul", a[:, None], b[None, :])


def _kronecker(call: NumpyCall) -> Any:
    a, b = call.floats(call["a"]), call.floats(call["b"])
    rank = max(a.ndim, b.ndim)
    a, b = (x.reshape((1,) * (rank - x.ndim) + x.shape) for x in (a, b))
    left = a.reshape([n for size in a.shape for n in (size, 1)])
    right = b.reshape([n for size in b.shape for n in (1, size)])
    shape = [m * n for m, n in zip(a.shape, b.shape, strict=True)]
    return call.row("mul", left, right).reshape(shape)


def _cross(call: NumpyCall) -> Any:
    call.only("b")
    a, b = [call.floats(v) for v in list(call.args.values())[:2]]
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        call.ledger.refuse("`cross` of vectors of 2 numbers")

    def part(i: int, j: int) -> Nodes:
        plus, minus = (call.row("mul", a[..., m], b[..., n]) for m, n in ((i, j), (j, i)))
        return call.row("sub", plus, minus)

    return np.stack([part(1, 2), part(2, 0), part(0, 1)], -1)


def _convolved(call: NumpyCall) -> Any:
    """`convolve` and `correlate`, the shorter one behind."""
    a, b = (call.floats(call[k]) for k in "av")
    mode = call.get("mode", "full")
    if len(a) < len(b):
        call.ledger.refuse(f"`{call.name}` with the shorter array first")
    if call.name == "correlate":
        b = b[::-1]
    size, short = len(a) + len(b) - 1, len(b)
    table = np.zeros((size, len(a)), dtype=np.int64)
    for i in range(len(a)):
        table[i : i + short, i] = b
    full = call.row("matmul", table, a)
    if mode == "full":
        return full
    start = short - 1 if mode == "valid" else (short - 1) // 2
    return full[start : start + np.size(call.result)]


def _solve(call: NumpyCall) -> Any:
    a, b = call.floats(call["a"]), call.floats(call["b"])
    is_vector = np.ndim(call.result) < a.ndim
    found = call.row("matmul", call.row("inverse", a), b[..., None] if is_vector else b)
    return found[..., 0] if is_vector else found


def _sign_and_logarithm(call: NumpyCall) -> Any:
    det = call.row("det", call.floats(call.first))
    return call.row("sign", det), call.row("log", call.row("abs", det))


def _powered(call: NumpyCall) -> Any:
    power, nodes = int(call["n"]), call.floats(call.first)
    if not power:
        return None
    step = nodes if power > 0 else call.row("inverse", nodes)
    found = step
    for _ in range(abs(power) - 1):
        found = call.row("matmul", found, step)
    return found


def _chained(call: NumpyCall) -> Any:
    first, *rest = [call.floats(part) for part in call.first]
    for other in rest:
        first = call.row("matmul", first, other)
    return first


def _trace(call: NumpyCall) -> Any:
    call.only()
    return call.row("trace", call.floats(call.first))


def _row(name: str) -> Any:
    return lambda call: call.row(name, call.floats(call.first))


CALLS: dict[str, Any] = {
    "einsum": _einsum, "tensordot": _tensordot, "linalg.tensordot": _tensordot, "dot": _dot,
    "inner": _inner, "vdot": _vdot, "outer": _outer, "linalg.outer": _outer, "kron": _kronecker,
    "cross": _cross, "linalg.cross": _cross, "convolve": _convolved, "correlate": _convolved,
    "trace": _trace, "linalg.inv": _row("inverse"), "linalg.det": _row("det"),
    "linalg.solve": _solve, "linalg.slogdet": _sign_and_logarithm,
    "linalg.matrix_power": _powered, "linalg.multi_dot": _chained,
}  # fmt: skip
