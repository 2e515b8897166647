"""What is taken for a constant inside one step of the forward: one use of an array, or a sum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.diagnosis.diagnosis import Diagnosis
from gradcheck_cli.diagnosis.scene import flat
from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Call

if TYPE_CHECKING:
    from gradcheck_cli.diagnosis.case import Case
    from gradcheck_cli.diagnosis.lines import Lines
    from gradcheck_cli.diagnosis.scene import Scene
    from gradcheck_cli.language.program import Node
    from gradcheck_cli.recording.tape import ArrayStep, Nodes

# Steps that are tried, at most, before the clock.
_MOST_STEPS = 400


def total_held(case: Case, lines: Lines) -> Diagnosis | None:
    """A sum inside one step is taken for a constant, as that of a softmax."""
    scene = case.scene
    for step in scene.steps[: min(scene.forward_steps, _MOST_STEPS)]:
        totals = _totals(scene, step)
        if totals:
            held = scene.pulled(scene.cotangent, totals)[case.name]
            if scene.gives(held, case.mine):
                words = f"the sum in {lines.words.step(step)}"
                return Diagnosis("constant", f"{words} is taken for a constant")
    return None


def _totals(scene: Scene, step: ArrayStep) -> frozenset[int]:
    """The sums that a step computes on its way."""
    nodes, result = scene.builder.nodes, set(flat(step.result))
    stack, inner = list(result), set[int]()
    given = {i for argument in step.args for i in flat(argument)}
    while stack:
        node = nodes[stack.pop()]
        for i in node.args if isinstance(node, Call) else ():
            if i not in given and i not in inner:
                inner.add(i)
                stack.append(i)
    plus = {i for i in inner - result if _is_sum(nodes[i])}
    parts = {j for i in plus for j in nodes[i].args}  # type: ignore[union-attr]
    return frozenset(plus - parts)


def _is_sum(node: Node) -> bool:
    return isinstance(node, Call) and lookup(node.function).operator == "+"


def use_cut(case: Case, lines: Lines) -> Diagnosis | None:
    """The same, where the step's line says that it cuts a path."""
    return use_held(case, lines, cut=True)


def use_held(case: Case, lines: Lines, *, cut: bool = False) -> Diagnosis | None:
    """One use of an array in one step is taken for a constant: `x * x.detach()`."""
    scene = case.scene
    for step in scene.steps[: min(scene.forward_steps, _MOST_STEPS)]:
        if cut and not lines.says_cut(step):
            continue
        for k, argument in enumerate(step.args):
            if len(step.args) < 2:
                continue
            mark = scene.mark()
            outputs = _with_held(scene, step, k)
            if outputs is not None:
                rest = scene.pulled(scene.cotangent, outputs=outputs)[case.name]
                if scene.gives(rest, case.mine):
                    name = lines.words.of(argument) or "an operand"
                    words = f"{name} is taken for a constant in {lines.words.step(step)}"
                    return Diagnosis("constant", words)
            scene.back_to(mark)
    return None


def _with_held(scene: Scene, step: ArrayStep, k: int) -> Nodes | None:
    """The outputs with one argument of one step held."""
    stopped = [*step.args]
    made = [scene.builder.call("stop_gradient", i) for i in flat(step.args[k])]
    stopped[k] = np.array(made, dtype=np.int64).reshape(step.args[k].shape)
    try:
        result = scene.called(step, stopped)
    except (ValueError, IndexError, TypeError):
        return None
    changed = {a: b for a, b in zip(flat(step.result), flat(result), strict=True) if a != b}
    return scene.rebuilt(scene.outputs, changed) if changed else None
