"""What may be changed in one step of a backward: operands, signs, functions, numbers, factors."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gradcheck_cli.diagnosis.scene import fittings, flat
from gradcheck_cli.functions import lookup, operators
from gradcheck_cli.language.program import Call, Number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gradcheck_cli.diagnosis.case import Case
    from gradcheck_cli.diagnosis.words import Known
    from gradcheck_cli.recording.tape import ArrayStep, Nodes

# Operators that are taken for each other, and what is then to be said.
_MISTAKEN = {
    "+": ("-", "the sign of {1} is wrong in {here}"),
    "-": ("+", "the sign of {1} is wrong in {here}"),
    "*": ("/", "{here} multiplies by {1} where it should divide"),
    "/": ("*", "{here} divides by {1} where it should multiply"),
}
_TOTALS = {"sum": "mean", "mean": "sum"}
# Functions whose derivatives are each other.
_PARTNERS = {"sin": "cos", "cos": "sin", "sinh": "cosh", "cosh": "sinh"}


class Mend(NamedTuple):
    """Another result for a step.

    Attributes:
        words: what is wrong without it.
        made: makes the scalars of the result.
    """

    kind: str
    words: str
    made: Callable[[], Nodes]


def of_operands(case: Case, step: ArrayStep) -> Iterator[Mend]:
    """Another array in the place of an argument."""
    # What has a name is told rather than what has none.
    ordered = sorted(enumerate(step.args), key=lambda pair: not case.words.of(pair[1]))
    for k, argument in ordered:
        yield from _turned(case, step, k, argument)
    for k, argument in ordered:
        mine = case.words.of(argument)
        for known in _others(case, argument):
            words = f"uses {mine or 'an operand'} where {known.words} is needed{_in(case, step)}"
            nodes = known.nodes
            if nodes.size == 1:
                nodes = np.broadcast_to(nodes.reshape(()), argument.shape)
            yield Mend(
                "operand", words, with_argument(case, step, k, nodes.reshape(argument.shape))
            )


def _others(case: Case, argument: Nodes) -> Iterator[Known]:
    """Arrays of as many elements, constants beside constants."""
    own, is_condition = flat(argument), case.words.is_condition(argument)
    for known in case.words.everything:
        same = np.squeeze(known.nodes).shape in (np.squeeze(argument).shape, ())
        if same and known.is_condition == is_condition and flat(known.nodes) != own:
            yield known


def _turned(case: Case, step: ArrayStep, k: int, argument: Nodes) -> Iterator[Mend]:
    """The argument itself, otherwise oriented."""
    mine = case.words.of(argument) or "an operand"
    here = _in(case, step)
    if argument.ndim == 2 and argument.shape[0] == argument.shape[1]:
        words = f"{mine} has to be transposed{here}"
        if mine.endswith(".T`"):
            words = f"{mine[:-3]}` has to stand as it is, not transposed,{here}"
        yield Mend("operand-transposed", words, with_argument(case, step, k, argument.T))
    for axis in range(argument.ndim):
        if argument.shape[axis] > 1:
            words = f"{mine} has to be reversed along dim {axis}{here}"
            yield Mend(
                "operand-reversed", words, with_argument(case, step, k, np.flip(argument, axis))
            )
    if argument.ndim == 1 and step.result.ndim == 2:
        words = f"{mine} meets the wrong axis: it belongs to the rows{here}"
        yield Mend("wrong-axis", words, with_argument(case, step, k, argument[:, None]))
    if argument.ndim == 2 and argument.shape[1] == 1 and step.result.ndim == 2:
        words = f"{mine} meets the wrong axis: it belongs to the columns{here}"
        yield Mend("wrong-axis", words, with_argument(case, step, k, argument[:, 0]))
    if argument.ndim == 2 and argument.shape[0] == 1 and step.result.ndim == 2:
        words = f"{mine} meets the wrong axis: it belongs to the rows{here}"
        yield Mend("wrong-axis", words, with_argument(case, step, k, argument.T))


def with_argument(case: Case, step: ArrayStep, k: int, other: Nodes) -> Callable[[], Nodes]:
    def made() -> Nodes:
        args = [*step.args]
        args[k] = other
        return case.scene.called(step, args)

    return made


def of_signs(case: Case, step: ArrayStep) -> Iterator[Mend]:
    """Another operator, another total, a function for its partner."""
    row = lookup(step.call.function)
    said = [_said(case, a) for a in step.args]
    here = _here(case, step)
    if row.operator in _MISTAKEN and len(step.args) == 2:
        other, words = _MISTAKEN[row.operator]
        kind = "term-sign" if row.operator in "+-" else "inverted-factor"
        yield Mend(kind, words.format(*said, here=here), _as(case, step, operators()[other, 2]))
        if row.operator in "+-":
            words = f"the sign of {said[0]} is wrong in {here}"
            yield Mend("term-sign", words, partial(_signed, case, step))
    if row.name in _TOTALS:
        other = _TOTALS[row.name]
        words = f"takes the {row.name} where the {other} is needed{_in(case, step)}"
        yield Mend("sum-or-mean", words, _as(case, step, other))
        yield from _of_dims(case, step)
    if row.name in _PARTNERS:
        other = _PARTNERS[row.name]
        words = f"`{row.name}` stands where `{other}` is needed{_in(case, step)}"
        yield Mend("function", words, _as(case, step, other))


def _signed(case: Case, step: ArrayStep) -> Nodes:
    """`b - a` for `a + b` and `-a - b` for `a - b`: the first term's sign changed."""
    turned = case.scene.mapped("neg", step.args[0])
    return case.scene.called(step, [turned, step.args[1]])


def _as(case: Case, step: ArrayStep, other: str) -> Callable[[], Nodes]:
    changed = replace(step, call=Call(other, (), step.call.settings))
    return lambda: case.scene.called(changed, step.args)


def _of_dims(case: Case, step: ArrayStep) -> Iterator[Mend]:
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
            yield Mend("wrong-dim", words, partial(case.scene.called, changed, step.args))


def of_forms(case: Case, step: ArrayStep) -> Iterator[Mend]:
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
            yield Mend("operand", said, partial(_formed, case, step, k, function, args))


def _formed(case: Case, step: ArrayStep, k: int, function: str, args: tuple[Nodes, ...]) -> Nodes:
    """A step with a function of an argument in its place."""
    return with_argument(case, step, k, case.scene.mapped(function, *args))()


def _of_numbers(case: Case, step: ArrayStep, k: int) -> Iterator[Mend]:
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
        yield Mend("number", words, with_argument(case, step, k, number))


def of_factors(case: Case, step: ArrayStep) -> Iterator[Mend]:
    """A factor too much, or one that is missing."""
    row = lookup(step.call.function)
    here = _here(case, step)
    if row.operator in ("*", "/") and len(step.args) == 2:
        for k in (0, 1) if row.operator == "*" else (1,):
            words = f"the factor {_said(case, step.args[k])} is too much in {here}"
            kept = np.broadcast_to(step.args[1 - k], step.result.shape)
            yield Mend("extra-factor", words, partial(np.asarray, kept))
    if not case.words.is_condition(step.result):
        for words, made in with_factor(case, step.result):
            yield Mend("missing-factor", f"the factor {words} is missing in {here}", made)
    for k, argument in enumerate(step.args):
        # What is computed element by element has its factors in its result.
        if argument.shape != step.result.shape or row.kind == "structural":
            for words, made in with_factor(case, argument):
                said = f"the factor {words} is missing, of {_said(case, argument)} in {here}"
                yield Mend("missing-factor", said, partial(_made_into, case, step, k, made))


def _made_into(case: Case, step: ArrayStep, k: int, made: Callable[[], Nodes]) -> Nodes:
    return with_argument(case, step, k, made())()


def with_factor(case: Case, nodes: Nodes) -> Iterator[tuple[str, Callable[[], Nodes]]]:
    """An array times what the forward has of its shape, in words and as scalars."""
    mapped, zero = case.scene.mapped, case.scene.number(0)
    if case.words.is_condition(nodes):
        return
    for known in case.words.everything:
        bare = known.words.strip("`")
        for other in fittings(known.nodes, nodes.shape):
            if known.is_condition:
                yield f"`[{bare}]`", partial(mapped, "where", other, nodes, zero)
                continue
            yield known.words, partial(mapped, "mul", nodes, other)
            yield f"1/{known.words}", partial(mapped, "div", nodes, other)
            if not known.is_constant:
                yield f"`sign({bare})`", partial(_signed_by, case, nodes, other)
                yield f"`[{bare} > 0]`", partial(_where_positive, case, nodes, other)


def _signed_by(case: Case, nodes: Nodes, other: Nodes) -> Nodes:
    return case.scene.mapped("mul", nodes, case.scene.mapped("sign", other))


def _where_positive(case: Case, nodes: Nodes, other: Nodes) -> Nodes:
    zero = case.scene.number(0)
    return case.scene.mapped("where", case.scene.mapped("gt", other, zero), nodes, zero)


def _is_number(case: Case, nodes: Nodes) -> bool:
    made = {i: case.scene.builder.nodes[i] for i in set(flat(nodes))}
    return len(made) == 1 and all(isinstance(n, Number) for n in made.values())


def _said(case: Case, nodes: Nodes) -> str:
    return case.words.of(nodes) or "an operand"


def _bare(case: Case, nodes: Nodes) -> str:
    return case.words.of(nodes).strip("`")


def _here(case: Case, step: ArrayStep) -> str:
    """A step, as it is written."""
    return case.words.step(step) or "a step of torch's own"


def _in(case: Case, step: ArrayStep) -> str:
    """Where a step stands, for the end of a sentence."""
    where = case.words.step(step)
    return f" in {where}" if where else ""
