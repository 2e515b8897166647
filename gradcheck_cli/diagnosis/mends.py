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
)
from gradcheck_cli.diagnosis.diagnosis import Diagnosis
from gradcheck_cli.diagnosis.scene import flat
from gradcheck_cli.language.program import Call

if TYPE_CHECKING:
    from gradcheck_cli.diagnosis.case import Case
    from gradcheck_cli.diagnosis.changes import Mend
    from gradcheck_cli.recording.tape import ArrayStep, Nodes

# Steps of the backward that are changed, the last ones, at most.
_MOST_STEPS = 60


def mended(case: Case) -> Diagnosis | None:
    """The first change that gives the derivative at every sample."""
    scene = case.scene
    if case.nodes is None:
        return None
    steps = _steps(case)
    for changes in (of_operands, of_signs, of_forms, of_factors):
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


def _fits(case: Case, step: ArrayStep, change: Mend) -> bool:
    scene = case.scene
    assert case.nodes is not None
    try:
        result = change.made()
    except (ValueError, IndexError, TypeError):
        return False
    fits = result.shape == step.result.shape
    changed = _changed(step, result) if fits else _replayed(case, step, result)
    if not changed:
        return False
    return scene.gives(scene.rebuilt(case.nodes, changed), case.true)


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
