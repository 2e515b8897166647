"""Claims in a record: plain data, and a sentence of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.language.elements import elements_of
from gradcheck_cli.records.numbers import json_array, json_number, typed_text
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.worlds.decimals import ball_text

if TYPE_CHECKING:
    from gradcheck_cli.claims.verdict import ClaimVerdict, Counterexample, Explanation
    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.records.record import ClaimRecord

# A point of more numbers is not repeated in a sentence.
_MOST_NUMBERS = 8


def entry_of(verdict: ClaimVerdict, point: Point) -> ClaimRecord:
    """One line of a claim as plain data."""
    line, why = verdict.statement, verdict.explanation
    return {
        "claim": line.words,
        "of": line.of or None,
        "by": line.by,
        "outcome": str(verdict.outcome),
        "failed": verdict.outcome is Outcome.WRONG,
        "status": verdict.status,
        "how": verdict.how,
        "error_probability": verdict.error_probability if verdict.how == "identity" else None,
        "points": verdict.points,
        "branch": verdict.branch,
        "held": list(verdict.held),
        "counterexample": _counterexample(verdict.counterexample, point),
        "explanation": None if why is None else _explanation(why),
        "first_wrong": verdict.first,
        "but_for": list(verdict.but_for),
        "deferred": verdict.deferred,
        "reason": sentence_of(verdict, point),
    }


def _explanation(why: Explanation) -> dict[str, Any]:
    return {"kind": why.kind, "text": why.words, "factor": why.factor}


def sentence_of(verdict: ClaimVerdict, point: Point) -> str:
    """What became of a line, and why."""
    if verdict.valueless:
        where = "it has no value at the point, where the derivative has one"
        return f"{where}{'; elsewhere it is proved' * (verdict.status == 'proved')}"
    match verdict.status:
        case "proved":
            if verdict.how == "digits":
                return "right at the point, to the digits written"
            return f"proved{_held(verdict)}{_branch(verdict)} ({_means(verdict)})"
        case "not_refuted":
            why = verdict.explanation
            tried = f"it holds at {verdict.points} points" if why is None else why.words
            return f"neither proved nor refuted{_held(verdict)}: {tried}"
    if verdict.deferred and verdict.explanation is not None:
        what = f"not this derivative ({verdict.explanation.words})"
        return f"{what}, which later lines put right: what is claimed of inputs is proved"
    parts = [_against(verdict, point)] if verdict.counterexample else []
    if verdict.but_for:
        names = ", ".join(f"`{name}`" for name in verdict.but_for)
        parts.append(f"the line is right but for {names}, which is wrong above")
    elif verdict.explanation is not None:
        parts.append(verdict.explanation.words)
    first = "refuted, the first wrong line" if verdict.first else "refuted"
    return f"{first}: {'; '.join(parts)}"


def _held(verdict: ClaimVerdict) -> str:
    names = ", ".join(f"`{name}`" for name in verdict.held)
    return f" with {names} as given" if names else ""


def _branch(verdict: ClaimVerdict) -> str:
    return " on the branch that the point takes" if verdict.branch else ""


def _means(verdict: ClaimVerdict) -> str:
    if verdict.how == "same":
        return "the same after writing out"
    return f"identity test, error below {_bound(verdict.error_probability)}"


def _bound(probability: float) -> str:
    """A power of two above a probability."""
    exponent = int(np.ceil(np.log2(probability))) if probability else -1074
    return f"2^{exponent}"


def _against(verdict: ClaimVerdict, point: Point) -> str:
    against = verdict.counterexample
    assert against is not None
    place = _place(against, point)
    what = f"element {list(against.index)} of it" if against.index else "it"
    claimed, true = _texts(against)
    return f"{place}{what} is {claimed} where the derivative is {true}"


def _texts(against: Counterexample) -> tuple[str, str]:
    """Both numbers, with digits enough to tell them apart."""
    for digits in range(6, 60, 6):
        texts = _text(against.claimed, digits), _text(against.true, digits)
        if texts[0] != texts[1]:
            break
    return texts


def _text(ball: Any, digits: int) -> str:
    value = float(ball.mid())
    short = digits <= 12 and abs(value) < 1e300 and (abs(value) > 1e-300 or ball.is_zero())
    return f"{value:.{digits}g}" if short else ball_text(ball.mid(), digits)


def _place(against: Counterexample, point: Point) -> str:
    """Where it is: as the user may type it, if short."""
    given = point.scalars
    if all(against.at.get(name) == value for name, value in given.items()):
        return "at the point "
    if len(given) > _MOST_NUMBERS:
        return "at other numbers "
    shown = (f"{name} = {typed_text(against.at[name])}" for name in given)
    return f"at {', '.join(shown)} "


def _counterexample(against: Counterexample | None, point: Point) -> dict[str, Any] | None:
    if against is None:
        return None
    at = {}
    for name, shape in ((n, np.shape(a)) for n, a in point.at.items()):
        numbers = [against.at[e] for e in elements_of(name, shape)]
        at[name] = json_array(np.reshape(np.array(numbers, dtype=float), shape).tolist())
    return {
        "at": at,
        "index": list(against.index),
        "claimed": json_number(float(against.claimed.mid())),
        "true": json_number(float(against.true.mid())),
    }
