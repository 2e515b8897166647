"""What SymPy's process does: it answers questions of the client, both of them JSON."""

from __future__ import annotations

import gc
import json
import sys
from time import process_time
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcheck_cli.processes import READY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck_cli.language.program import Program
    from gradcheck_cli.symbolic.shown import Differentiation

# A formula longer than this is of use to nobody, and slow to read back.
MAX_FORMULA = 50_000
# Operations of a program whose derivative is put in order without further ado: it has a few levels
# for each, and the stack overflows at 1,500.
SHALLOW = 100
# Objects that are made between two looks of the garbage collector: some 10 MB.
_GARBAGE = 50_000


def answers(questions: Iterator[bytes]) -> Iterator[bytes]:
    """Two messages for each question: the seconds of computing so far, when work begins, and the
    answer.
    """
    gc.disable()
    import sympy  # noqa: F401 - the slow import, before any clock starts

    # The collector never looks at what was imported: it holds no garbage, and there is a lot of it.
    gc.freeze()
    gc.set_threshold(_GARBAGE)
    gc.enable()
    yield READY
    for question in questions:
        yield str(process_time()).encode()
        try:
            reply = _reply(json.loads(question))
        except RecursionError:
            reply = {"abstained": "the expression is nested too deeply for SymPy"}
        except Exception as error:  # noqa: BLE001 - whatever SymPy raises is told as its abstention
            reply = {"abstained": f"SymPy failed: {type(error).__name__}: {str(error)[:200]}"}
        yield json.dumps(reply).encode()


def _reply(question: dict[str, Any]) -> dict[str, Any]:
    """Of a constant whether it is zero, else derivatives, or other formulas of them."""
    if question.get("everywhere"):
        return derive_everywhere(question)
    if "zero" not in question:
        return derive(question)
    from gradcheck_cli.symbolic.zeros import is_zero

    return {"zero": is_zero(question["zero"])}


def derive(question: dict[str, Any]) -> dict[str, Any]:
    """SymPy's derivatives as one program, or as texts where they are no program of the language;
    and, unless they are not wanted, for every element asked for the formula that is shown, as text
    and LaTeX.
    """
    from gradcheck_cli.calculus.collecting import TooLong
    from gradcheck_cli.symbolic.shown import shown

    # SymPy's differentiation recurses; the default limit stops at about 300 nested calls.
    sys.setrecursionlimit(10_000)
    asked = _asked(question)
    try:
        formulas: dict[str, Any] = {}
        if question.get("formulas", True):
            told = shown(asked.wanted, asked.program, asked.scalars, MAX_FORMULA)
            formulas = {"partials": told.formulas, "total": told.is_total}
        theirs = _evaluated if question.get("evaluated") else _derivatives
        return formulas | theirs(asked)
    except TooLong:
        return {"abstained": f"the formula has more than {MAX_FORMULA:,} characters"}


def _derivatives(asked: _Asked) -> dict[str, Any]:
    """SymPy's derivatives, unevaluated where SymPy's evaluation has nothing to say of them."""
    from gradcheck_cli.symbolic.unevaluated import Evaluates, bare_program
    from gradcheck_cli.symbolic.wire import to_wire

    try:
        return {"program": json.dumps(to_wire(bare_program(list(_slopes(asked)))))}
    except Evaluates:
        return _evaluated(asked)


def _evaluated(asked: _Asked) -> dict[str, Any]:
    """The same as SymPy evaluates them: nan and the imaginary unit come to light so.

    Raises:
        TooLong: of what is no program the text has too many characters.
    """
    from gradcheck_cli.symbolic.printing import Order, Printer
    from gradcheck_cli.symbolic.readings import NoReading, reading
    from gradcheck_cli.symbolic.symbols import gradient
    from gradcheck_cli.symbolic.wire import to_wire

    order, derivatives = Order(), []
    for derivative in gradient(*_objective(asked)):
        derivatives.append(derivative)
        if len(asked.scalars.nodes) > SHALLOW:
            order.learn(derivative)
    try:
        return {"program": json.dumps(to_wire(reading(derivatives, order)))}
    except NoReading:
        text = Printer(order, MAX_FORMULA)
        return {"texts": [text.doprint(derivative) for derivative in derivatives]}


def derive_everywhere(question: dict[str, Any]) -> dict[str, Any]:
    """For every element asked for a formula to be shown where the usual one has no value."""
    from gradcheck_cli.calculus.collecting import TooLong
    from gradcheck_cli.symbolic.shown import shown_everywhere

    asked = _asked(question)
    try:
        return {"partials": shown_everywhere(asked.wanted, asked.scalars, MAX_FORMULA)}
    except TooLong:
        return {"partials": []}


class _Asked(NamedTuple):
    """A question, read: the program, and the same element by element."""

    program: Program
    scalars: Program
    wanted: Differentiation


def _asked(question: dict[str, Any]) -> _Asked:
    import numpy as np

    from gradcheck_cli.language.parse import parse
    from gradcheck_cli.symbolic.shown import Differentiation
    from gradcheck_cli.symbolic.wire import from_wire
    from gradcheck_cli.worlds.scalars import expand

    inputs: dict[str, Any] = {name: tuple(shape) for name, shape in question["shapes"].items()}
    shapes = dict(inputs)
    value: Any = np.zeros(())
    if "scalars" in question:
        program = scalars = from_wire(question["scalars"], shapes)
    else:
        program = parse(question["program"])
        inputs |= {name: np.array(value) for name, value in question["integers"].items()}
        expansion = expand(program, inputs, "all")
        value = np.asarray(expansion.values[program.result])
        scalars = expansion.builder.program(*value.reshape(-1).tolist())
    wanted = Differentiation(
        shapes=shapes,
        wrt=question["wrt"],
        shape=value.shape,
        weights=question.get("weights", question["cotangent"]),
        output=question.get("output"),
        first=question.get("first"),
    )
    return _Asked(program, scalars, wanted)


def _slopes(asked: _Asked) -> Iterator[Any]:
    """SymPy's derivatives of the sum that is differentiated, nothing evaluated.

    Raises:
        Evaluates: SymPy's evaluation has something to say of them.
    """
    from gradcheck_cli.language.elements import elements_of
    from gradcheck_cli.language.program import fold
    from gradcheck_cli.symbolic.symbols import decimal_symbol, symbol
    from gradcheck_cli.symbolic.unevaluated import (
        Unevaluated,
        bare_derivatives,
        bare_product,
        bare_sum,
    )

    scalars, wanted = asked.scalars, asked.wanted
    values = fold(scalars, Unevaluated(), {})
    terms = [values[i] for i in scalars.outputs]
    if wanted.output is not None:
        terms = [terms[wanted.output]]
    if wanted.weights is not None:
        pairs = zip(map(decimal_symbol, wanted.weights), terms, strict=True)
        terms = [bare_product(*pair) for pair in pairs]
    objective, first = bare_sum(terms), wanted.first
    if first is not None:
        firsts = bare_derivatives(objective, list(map(symbol, first)))
        pairs = zip(map(decimal_symbol, first.values()), firsts, strict=True)
        objective = bare_sum([bare_product(*pair) for pair in pairs])
    names = [name for n in wanted.wrt for name in elements_of(n, wanted.shapes[n])]
    return bare_derivatives(objective, list(map(symbol, names)))


def _objective(asked: _Asked) -> tuple[Any, list[Any]]:
    """SymPy's form of the sum that is differentiated, and the symbols of the elements asked for."""
    import sympy

    from gradcheck_cli.language.elements import elements_of
    from gradcheck_cli.language.program import fold
    from gradcheck_cli.symbolic.symbols import SYMBOLS, decimal_symbol, gradient, symbol

    scalars, wanted = asked.scalars, asked.wanted
    values = fold(scalars, SYMBOLS, {})
    terms = [values[i] for i in scalars.outputs]
    if wanted.output is not None:
        terms = [terms[wanted.output]]
    if wanted.weights is not None:
        weights = map(decimal_symbol, wanted.weights)
        terms = [weight * term for weight, term in zip(weights, terms, strict=True)]
    names = [name for n in wanted.wrt for name in elements_of(n, wanted.shapes[n])]
    objective = sympy.Add(*terms)
    first = wanted.first
    if first is not None:
        slopes = gradient(objective, map(symbol, first))
        is_single = list(first.values()) == [1.0]
        factors = [1] if is_single else map(decimal_symbol, first.values())
        objective = sympy.Add(*[w * slope for w, slope in zip(factors, slopes, strict=True)])
    return objective, [symbol(name) for name in names]
