"""One change of one step of the backward that makes it the derivative: another operand, a sign, a
transpose, a factor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.diagnosis.changes import (
    of_factors,
    of_forms,
    of_operands,
    of_signs,
    with_argument,
    with_factor,
)
from gradcheck_cli.diagnosis.diagnosis import Diagnosis
from gradcheck_cli.diagnosis.scene import flat
from gradcheck_cli.language.program import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gradcheck_cli.diagnosis.case import Case
    from gradcheck_cli.diagnosis.changes import Mend
    from gradcheck_cli.recording.tape import ArrayStep, Nodes

# Steps of the backward that are changed, the last ones, at most.
_MOST_STEPS = 60
# Elements that are looked at before all are.
_FEW = 3


def mended(case: Case) -> Diagnosis | None:
    """The first change that gives the derivative at every sample."""
    if case.nodes is None:
        return None
    steps = _steps(case)
    found = _of_steps(case, steps, of_operands) or _of_cotangent(case)
    if found is not None:
        return found
    for changes in (of_signs, of_forms, of_factors):
        found = _of_steps(case, steps, changes)
        if found is not None:
            return found
    return None


def _of_steps(
    case: Case,
    steps: Sequence[ArrayStep],
    changes: Callable[[Case, ArrayStep], Iterator[Mend]],
) -> Diagnosis | None:
    """The first change of a sort."""
    scene = case.scene
    for step in steps:
        for change in changes(case, step):
            scene.look_at_the_clock()
            mark = scene.mark()
            try:
                fits = _fits(case, step, change)
            finally:
                scene.back_to(mark)
            if fits:
                return Diagnosis(change.kind, change.words)
    return None


def _of_cotangent(case: Case) -> Diagnosis | None:
    """A factor that the upstream gradient lacks wherever it is used."""
    scene = case.scene
    for words, made in with_factor(case, scene.cotangent):
        scene.look_at_the_clock()
        mark = scene.mark()
        try:
            pairs = zip(flat(scene.cotangent), flat(made()), strict=True)
            fits = _mends(case, dict(pairs))
        finally:
            scene.back_to(mark)
        if fits:
            said = f"the upstream gradient has to be multiplied by {words} before it is used"
            return Diagnosis("missing-factor", said)
    return None


def _fits(case: Case, step: ArrayStep, change: Mend) -> bool:
    try:
        result = change.made()
    except (ValueError, IndexError, TypeError):
        return False
    fits = result.shape == step.result.shape
    changed = _changed(step, result) if fits else _replayed(case, step, result)
    return bool(changed) and _mends(case, changed)


def _mends(case: Case, changed: dict[int, int]) -> bool:
    """Whether the derivative comes out with other scalars: a few elements first."""
    scene = case.scene
    assert case.nodes is not None
    nodes, true = case.nodes.reshape(-1), case.true.reshape(len(case.true), -1)
    every = np.arange(nodes.size)
    few = every[:: max(1, nodes.size // _FEW)]
    return all(
        scene.gives(scene.rebuilt(nodes[chosen], changed), true[:, chosen])
        for chosen in (few, every)
    )


def _changed(step: ArrayStep, result: Nodes) -> dict[int, int]:
    """The scalars of a step's result that are others now."""
    return {a: b for a, b in zip(flat(step.result), flat(result), strict=True) if a != b}


def _replayed(case: Case, step: ArrayStep, result: Nodes) -> dict[int, int]:
    """The same of the steps that use a result whose shape is another now; nothing where it does not
    fit them.
    """
    found: dict[int, int] = {}
    for user in case.scene.steps[case.scene.forward_steps :]:
        for k, argument in enumerate(user.args):
            if np.array_equal(argument, step.result):
                try:
                    made = with_argument(case, user, k, result)()
                except (ValueError, IndexError, TypeError):
                    return {}
                if made.shape != user.result.shape:
                    return {}
                found |= _changed(user, made)
    return found


def _steps(case: Case) -> list[ArrayStep]:
    """Steps of the backward that this input's gradient rests on, the last first."""
    scene, nodes = case.scene, case.scene.builder.nodes
    assert case.nodes is not None
    needed, stack = set[int](), flat(case.nodes)
    while stack:
        i = stack.pop()
        if i not in needed:
            needed.add(i)
            node = nodes[i]
            stack += node.args if isinstance(node, Call) else ()
    # The first ones weigh the value and add it up: nobody wrote them.
    given = set(flat(scene.cotangent))
    found = [
        step
        for step in scene.steps[scene.forward_steps :]
        if not needed.isdisjoint(flat(step.result)) and not given.issuperset(flat(step.result))
    ]
    return found[::-1][:_MOST_STEPS]
