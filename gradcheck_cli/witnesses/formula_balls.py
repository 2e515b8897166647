"""SymPy's formulas, as they came from its process, in balls."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from gradcheck_cli.calculus.formulas import formula, lower, meaning
from gradcheck_cli.calculus.totality import is_total
from gradcheck_cli.functions import lookup
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Builder, Call, Copying, Number, Program, fold
from gradcheck_cli.symbolic.wire import Unreadable, from_wire
from gradcheck_cli.witnesses.reference import FIRST_BITS
from gradcheck_cli.witnesses.truth import SIGN_BITS, is_certified
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.scalars import ShapeError, TooLarge, expand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.language.program import CallSettings, Node
    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.questions.prepared import Prepared

# The ball of a formula at a point, or None and why it has none.
Evaluation: TypeAlias = "tuple[balls.Ball | None, str]"
# SymPy's words for what has no value, for an infinity without a sign, and for the imaginary unit.
_NO_REAL = re.compile(r"\b(?:nan|zoo|I)\b")


class Formulas:
    """Formulas as one scalar program: parts that they share are evaluated once."""

    def __init__(self, prepared: Prepared, texts: Sequence[str], wire: str | None) -> None:
        builder = Builder()
        # The node of each formula, or why it has none. What is no program of ours is read from its
        # text, which tells why.
        self._places: list[int | str] = (
            [_place(prepared, builder, text) for text in texts]
            if wire is None
            else _places(prepared, builder, wire)
        )
        nodes = builder.nodes
        self.is_total = not any(_may_lack(nodes, node) for node in nodes)
        self._machine = balls.Machine(Program(tuple(nodes), ()))

    def balls(self, point: Point) -> list[Evaluation]:
        """Each formula's ball at a point, at rising precision, or None and why there is none."""
        uncertain = "the formula has no certain value at this point"
        answers: list[Evaluation] = [
            (None, place if isinstance(place, str) else uncertain) for place in self._places
        ]
        wanted = {k: place for k, place in enumerate(self._places) if isinstance(place, int)}
        inputs, bits = point.scalars, FIRST_BITS
        while wanted and bits <= 4 * SIGN_BITS:
            values = self._machine.run(inputs, bits, point.dtype.round)
            for k, place in list(wanted.items()):
                ball = balls.plain(values[place])
                if is_certified(ball):
                    answers[k] = (ball, "")
                    del wanted[k]
            bits *= 2
        return answers


def _places(prepared: Prepared, builder: Builder, wire: str) -> list[int | str]:
    """The nodes of formulas that came as one program, added to `builder`; in words why they have
    none.
    """
    wanted = len(prepared.elements)
    try:
        program = from_wire(json.loads(wire), prepared.all_elements)
        if len(program.outputs) != wanted:
            raise Unreadable(f"{len(program.outputs)} formulas came for {wanted} partials")
    except (ValueError, RecursionError) as error:
        return [f"the formula could not be evaluated: {error}"] * wanted
    return list(_as_sympy(builder, program))


def _place(prepared: Prepared, builder: Builder, text: str) -> int | str:
    """The node of a formula, its program added to `builder`; in words why it has none."""
    try:
        program = parse(text)
        expansion = expand(program, {name: prepared.inputs[name] for name in program.variables})
    except (UserError, ShapeError, TooLarge, KeyError) as error:
        return _why_unreadable(prepared, text, error)
    output = int(np.reshape(expansion.values[program.result], -1)[0])
    return _as_sympy(builder, expansion.builder.program(output))[0]


def _why_unreadable(prepared: Prepared, text: str, error: Exception) -> str:
    """Why a formula is no program over the inputs, in words."""
    names = (name for name in _NO_REAL.findall(text) if name not in prepared.inputs)
    name = next(names, None)
    if name is not None:
        return f"SymPy's formula has `{name}` in it, which is no real number"
    why = error.mistakes[0].message if isinstance(error, UserError) else str(error)
    if isinstance(error, KeyError):
        why = f"there is no input `{error.args[0]}`"
    return f"the formula could not be evaluated: {why}"


def _may_lack(nodes: Sequence[Node], node: Node) -> bool:
    """Whether a step has no value for some arguments; one that divides by a number has."""
    if not isinstance(node, Call) or is_total(node.function, node.settings):
        return False
    last = nodes[node.args[-1]]
    return not (
        lookup(node.function).operator in ("/", "**")
        and isinstance(last, Number)
        and last.value > 0
    )


class _AsSymPy(Copying):
    """At a kink where the table says less, SymPy's convention stands in: its opinion is its own."""

    def call(self, node: Call, args: list[int]) -> int:
        row = lookup(node.function)
        if not _has_convention(node.function, node.settings):
            return super().call(node, args)
        bound = dict(zip(row.parsed.names, args, strict=True))
        if row.convention:
            return lower(self.builder, formula(row.convention), bound)[0]
        program = meaning(node.function, node.settings)
        return fold(program, self, bound)[program.result]


@lru_cache(maxsize=1024)
def _has_convention(function: str, settings: CallSettings) -> bool:
    """Whether SymPy says more of a function at a kink, or of one that it is made of."""
    row = lookup(function)
    nodes = meaning(function, settings).nodes if row.kind == "derived" else ()
    calls = (node for node in nodes if isinstance(node, Call))
    return bool(row.convention) or any(lookup(node.function).convention for node in calls)


def _as_sympy(builder: Builder, program: Program) -> tuple[int, ...]:
    """The outputs of `program`, copied into `builder` as SymPy means them."""
    if not builder.nodes and not any(
        isinstance(node, Call) and _has_convention(node.function, node.settings)
        for node in program.nodes
    ):
        builder.nodes[:] = program.nodes
        return program.outputs
    values = fold(program, _AsSymPy(builder), {})
    return tuple(values[i] for i in program.outputs)
