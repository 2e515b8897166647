"""What a function is held against when it is not its own recorded forward: a program of the
language, or a plain implementation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from gradcheck_cli.language.errors import Mistake, PointError, did_you_mean
from gradcheck_cli.language.program import Number, Program, Variable
from gradcheck_cli.language.reading import read_program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradcheck_cli.questions.arrays import Array
    from gradcheck_cli.subjects.function import FunctionSubject

# What a function can be held against instead of its own recorded forward, as options are
# called: one of these.
STANDARDS = ("spec", "twin", "backward-spec")

# What the upstream gradient is called.
UPSTREAM_NAMES = ("dout", "dy", "g", "grad", "grad_output", "gradient", "upstream", "ybar")
_LINES, _ASSIGNED = re.compile(r"[;\n]"), re.compile(r"\w+\s*=(?!=)")
StandardKind: TypeAlias = Literal["recording", "spec", "twin", "meant"]


@dataclass(frozen=True, eq=False)
class Standard:
    """What the gradient is held against.

    Attributes:
        kind: `spec`, a program that says what the function computes; `meant`, one whose gradient
            stands in for its own; `twin`, another implementation; else what was recorded.
        further: inputs of a program that the function has as they are, whole numbers for example.
        upstream: what a program that states the gradient itself calls the upstream gradient; empty
            for any other.
    """

    kind: StandardKind = "recording"
    program: Program | None = None
    twin: FunctionSubject | None = None
    further: Mapping[str, Array] = field(default_factory=dict)
    upstream: str = ""

    @property
    def states_value(self) -> bool:
        """Whether the function's value is to be that of the standard."""
        return self.kind in ("spec", "twin")


def standard_of(
    kind: StandardKind,
    text: str,
    wrt: Sequence[str],
    arrays: Mapping[str, Array],
    fixed: Mapping[str, Any],
) -> Standard:
    """A program as a standard; arguments that are numbers are constants in it. What is meant may
    be the gradient itself, of the upstream gradient: `clamp(dout, -1, 1)`.

    Raises:
        UserError: the text is no program, or of other inputs.
    """
    program = read_program(text)
    known = {**arrays, **fixed}
    strangers = [name for name in program.variables if name not in known]
    upstream = strangers[0] if kind == "meant" and is_upstream(strangers) else ""
    if upstream:
        program = read_program(_with_gradient(text, wrt))
    elif strangers:
        hint = did_you_mean(strangers[0], known) or f"there are {', '.join(known)}"
        message = f"`{strangers[0]}` is no argument of the function"
        raise PointError([Mistake("unknown-input", message, program.text, help=hint)])
    numbers = {name: v for name, v in fixed.items() if isinstance(v, int | float)}
    nodes = tuple(
        _literal(numbers[node.name])
        if isinstance(node, Variable) and node.name in numbers
        else node
        for node in program.nodes
    )
    whole = {
        name: np.asarray(value)
        for name, value in fixed.items()
        if isinstance(value, np.ndarray) and name in program.variables
    }
    rest = program.outputs, program.text, program.spans, program.names, program.written
    return Standard(kind, Program(nodes, *rest), None, whole, upstream)


def is_upstream(names: Sequence[str]) -> bool:
    """Whether the only name is what people call the upstream gradient."""
    return len(names) == 1 and names[0] in UPSTREAM_NAMES


def _with_gradient(text: str, wrt: Sequence[str]) -> str:
    """A program whose gradient is what a text states: of one input an expression, of several a line
    for each, `dx = ...`.
    """
    lines = [line.strip() for line in _LINES.split(text) if line.strip()]
    if len(wrt) == 1 and not _ASSIGNED.match(lines[-1]):
        *before, last = lines
        return "; ".join([*before, f"sum(stop_gradient({last}) * {wrt[0]})"])
    return "; ".join([*lines, " + ".join(f"sum(stop_gradient(d{name}) * {name})" for name in wrt)])


def _literal(value: float) -> Number:
    if isinstance(value, int):
        return Number(Fraction(value), decimal=False)
    return Number(Fraction(repr(value)), decimal=True)
