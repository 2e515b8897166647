"""The derivative's elements in other places, or another derivative in its place."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.calculus.folding import fold_call
from gradcheck_cli.calculus.reverse import adjoints
from gradcheck_cli.diagnosis.closeness import close, near
from gradcheck_cli.diagnosis.diagnosis import Diagnosis
from gradcheck_cli.diagnosis.scene import flat
from gradcheck_cli.language.program import Variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.diagnosis.case import Case
    from gradcheck_cli.diagnosis.closeness import SampleNumbers

# Elements whose places are looked for, and rows of a Jacobian that are computed, at most.
_MOST_ELEMENTS, _MOST_ROWS = 4_096, 48
# A name that no person could write, for the tangent of the Jacobian's own product.
_TANGENT = "the tangent"


def nothing_there(case: Case) -> Diagnosis | None:
    """No gradient, or zeros."""
    if case.mine.any():
        return None
    words = "there is none" if case.nodes is None else "0 is returned"
    return Diagnosis("no-gradient", words)


def meant_otherwise(case: Case) -> Diagnosis | None:
    """Something, where the derivative is 0 at every sample."""
    if case.true.any() or not case.mine.any():
        return None
    words = "the derivative is 0 everywhere, and something else is returned"
    advice = "what is meant to stand in for it can be stated (`--backward-spec`)"
    return Diagnosis("stand-in", f"{words}; {advice}")


def reordered(case: Case) -> Diagnosis | None:
    """The right elements in another order."""
    for kind, words, numbers in _orders(case.true):
        if case.is_as(numbers):
            return Diagnosis(kind, words)
    return _permuted(case)


def _orders(true: SampleNumbers) -> Iterator[tuple[str, str, SampleNumbers]]:
    shape, axes = true.shape[1:], range(1, true.ndim)
    for order in permutations(axes):
        turned = np.transpose(true, (0, *order))
        words = (
            "it is the transpose of the derivative"
            if len(shape) == 2
            else "its axes are in another order"
        )
        if turned.shape == true.shape:
            yield "transposed", words, turned
        elif len(shape) <= 4:
            words = "it is reshaped where it should be transposed"
            yield "reshaped", words, turned.reshape(true.shape)
    for axis in axes:
        words = f"its elements run the wrong way along dim {axis - 1}"
        yield "reversed", words, np.flip(true, axis)
    for axis in axes:
        for step in range(1, min(true.shape[axis], 8)):
            for sign in (1, -1):
                words = f"its elements are shifted by {step * sign} along dim {axis - 1}"
                yield "shifted", words, np.roll(true, step * sign, axis)


def _permuted(case: Case) -> Diagnosis | None:
    """Elements in places that are found at one sample, and confirmed at all."""
    rows = len(case.true)
    mine, true = case.mine.reshape(rows, -1), case.true.reshape(rows, -1)
    if not 1 < true.shape[1] <= _MOST_ELEMENTS:
        return None
    first, second = np.argsort(mine[0], kind="stable"), np.argsort(true[0], kind="stable")
    order = np.empty_like(first)
    order[first] = second
    if not close(mine, true[:, order]):
        return None
    return Diagnosis("permuted", "its elements stand in the wrong places")


def another(case: Case, cases: Sequence[Case]) -> Diagnosis | None:
    """The gradient of another input."""
    for other in cases:
        if other is not case and case.is_as(other.true):
            if other.is_as(case.true):
                both = " and ".join(f"`{name}`" for name in sorted((case.name, other.name)))
                words = f"it is that of the other: {both} are exchanged"
                return Diagnosis("exchanged", words)
            return Diagnosis("another-input", f"it is that of `{other.name}`")
    return None


def rows_apart(case: Case) -> Diagnosis | None:
    """Sums, means or one row in the places of rows."""
    for axis in range(1, case.true.ndim):
        count, dim = case.true.shape[axis], axis - 1
        if count < 2:
            continue
        total = np.broadcast_to(case.true.sum(axis, keepdims=True), case.true.shape)
        if case.is_as(total):
            return Diagnosis("summed", f"its sum along dim {dim} stands in every place")
        if case.is_as(total / count):
            words = f"it is spread evenly along dim {dim}: its mean stands in every place"
            return Diagnosis("spread", words)
        for place, words in ((0, "first"), (count - 1, "last")):
            alone = np.zeros_like(case.true)
            alone[(slice(None),) * axis + (place,)] = np.take(case.true, place, axis)
            if case.is_as(alone):
                what = "sample" if dim == 0 and case.true.ndim > 2 else "element"
                where = "" if dim == 0 else f" along dim {dim}"
                told = f"only the {words} {what} counts{where}: the others get 0"
                return Diagnosis("one-row", told)
    return None


def some_missing(case: Case) -> Diagnosis | None:
    """Zeros in the same places at every sample, the rest being right."""
    zero = (case.mine == 0) & (case.true != 0)
    always = zero.all(0)
    if case.right.all() or not always.any() or not (case.right | always).all():
        return None
    if not case.right.all(0).any() or case.true.ndim < 2:
        return None
    return Diagnosis("elements-missing", f"it is 0 at {_places(always)}, and right elsewhere")


def some_wrong(case: Case) -> Diagnosis | None:
    """Wrong in the same places at every sample, right in others."""
    always = ~case.right.any(0)
    if not always.any() or always.all() or not (case.right | always).all():
        return None
    return Diagnosis("elements-wrong", f"wrong only at {_places(always)}")


def _places(chosen: Any) -> str:
    """The first of some elements."""
    words = ", ".join(str(i.tolist()).replace(" ", "") for i in np.argwhere(chosen)[:3])
    more = int(chosen.sum()) - 3
    return f"{words} and {more} more" if more > 0 else words


def jacobian_untransposed(case: Case) -> Diagnosis | None:
    """The Jacobian applied where its transpose should be; or its diagonal alone."""
    scene = case.scene
    size = scene.outputs.size
    if case.nodes is None or case.nodes.size != size or size < 2:
        return None
    tangent = [scene.builder.variable(f"{_TANGENT}[{k}]") for k in range(size)]
    pulled = flat(scene.pulled(np.array(tangent).reshape(scene.outputs.shape))[case.name])
    total = scene.builder.number(0)
    for node, weight in zip(pulled, flat(scene.cotangent), strict=True):
        term = fold_call(scene.builder, "mul", (weight, node))
        total = fold_call(scene.builder, "add", (total, term))
    names = frozenset(f"{_TANGENT}[{k}]" for k in range(size))
    found = adjoints(scene.builder, total, names)
    zero = scene.builder.number(0)
    made = [found.get(scene.builder.index[Variable(f"{_TANGENT}[{k}]")], zero) for k in range(size)]
    if case.is_as(_of_tangents(case, made)):
        words = "the Jacobian is applied to the upstream gradient, and not its transpose"
        return Diagnosis("untransposed-jacobian", words)
    return _diagonal(case)


def _of_tangents(case: Case, made: list[int]) -> SampleNumbers:
    """Numbers of scalars that no tangent is in, shaped like the input."""
    scene = case.scene
    nodes = np.array(made, dtype=np.int64).reshape(case.shape)
    try:
        return scene.numbers(nodes)
    except KeyError:
        return np.full(case.mine.shape, np.nan)


def _diagonal(case: Case) -> Diagnosis | None:
    scene = case.scene
    size = scene.outputs.size
    if size > _MOST_ROWS:
        return None
    # The Jacobian's own element is what is left when all other weights are 0.
    zero, made = scene.builder.number(0), []
    weights = flat(scene.cotangent)
    for k in range(size):
        seeds: Any = np.array([w if j == k else zero for j, w in enumerate(weights)])
        made.append(flat(scene.pulled(seeds.reshape(scene.outputs.shape))[case.name])[k])
    nodes = np.array(made, dtype=np.int64).reshape(case.shape)
    if not case.is_as(scene.numbers(nodes)):
        return None
    return Diagnosis("diagonal-alone", "only the diagonal of the Jacobian is counted")


def uniform(case: Case) -> Diagnosis | None:
    """The same for all elements, where the derivative is not."""
    first = case.mine.reshape(len(case.mine), -1)[:, :1]
    flat_ = case.mine.reshape(len(case.mine), -1)
    if flat_.shape[1] < 2 or not near(flat_, np.broadcast_to(first, flat_.shape)).all():
        return None
    return Diagnosis("uniform", "every element gets the same, whatever it is")
