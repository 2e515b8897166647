"""One change of one step of the backward that makes it the derivative: another operand, a sign, a
transpose, a factor.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gradcheck_cli.diagnosis.diagnosis import Diagnosis
from gradcheck_cli.diagnosis.scene import fitted, flat
from gradcheck_cli.functions import lookup, operators
from gradcheck_cli.language.program import Call, Number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gradcheck_cli.diagnosis.case import Case
    from gradcheck_cli.diagnosis.words import Known
    from gradcheck_cli.recording.tape import Nodes, Step

# Steps of the backward that are changed, the last ones, at most.
_MOST_STEPS = 60
# Operators that are taken for each other, and what is then to be said.
_MISTAKEN = {
    "+": ("-", "the sign of {1} is wrong in {here}"),
    "-": ("+", "the sign of {1} is wrong in {here}"),
    "*": ("/", "{here} multiplies by {1} where it should divide"),
    "/": ("*", "{here} divides by {1} where it should multiply"),
}
_TOTALS = {"sum": "mean", "mean": "sum"}
# Functions whose derivatives are each other.
_PARTNERS = {"sin": "cos", "cos": "sin", "sinh": "cosh", "cosh": "sinh", "tan": "tanh", "tanh": "tan"}  # fmt: skip


class Change(NamedTuple):
    """Another result for a step.

    Attributes:
        words: what is wrong without it.
        made: makes the scalars of the result.
    """

    kind: str
    words: str
    made: Callable[[], Nodes]


def mended(case: Case) -> Diagnosis | None:
    """The first change that gives the derivative at every sample."""
    scene = case.scene
    if case.nodes is None:
        return None
    steps = _steps(case)
    for changes in (_of_operands, _of_signs, _of_forms, _of_factors):
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


def _fits(case: Case, step: Step, change: Change) -> bool:
    scene = case.scene
    assert case.nodes is not None
    try:
        result = change.made()
    except (ValueError, IndexError, TypeError):
        return False
    changed = _changed(step, result) if result.shape == step.result.shape else _replayed(case, step, result)  # fmt: skip
    if not changed:
        return False
    return scene.gives(scene.rebuilt(case.nodes, changed), case.true)


def _changed(step: Step, result: Nodes) -> dict[int, int]:
    """The scalars of a step's result that are others now."""
    return {a: b for a, b in zip(flat(step.result), flat(result), strict=True) if a != b}


def _replayed(case: Case, step: Step, result: Nodes) -> dict[int, int]:
    """The same of the steps that use a result whose shape is another now; nothing where it does not
    fit them.
    """
    found: dict[int, int] = {}
    for user in case.scene.steps[case.scene.forward_steps :]:
        for k, argument in enumerate(user.args):
            if np.array_equal(argument, step.result):
                try:
                    made = _with(case, user, k, result)()
                except (ValueError, IndexError, TypeError):
                    return {}
                if made.shape != user.result.shape:
                    return {}
                found |= _changed(user, made)
    return found


def _steps(case: Case) -> list[Step]:
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


def _of_operands(case: Case, step: Step) -> Iterator[Change]:
    """Another array in the place of an argument."""
    # What has a name is told rather than what has none.
    ordered = sorted(enumerate(step.args), key=lambda pair: not case.words.of(pair[1]))
    for k, argument in ordered:
        yield from _turned(case, step, k, argument)
    for k, argument in ordered:
        mine = case.words.of(argument)
        for known in _others(case, argument):
            words = f"uses {mine or 'an operand'} where {known.words} is needed{_in(case, step)}"
            nodes = np.broadcast_to(known.nodes, argument.shape) if known.nodes.size == 1 else known.nodes  # fmt: skip
            yield Change("operand", words, _with(case, step, k, nodes.reshape(argument.shape)))


def _others(case: Case, argument: Nodes) -> Iterator[Known]:
    """Arrays of as many elements, constants beside constants."""
    own, is_condition = flat(argument), case.words.is_condition(argument)
    for known in case.words.everything:
        same = np.squeeze(known.nodes).shape in (np.squeeze(argument).shape, ())
        if same and known.is_condition == is_condition and flat(known.nodes) != own:
            yield known


def _turned(case: Case, step: Step, k: int, argument: Nodes) -> Iterator[Change]:
    """The argument itself, otherwise oriented."""
    mine = case.words.of(argument) or "an operand"
    here = _in(case, step)
    if argument.ndim == 2 and argument.shape[0] == argument.shape[1]:
        words = f"{mine} has to be transposed{here}"
        if mine.endswith(".T`"):
            words = f"{mine[:-3]}` has to stand as it is, not transposed,{here}"
        yield Change("operand-transposed", words, _with(case, step, k, argument.T))
    for axis in range(argument.ndim):
        if argument.shape[axis] > 1:
            words = f"{mine} has to be reversed along dim {axis}{here}"
            yield Change("operand-reversed", words, _with(case, step, k, np.flip(argument, axis)))
    if argument.ndim == 1 and step.result.ndim == 2:
        words = f"{mine} meets the wrong axis: it belongs to the rows{here}"
        yield Change("wrong-axis", words, _with(case, step, k, argument[:, None]))
    if argument.ndim == 2 and argument.shape[1] == 1 and step.result.ndim == 2:
        words = f"{mine} meets the wrong axis: it belongs to the columns{here}"
        yield Change("wrong-axis", words, _with(case, step, k, argument[:, 0]))
    if argument.ndim == 2 and argument.shape[0] == 1 and step.result.ndim == 2:
        words = f"{mine} meets the wrong axis: it belongs to the rows{here}"
        yield Change("wrong-axis", words, _with(case, step, k, argument.T))


def _with(case: Case, step: Step, k: int, other: Nodes) -> Callable[[], Nodes]:
    def made() -> Nodes:
        args = [*step.args]
        args[k] = other
        return case.scene.called(step, args)

    return made


def _of_signs(case: Case, step: Step) -> Iterator[Change]:
    """Another operator, another total, a function for its partner."""
    row = lookup(step.call.function)
    said = [_said(case, a) for a in step.args]
    here = case.words.step(step) or case.words.whole(step)
    if row.operator in _MISTAKEN and len(step.args) == 2:
        other, words = _MISTAKEN[row.operator]
        kind = "term-sign" if row.operator in "+-" else "inverted-factor"
        yield Change(kind, words.format(*said, here=here), _as(case, step, operators()[other, 2]))
        if row.operator in "+-":
            words = f"the sign of {said[0]} is wrong in {here}"
            yield Change("term-sign", words, partial(_signed, case, step))
    if row.name in _TOTALS:
        other = _TOTALS[row.name]
        words = f"takes the {row.name} where the {other} is needed{_in(case, step)}"
        yield Change("sum-or-mean", words, _as(case, step, other))
        yield from _of_dims(case, step)
    if row.name in _PARTNERS:
        other = _PARTNERS[row.name]
        words = f"`{row.name}` stands where `{other}` is needed{_in(case, step)}"
        yield Change("function", words, _as(case, step, other))


def _signed(case: Case, step: Step) -> Nodes:
    """`b - a` for `a + b` and `-a - b` for `a - b`: the first term's sign changed."""
    turned = case.scene.mapped("neg", step.args[0])
    return case.scene.called(step, [turned, step.args[1]])


def _as(case: Case, step: Step, other: str) -> Callable[[], Nodes]:
    changed = replace(step, call=Call(other, (), step.call.settings))
    return lambda: case.scene.called(changed, step.args)


def _of_dims(case: Case, step: Step) -> Iterator[Change]:
    """A total along another dim of the same size."""
    (argument,), settings = step.args, dict(step.call.settings)
    dims = settings.get("dim")
    if not isinstance(dims, tuple) or len(dims) != 1 or not isinstance(dims[0], int):
        return
    name, here = step.call.function, _in(case, step)
    for other in range(argument.ndim):
        if other != dims[0] % argument.ndim:
            call = Call(name, (), tuple(sorted({**settings, "dim": (other,)}.items())))
            words = f"the {name} runs along dim {dims[0]} where dim {other} is needed{here}"
            changed = replace(step, call=call)
            yield Change("wrong-dim", words, partial(case.scene.called, changed, step.args))


def _of_forms(case: Case, step: Step) -> Iterator[Change]:
    """Another power, a number that is off, a simple function of an argument."""
    scene = case.scene
    for k, argument in enumerate(step.args):
        mine, here = _said(case, argument), _in(case, step)
        if _is_number(case, argument):
            yield from _of_numbers(case, step, k)
        if _is_number(case, argument) or case.words.is_condition(argument):
            continue
        one = scene.number(1)
        forms: tuple[tuple[str, str, tuple[Nodes, ...]], ...] = (
            (f"{mine} squared", "mul", (argument, argument)),
            (f"1 - {mine}", "sub", (one, argument)),
            (f"-{mine}", "neg", (argument,)),
            (f"1/{mine}", "div", (one, argument)),
            (f"exp of {mine}", "exp", (argument,)),
            (f"the root of {mine}", "sqrt", (argument,)),
        )
        for words, function, args in forms:
            said = f"uses {mine} where {words} is needed{here}"
            yield Change("operand", said, partial(_formed, case, step, k, function, args))


def _formed(case: Case, step: Step, k: int, function: str, args: tuple[Nodes, ...]) -> Nodes:
    """A step with a function of an argument in its place."""
    return _with(case, step, k, case.scene.mapped(function, *args))()


def _of_numbers(case: Case, step: Step, k: int) -> Iterator[Change]:
    """A number one more or less, its double or half, or another number of the forward."""
    scene, argument = case.scene, step.args[k]
    node = scene.builder.nodes[flat(argument)[0]]
    assert isinstance(node, Number)
    if not isinstance(node.value, Fraction):
        return
    value, here = node.value, _in(case, step)
    for other in (value + 1, value - 1, 2 * value, value / 2, -value):
        words = f"`{_bare(case, argument)}` stands where `{other}` is needed{here}"
        number = np.full(argument.shape, scene.builder.number(other))
        yield Change("number", words, _with(case, step, k, number))


def _of_factors(case: Case, step: Step) -> Iterator[Change]:
    """A factor too much, or one that is missing."""
    scene, row = case.scene, lookup(step.call.function)
    here = case.words.step(step) or case.words.whole(step)
    if row.operator in ("*", "/") and len(step.args) == 2:
        for k in (0, 1) if row.operator == "*" else (1,):
            words = f"the factor {_said(case, step.args[k])} is too much in {here}"
            kept = np.broadcast_to(step.args[1 - k], step.result.shape)
            yield Change("extra-factor", words, partial(np.asarray, kept))
    for known in case.words.arrays if not case.words.is_condition(step.result) else ():
        for nodes in fitted(known.nodes, step.result.shape):
            for function, words in (("mul", known.words), ("div", f"1/{known.words}")):
                said = f"the factor {words} is missing in {here}"
                made = partial(scene.mapped, function, step.result, nodes)
                yield Change("missing-factor", said, made)


def _is_number(case: Case, nodes: Nodes) -> bool:
    made = {i: case.scene.builder.nodes[i] for i in set(flat(nodes))}
    return len(made) == 1 and all(isinstance(n, Number) for n in made.values())


def _said(case: Case, nodes: Nodes) -> str:
    return case.words.of(nodes) or "an operand"


def _bare(case: Case, nodes: Nodes) -> str:
    return case.words.of(nodes).strip("`")


def _in(case: Case, step: Step) -> str:
    """Where a step stands, for the end of a sentence."""
    where = case.words.step(step)
    return f" in {where}" if where.startswith("`") else case.words.place(step)
