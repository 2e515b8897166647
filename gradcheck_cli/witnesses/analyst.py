"""The process in which SymPy works: questions come in as JSON lines, answers go out as JSON lines."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

# A formula longer than this is of use to nobody, and slow to read back.
MAX_LENGTH = 50_000


def serve() -> None:
    """Answer questions from stdin until it ends. Each gets two lines: one when work begins, one with the answer."""
    # Answers have stdout to themselves: whatever SymPy might print goes nowhere.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    import sympy  # noqa: F401 - the slow import, before any clock starts

    for line in sys.stdin:
        answers.write("\n")
        answers.flush()
        try:
            reply = derive(json.loads(line))
        except RecursionError:
            reply = {"abstained": "the expression is nested too deeply for SymPy"}
        except Exception as error:  # noqa: BLE001 - whatever SymPy raises is told as its abstention
            reply = {"abstained": f"SymPy failed: {type(error).__name__}: {str(error)[:200]}"}
        answers.write(json.dumps(reply) + "\n")
        answers.flush()


def derive(question: dict[str, Any]) -> dict[str, Any]:
    """SymPy's derivative for every element asked for, as text and LaTeX."""
    import numpy as np
    import sympy

    from gradcheck_cli.language.parse import parse
    from gradcheck_cli.worlds import symbols
    from gradcheck_cli.worlds.scalars import element, expand

    # SymPy's printers and differentiation recurse; the default limit stops at about 300 nested calls.
    sys.setrecursionlimit(10_000)
    program = parse(question["program"])
    inputs: dict[str, Any] = {name: tuple(shape) for name, shape in question["shapes"].items()}
    inputs |= {name: np.array(value) for name, value in question["integers"].items()}
    expansion = expand(program, inputs, "all")
    outputs = np.reshape(expansion.values[program.result], -1).tolist()
    scalars = expansion.builder.program(*outputs)
    values = symbols.run(scalars, {})
    terms = [values[i] for i in scalars.outputs]
    if question["cotangent"] is not None:
        terms = [symbols.decimal(weight) * term for weight, term in zip(question["cotangent"], terms, strict=True)]
    objective = sympy.Add(*terms)
    found = []
    for name in question["wrt"]:
        for index in np.ndindex(*inputs[name]):
            derivative = symbols.derivative(objective, symbols.symbol(element(name, index)))
            text = symbols.Printer().doprint(derivative)
            if len(text) > MAX_LENGTH:
                return {"abstained": f"SymPy's formula has {len(text):,} characters"}
            found.append({"formula": text, "latex": symbols.LaTeX().doprint(derivative)})
    return {"partials": found}
