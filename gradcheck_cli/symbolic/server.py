"""What SymPy's process does: it answers questions of the client, both of them JSON."""

from __future__ import annotations

import gc
import json
import sys
from time import process_time
from typing import TYPE_CHECKING, Any

from gradcheck_cli.processes import READY

if TYPE_CHECKING:
    from collections.abc import Iterator

# A formula longer than this is of use to nobody, and slow to read back.
MAX_FORMULA = 50_000
# Operations of a program whose derivative is printed without further ado: it has a few levels for
# each, and the stack overflows at 1,500.
SHALLOW = 100


def answers(questions: Iterator[bytes]) -> Iterator[bytes]:
    """Two messages for each question: the seconds of computing so far, when work begins, and the
    answer.
    """
    gc.disable()
    import sympy  # noqa: F401 - the slow import, before any clock starts

    # The collector never looks at what was imported: it holds no garbage, and there is a lot of it.
    gc.freeze()
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
    """Of a constant whether it is zero, else derivatives."""
    if "zero" not in question:
        return derive(question)
    from gradcheck_cli.symbolic.zeros import is_zero

    return {"zero": is_zero(question["zero"])}


def derive(question: dict[str, Any]) -> dict[str, Any]:
    """SymPy's derivative for every element asked for, as text and LaTeX, and all of them as one
    program.
    """
    from gradcheck_cli.symbolic.printing import LaTeX, Order, Printer, TooLong
    from gradcheck_cli.symbolic.readings import NoReading, reading
    from gradcheck_cli.symbolic.symbols import gradient
    from gradcheck_cli.symbolic.wire import to_wire

    # SymPy's printers and differentiation recurse; the default limit stops at about 300 nested
    # calls.
    sys.setrecursionlimit(10_000)
    objective, variables, size = _objective(question)
    order, found, derivatives = Order(), [], []
    text, latex = Printer(order, MAX_FORMULA), LaTeX(order)
    try:
        for derivative in gradient(objective, variables):
            derivatives.append(derivative)
            if size > SHALLOW:
                order.learn(derivative)
            found.append({"formula": text.doprint(derivative), "latex": latex.doprint(derivative)})
    except TooLong:
        return {"abstained": f"SymPy's formula has more than {MAX_FORMULA:,} characters"}
    try:
        return {"partials": found, "program": json.dumps(to_wire(reading(derivatives, order)))}
    except NoReading:
        return {"partials": found}


def _objective(question: dict[str, Any]) -> tuple[Any, list[Any], int]:
    """The sum that is differentiated, the symbols of the elements asked for, and the number of
    operations of the unrolled program.
    """
    import numpy as np
    import sympy

    from gradcheck_cli.language.elements import element
    from gradcheck_cli.language.parse import parse
    from gradcheck_cli.language.program import fold
    from gradcheck_cli.symbolic.symbols import SYMBOLS, decimal_symbol, gradient, symbol
    from gradcheck_cli.worlds.scalars import expand

    program = parse(question["program"])
    inputs: dict[str, Any] = {name: tuple(shape) for name, shape in question["shapes"].items()}
    inputs |= {name: np.array(value) for name, value in question["integers"].items()}
    expansion = expand(program, inputs, "all")
    outputs = np.reshape(expansion.values[program.result], -1).tolist()
    scalars = expansion.builder.program(*outputs)
    values = fold(scalars, SYMBOLS, {})
    terms = [values[i] for i in scalars.outputs]
    if "output" in question:
        terms = [terms[question["output"]]]
    cotangent = question.get("weights", question["cotangent"])
    if cotangent is not None:
        weights = map(decimal_symbol, cotangent)
        terms = [weight * term for weight, term in zip(weights, terms, strict=True)]
    variables = [
        symbol(element(name, index))
        for name in question["wrt"]
        for index in np.ndindex(*inputs[name])
    ]
    objective = sympy.Add(*terms)
    first = question.get("first")
    if first is not None:
        slopes = gradient(objective, map(symbol, first))
        is_single = list(first.values()) == [1.0]
        factors = [1] if is_single else map(decimal_symbol, first.values())
        objective = sympy.Add(*[w * slope for w, slope in zip(factors, slopes, strict=True)])
    return objective, variables, len(scalars.nodes)
