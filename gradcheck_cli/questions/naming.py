"""Names of a question: inputs without a value, values without an input, what cannot be
differentiated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from gradcheck_cli.functions import names
from gradcheck_cli.language.errors import (
    DERIVES,
    GIVE_FUNCTION,
    Mistake,
    PointError,
    Span,
    did_you_mean,
)
from gradcheck_cli.language.parse import is_constant
from gradcheck_cli.language.program import Program, Variable
from gradcheck_cli.questions.points import Sample

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from gradcheck_cli.questions.intermediates import Intermediates


class Asked(NamedTuple):
    """How a user says a point and what is differentiated: on a command line, or from Python.

    Attributes:
        value: what gives a name a value.
    """

    at: str
    wrt: str
    value: str


# `dy/dx`, which is a quotient where its names have values.
_SLOPE = re.compile(r"d\w{0,2}/d\w{1,2}")
RANGES = Asked("--over", "--wrt", "--over {}=-4:4")
COMMAND, PYTHON = Asked("--at", "--wrt", "--at {}={}"), Asked("at", "wrt", '{{"{}": {}}}')


def misnamed(program: Program, given: Collection[str], asked: Asked) -> Iterator[Mistake]:
    """Inputs without a value, and values without an input."""
    variables = program.variables
    if _SLOPE.fullmatch(program.text) and not {*variables} & {*given}:
        whole = Span(0, len(program.text))
        yield Mistake("unsupported-syntax", DERIVES, program.text, whole, GIVE_FUNCTION)
        return
    instead = _instead(program, given)
    for name in variables:
        if name not in given:
            is_function = name in names()
            hint = f"for example `{asked.value.format(name, 1)}`"
            if is_function:
                hint = f"`{name}` is a function: write {name}(...)"
            spots = (i for i, node in enumerate(program.nodes) if node == Variable(name))
            span = next((program.spans.get(i) for i in spots), None)
            message = f"`{asked.at}` gives no value for `{name}`"
            yield Mistake("missing-value", message, program.text, span, hint, instead=instead)
            instead = ()
    for name in given:
        if name not in variables:
            message = f"`{asked.at}` gives `{name}`, which is not an input of the program"
            yield Mistake("extra-value", message, help=way_out_of(name, program))


def way_out_of(name: str, program: Program) -> str:
    """What to do about a name that is taken for an input, and is none."""
    variables = program.variables
    listing = ", ".join(f"`{variable}`" for variable in variables)
    inputs = f"it has {listing}" if variables else "it has no inputs"
    if is_constant(name):
        other = f"`{name}1`" if len(name) == 1 else f"`{name}_`"
        return f"`{name}` is a constant, so an input needs another name, such as {other}; {inputs}"
    if name in program.names.values():
        return f"`{name}` is what the program computes; {inputs}"
    return did_you_mean(name, variables) or inputs


def _instead(program: Program, given: Collection[str]) -> tuple[str, ...]:
    """Programs of the inputs that have a value which may have been meant: `x*y` for `xy`."""
    if not given or set(program.variables) <= {*given}:
        return ()
    from gradcheck_cli.language.lenient import corrected

    ranks = ranks_of(given) if isinstance(given, Mapping) else {}
    return corrected(program.written or program.text, given, ranks)


def ranks_of(given: Mapping[str, object]) -> dict[str, int]:
    """How many dims each value of a point has."""
    return {name: _rank(value) for name, value in given.items()}


def _rank(value: object) -> int:
    if isinstance(value, Sample):
        return len(value.shape)
    return 1 + _rank(value[0]) if isinstance(value, list) and value else 0


def require_signs(program: Program, ranks: Mapping[str, int]) -> None:
    """Nothing, if no product that was pasted without a sign is one of matrices, and was read as
    that of elements: a suite is read before its points are.

    Raises:
        PointError: one is.
    """
    if not program.written or max(ranks.values(), default=0) < 2:
        return
    from gradcheck_cli.language.lenient import product_of_matrices

    found = product_of_matrices(program, ranks)
    if found is not None:
        raise PointError([found])


def underivable(
    program: Program,
    wrt: Sequence[str],
    integers: Collection[str],
    asked: Asked,
    rest: Program,
    held: Intermediates | None,
) -> Iterator[Mistake]:
    """Names to differentiate by that are neither inputs nor assigned, that are class indices, or
    that have no part in the result.

    Args:
        rest: the program with what is held as inputs of it.
    """
    assigned = () if held is None else held.programs
    others = ", ".join(f"`{name}`" for name in assigned)
    for name in wrt:
        if (
            held is not None
            and name not in rest.variables
            and name in (*program.variables, *assigned)
        ):
            verb = "is" if len(assigned) == 1 else "are"
            message = f"`{name}` has no part in the result where {others} {verb} held"
            way_out = "ask for one of them, then for the other"
            yield Mistake("unknown-input", message, help=way_out if len(wrt) > 1 else "")
        elif name in assigned:
            continue
        elif name not in program.variables:
            message = f"`{asked.wrt}` names `{name}`, which is not an input of the program"
            yield Mistake("unknown-input", message, help=way_out_of(name, program))
        elif name in integers:
            message = f"`{name}` holds class indices: there is nothing to differentiate"
            yield Mistake("index-input", message)
