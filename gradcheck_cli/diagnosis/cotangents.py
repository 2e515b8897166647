"""What the backward does with the upstream gradient: drops it, squares it, averages it, turns it,
or takes a part of it with another factor.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gradcheck_cli.diagnosis.diagnosis import Diagnosis
from gradcheck_cli.diagnosis.ratios import factor_words, ratio_of, the_number
from gradcheck_cli.diagnosis.scene import flat
from gradcheck_cli.language.program import Program, reach
from gradcheck_cli.recording.recording import cotangent_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gradcheck_cli.diagnosis.case import Case
    from gradcheck_cli.diagnosis.closeness import SampleNumbers
    from gradcheck_cli.diagnosis.scene import Scene
    from gradcheck_cli.recording.tape import Nodes

    # Another cotangent made of one.
    Changed: TypeAlias = Callable[[SampleNumbers], SampleNumbers]

# Outputs that are asked one by one, at most.
_MOST_OUTPUTS = 64
# Scalar steps that this takes, at most.
_MOST_STEPS = 200_000
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


def cotangent_unused(case: Case) -> Diagnosis | None:
    """Nothing of it is used."""
    if case.nodes is None or not case.mine.any():
        return None
    used, needed = (_weights_in(case.scene, n) for n in (case.nodes, case.scene.true[case.name]))
    if any(used) or not any(needed):
        return None
    words = "the upstream gradient is not used"
    if case.scene.gives_under(case.scene.true[case.name], case.mine, np.ones_like):
        return Diagnosis("cotangent-ignored", f"{words}: right where it is 1, as after `sum()`")
    return Diagnosis("cotangent-ignored", words)


def cotangent_changed(case: Case) -> Diagnosis | None:
    """The derivative under another upstream gradient, made of the right one."""
    if case.nodes is None:
        return None
    true = case.scene.true[case.name]
    for kind, words, changed in _changes(case.scene.outputs.shape):
        if case.scene.gives_under(true, case.mine, changed):
            return Diagnosis(kind, words)
    return None


def _changes(shape: tuple[int, ...]) -> Iterator[tuple[str, str, Changed]]:
    yield (
        "cotangent-twice",
        "the upstream gradient is used twice: its square stands there",
        np.square,
    )
    yield "cotangent-absolute", "the upstream gradient loses its sign", np.abs
    if prod(shape) > 1:
        yield from _of_several(shape)
    for axes in _orders(shape):
        words = "the upstream gradient has to be transposed"
        yield "cotangent-axis", words, partial(np.transpose, axes=axes)
    for axis in range(len(shape)):
        words = f"the upstream gradient runs the wrong way along dim {axis}"
        yield "cotangent-order", words, partial(np.flip, axis=axis)


def _of_several(shape: tuple[int, ...]) -> Iterator[tuple[str, str, Changed]]:
    axes: list[int | None] = [None, *(range(len(shape)) if len(shape) > 1 else ())]
    for axis in axes:
        along = "" if axis is None else f" along dim {axis}"
        words = f"the upstream gradient is summed{along}"
        yield "cotangent-summed", words, partial(_spread, np.sum, axis)
        words = f"the upstream gradient is averaged{along}"
        yield "cotangent-averaged", words, partial(_spread, np.mean, axis)
    words = "the first element of the upstream gradient stands for all"
    yield "cotangent-first", words, lambda g: np.full_like(g, g.reshape(-1)[0])
    if len(shape) > 1:
        words = "the first row of the upstream gradient stands for all"
        yield "cotangent-first", words, lambda g: np.broadcast_to(g[:1], g.shape)


def _spread(total: Any, axis: int | None, weights: SampleNumbers) -> SampleNumbers:
    """A total of weights in all of their places."""
    return np.broadcast_to(total(weights, axis=axis, keepdims=True), weights.shape)


def _orders(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Exchanges of two axes of the same size."""
    for i in range(len(shape)):
        for k in range(i + 1, len(shape)):
            if shape[i] == shape[k] > 1:
                axes = list(range(len(shape)))
                axes[i], axes[k] = k, i
                yield tuple(axes)


def outputs_apart(case: Case, parts: Sequence[int] = ()) -> Diagnosis | None:
    """Parts of the value whose share has another factor, where the other parts' are right.

    Args:
        parts: how many elements each result of the function has; empty where it gives one.
    """
    scene = case.scene
    size = scene.outputs.size
    work = size * len(scene.builder.nodes)
    if case.nodes is None or not 1 < size <= _MOST_OUTPUTS or work > _MOST_STEPS:
        return None
    found: list[Fraction | float | None] = []
    for k in range(size):
        world = scene.under(scene.worlds[0], np.arange(size) == k)
        mine, true = (scene.numbers(n, [world]) for n in (case.nodes, scene.true[case.name]))
        found.append(_share(mine, true))
    others = {number for number in found if number not in (None, 1)}
    if len(others) != 1 or 1 not in found:
        return None
    (number,) = others
    shares = np.array([1.0 if f is None else float(f) for f in found])
    shares = shares.reshape(scene.outputs.shape)
    if not scene.gives_under(scene.true[case.name], case.mine, lambda g: g * shares):
        return None
    where = _part_words([k for k, f in enumerate(found) if f not in (None, 1)], parts, case)
    if number == 0:
        return Diagnosis("part-missing", f"{where} is missing", "0")
    words = f"{where}: {factor_words(case, number)}"
    return Diagnosis("part-sign" if number == -1 else "part-factor", words, str(number))


def _share(mine: SampleNumbers, true: SampleNumbers) -> Fraction | float | None:
    """The factor of one output's share; None where there is nothing to tell."""
    if not true.any():
        return None
    if not mine.any():
        return Fraction(0)
    ratio = ratio_of(mine, true)
    if ratio is None:
        return float("nan")
    if (np.abs(ratio[~np.isnan(ratio)] - 1) < 1e-9).all():
        return Fraction(1)
    values = ratio[~np.isnan(ratio)]
    doubled = np.concatenate([values, values])
    number = the_number(doubled)
    return float("nan") if number is None else number


def _part_words(places: list[int], parts: Sequence[int], case: Case) -> str:
    start = 0
    for ordinal, size in zip(_ORDINALS, parts, strict=False):
        if places == list(range(start, start + size)):
            return f"the part of the {ordinal} result"
        start += size
    shape = case.scene.outputs.shape
    rows = {np.unravel_index(k, shape)[0] for k in places}
    if len(shape) > 1 and len(places) == len(rows) * prod(shape[1:]):
        return f"the part of row {', '.join(str(int(r)) for r in sorted(rows))} of the result"
    words = ", ".join(map(str, places[:6]))
    more = " and others" if len(places) > 6 else ""
    return f"the part of element {words}{more} of the result"


def _weights_in(scene: Scene, nodes: Nodes) -> set[str]:
    """Which elements of the cotangent some scalars rest on."""
    names = cotangent_names(scene.outputs.shape)
    program = Program(tuple(scene.builder.nodes), ())
    bits = reach(program, {name: 1 << k for k, name in enumerate(names)})
    together = 0
    for i in flat(nodes):
        together |= bits[i]
    return {name for k, name in enumerate(names) if together >> k & 1}
