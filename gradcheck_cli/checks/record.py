"""What is kept of a checked case: plain data that every report format renders, that a file holds
and another process can send.

A Record is one entry of `cases` in the JSON report; `gradcheck schema report` describes it key by
key.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.judge.evidence import analytic_agrees, numeric_agrees
from gradcheck_cli.judge.measure import digits
from gradcheck_cli.questions.question import index_variables
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.records.record import Record, json_array, json_number, typed_text
from gradcheck_cli.records.status import status_of
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.analytic import Formula
from gradcheck_cli.witnesses.autograd import Autograd, Detached, Measured
from gradcheck_cli.witnesses.numeric import Difference
from gradcheck_cli.witnesses.reference import SIGN_BITS, Certified, Reference, Touching, Undefined
from gradcheck_cli.worlds import balls

if TYPE_CHECKING:
    from gradcheck_cli.checks.result import Result
    from gradcheck_cli.judge.verdict import Verdict
    from gradcheck_cli.questions.question import Case

# Digits of the reference that are printed: more than any dtype holds, fewer than are proved (70
# bits).
REFERENCE_DIGITS = 20


def record_of(result: Result, *, strict: bool = False) -> Record:
    """One checked case as plain data."""
    case = result.evidence.case
    record = {
        "id": result.id,
        "expression": case.program.text,
        **question_fields(case),
        "cotangent": _cotangent(result),
        "outcome": result.outcome,
        "value": {
            "reference": _shaped(result, _proved_values(result)),
            "autograd": _shaped(result, _torch_values(result)),
        },
        "partials": [_partial(result, k, verdict) for k, verdict in enumerate(result.verdicts)],
        "notes": list(result.notes),
        "rounded": [
            {"variable": moved.name, "text": moved.text, "used": json_number(moved.used)}
            for moved in case.moved
        ],
        "reproduce": reproduce(case, strict=strict),
        **UNSTATED,
    }
    return record | {"status": status_of(record, strict=strict)}


# What only a suite says of a case: where it stands, which number its check has in the run, what was
# expected and is not met, and why it was skipped, may fail or has no verdict.
UNSTATED: Record = {"source": None, "position": None, "expected": None, "unmet": [], "reason": None}


def without_verdict(
    text: str, asked_for: Record, command: str, outcome: str, reason: str
) -> Record:
    """The Record of a case that was not checked: skipped, or given up."""
    return {
        "id": None,
        "expression": text,
        **asked_for,
        "cotangent": None,
        "outcome": outcome,
        "value": {"reference": None, "autograd": None},
        "partials": [],
        "notes": [],
        "rounded": [],
        "reproduce": command,
        **UNSTATED,
        "reason": reason,
        "status": Outcome(outcome).status,
    }


def question_fields(case: Case) -> Record:
    """The part of a Record that is known before anything is computed: dtype, device and the point."""
    return {
        "dtype": case.dtype.name,
        "device": case.device,
        "at": {name: json_array(case.at[name].tolist()) for name in case.program.variables},
    }


def _cotangent(result: Result) -> Any:
    """The weights as numbers, shaped like the value; ones where none were given."""
    given = result.evidence.case.cotangent
    return json_array((np.ones(_shape(result)) if given is None else given).tolist())


def _partial(result: Result, position: int, verdict: Verdict) -> dict[str, Any]:
    truth, formula, answer, difference = result.evidence.of(position)
    return {
        "variable": verdict.key.variable,
        "index": list(verdict.key.index),
        "outcome": verdict.outcome,
        "failed": verdict.failed,
        "reason": verdict.reason,
        "reference": _reference(truth, verdict),
        "analytic": _analytic(formula)
        | ({} if isinstance(formula, Abstention) else {"agrees": analytic_agrees(truth, formula)}),
        "autograd": _autograd(answer, verdict),
        "numeric": _numeric(difference)
        | (
            {}
            if isinstance(difference, Abstention)
            else {"agrees": numeric_agrees(truth, difference)}
        ),
        "one_sided": _one_sided(verdict),
    }


def _reference(truth: Any, verdict: Verdict) -> dict[str, Any]:
    if verdict.truth is not None:
        return {
            "value": json_number(nearest(verdict.truth)),
            "digits": digits(verdict.truth, REFERENCE_DIGITS),
            "bits": SIGN_BITS,
        }
    match truth:
        case Certified(ball=ball, bits=bits):
            return {
                "value": json_number(nearest(ball)),
                "digits": digits(ball, REFERENCE_DIGITS),
                "bits": bits,
            }
        case Touching(function=function):
            return {"abstained": f"a piecewise operation (`{function}`) sits on its boundary"}
        case Undefined(reason=reason) | Abstention(reason=reason):
            return {"abstained": reason}
    raise TypeError(f"not an answer of the reference: {truth!r}")


def _analytic(formula: Any) -> dict[str, Any]:
    if isinstance(formula, Abstention):
        return {"abstained": formula.reason}
    assert isinstance(formula, Formula)
    if formula.ball is None:
        return {
            "value": None,
            "reason": formula.reason,
            "formula": formula.text,
            "latex": formula.latex,
        }
    return {
        "value": json_number(nearest(formula.ball)),
        "formula": formula.text,
        "latex": formula.latex,
    }


def _autograd(answer: Any, verdict: Verdict) -> dict[str, Any]:
    match answer:
        case Measured(value=value):
            measures = {
                "error": verdict.error,
                "relative_error": verdict.relative_error,
                "ulps": verdict.ulps,
                "tolerance": verdict.tolerance,
            }
            return {
                "value": json_number(value),
                **{name: None if m is None else json_number(m) for name, m in measures.items()},
            }
        case Detached(cut=cut):
            past = f" past {', '.join(cut)}" if cut else ""
            return {"abstained": f"no path from the input to the result{past}"}
        case Abstention(reason=reason):
            return {"abstained": reason}
    raise TypeError(f"not an answer of autograd: {answer!r}")


def _numeric(difference: Any) -> dict[str, Any]:
    if isinstance(difference, Abstention):
        return {"abstained": difference.reason}
    assert isinstance(difference, Difference)
    sides = {"left": difference.left, "right": difference.right}
    slopes = {
        name: None
        if side is None
        else {"value": json_number(side.value), "radius": json_number(side.radius)}
        for name, side in sides.items()
    }
    return {
        "value": json_number(difference.value),
        "radius": json_number(difference.radius),
        **slopes,
    }


def _one_sided(verdict: Verdict) -> dict[str, Any] | None:
    if verdict.sides is None:
        return None
    left, right = verdict.sides.left, verdict.sides.right
    return {
        "left": None if left is None else json_number(left.value),
        "right": None if right is None else json_number(right.value),
    }


def _proved_values(result: Result) -> list[Any]:
    proved = result.evidence.reference
    if not isinstance(proved, Reference):
        return []
    return [
        json_number(nearest(answer.ball)) if isinstance(answer, Certified) else None
        for answer in proved.forward
    ]


def _torch_values(result: Result) -> list[Any]:
    measured = result.evidence.autograd
    return (
        [json_number(value) for value in measured.forward] if isinstance(measured, Autograd) else []
    )


def _shaped(result: Result, flat: list[Any]) -> Any:
    """Row-major numbers as nested lists of the result's shape; None where there are none."""
    if not flat:
        return None
    shape = _shape(result)
    for length in reversed(shape[1:]):
        flat = [flat[i : i + length] for i in range(0, len(flat), length)]
    return flat if shape else flat[0]


def _shape(result: Result) -> tuple[int, ...]:
    """Shape of the program's value."""
    expansion = result.evidence.case.unrolled.expansion
    if hasattr(expansion, "values"):
        return np.shape(expansion.values[result.evidence.case.program.result])
    measured = result.evidence.autograd
    return (
        (len(measured.forward),)
        if isinstance(measured, Autograd) and len(measured.forward) > 1
        else ()
    )


def nearest(ball: Any) -> float:
    """The float64 nearest to a ball's midpoint."""
    if not ball.is_finite():
        return float("nan") if ball.is_nan() else float(ball.mid())
    try:
        return DTYPES["float64"].round(balls.midpoint(ball))
    except OverflowError:
        return float(ball.mid())


def reproduce(case: Case, *, strict: bool = False) -> str:
    """The command that checks this case alone, and fails where it did."""
    options = (
        ["--at", ",".join(f"{name}={_point_text(case, name)}" for name in case.program.variables)]
        if case.program.variables
        else []
    )
    # What a configuration file sets is said even where it is what holds without one.
    if "wrt" in case.given or set(case.wrt) != set(case.program.variables) - index_variables(
        case.program
    ):
        options += ["--wrt", ",".join(case.wrt)]
    if "dtype" in case.given or case.dtype.name != "float64":
        options += ["--dtype", case.dtype.name]
    if "device" in case.given or case.device != "cpu":
        options += ["--device", case.device]
    if case.cotangent is not None:
        options += ["--cotangent", str(case.cotangent.tolist())]
    for name in ("rtol", "atol", "step"):
        if name in case.given:
            options += [f"--{name}", case.given[name]]
    return shlex.join(["gradcheck", case.program.text, *options, *(["--strict"] if strict else [])])


def _point_text(case: Case, name: str) -> str:
    return str(case.given.get(name) or typed_text(case.at[name].tolist()))
