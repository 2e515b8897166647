"""Where torch approximates a function on purpose: what the rows state, found at a point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from flint import arb, ctx

from gradcheck_cli.calculus.formulas import formula
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.functions import lookup
from gradcheck_cli.language.program import Call, Program, reach
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.scalars import TooLarge, expand

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.functions.deviations import Approximation
    from gradcheck_cli.language.program import Node
    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.questions.prepared import Prepared

_BITS = 128


class Approximated(NamedTuple):
    """What torch does at a point in place of a function, and the partials it touches, as bits."""

    says: str
    partials: int


def approximations(point: Point) -> tuple[Approximated, ...]:
    """Every call that torch provably approximates at the point; none where the program is too
    large to be looked at, or is code.
    """
    if point.question.subject.is_code:
        return ()
    try:
        look = point.prepared.share("approximations", lambda: _Look(point.prepared))
    except TooLarge:
        return ()
    with ctx.workprec(_BITS):
        inputs = {name: arb(value) for name, value in point.scalars.items()}
        values = look.machine.values(inputs, point.dtype.round) if look.calls else []
        return look.touching(dict(look.applying(values, point)))


def approximation_note(approximated: Sequence[Approximated], partial: int) -> str:
    """What torch approximates on the way to a partial, in words; empty if nothing."""
    says = (one.says for one in approximated if one.partials >> partial & 1)
    return "; ".join(dict.fromkeys(says))


class _Look:
    """The scalar program of a specification, with every function whole."""

    def __init__(self, prepared: Prepared) -> None:
        builder = expand(prepared.specification, prepared.inputs, "all").builder
        self.program = Program(tuple(builder.nodes), (len(builder.nodes) - 1,))
        self.machine = balls.Machine(self.program)
        self.elements = {name: 1 << k for k, name in enumerate(prepared.elements)}
        self.calls: list[tuple[int, Call, Approximation]] = []
        for i, node in enumerate(self.program.nodes):
            if isinstance(node, Call):
                approximation = lookup(node.function).approximation(dict(node.settings))
                if approximation is not None:
                    self.calls.append((i, node, approximation))

    def touching(self, says: dict[int, str]) -> tuple[Approximated, ...]:
        """What is said of some nodes, with the partials that they are a part of: those of their own
        inputs, and of what they are multiplied with or meet in another function not linear.
        """
        nodes, reached = self.program.nodes, reach(self.program, self.elements)
        found = dict.fromkeys(says.values(), 0)
        for words in found:
            rests: list[bool] = []
            for i, node in enumerate(nodes):
                own = says.get(i) == words
                rests.append(own or (isinstance(node, Call) and any(rests[j] for j in node.args)))
                if own or (rests[i] and not _is_linear(node)):
                    found[words] |= reached[i]
        return tuple(Approximated(words, partials) for words, partials in found.items())

    def applying(self, values: list[Any], point: Point) -> Iterator[tuple[int, str]]:
        """(node, what is said) of those whose condition holds for certain."""
        for i, call, approximation in self.calls:
            if approximation.wide and point.dtype.digits <= DTYPES["float32"].digits:
                continue
            row = lookup(call.function)
            numbers = tuple(row.numbers(dict(call.settings)).items())
            args = [balls.plain(values[j]) for j in call.args]
            given = dict(zip(row.parsed.names, args, strict=True))
            program = formula(approximation.where, numbers)
            holds = balls.balls_of(program, given, point.dtype.round)[program.result]
            if holds > 0.5:  # a comparison as a number: 1 or 0, or both
                yield i, approximation.says


def _is_linear(node: Node) -> bool:
    """Whether a node's partials are the same everywhere."""
    partials = lookup(node.function).partials if isinstance(node, Call) else ()
    return bool(partials) and set(partials) <= {"1", "-1"}
