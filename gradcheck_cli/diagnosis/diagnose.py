"""What is wrong with a recorded backward: guesses, the most specific first, each tested at several
points and cotangents before it is said.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gradcheck_cli.diagnosis.branches import wrong_branch, wrong_side
from gradcheck_cli.diagnosis.case import case_of
from gradcheck_cli.diagnosis.cotangents import (
    cotangent_changed,
    cotangent_unused,
    outputs_apart,
)
from gradcheck_cli.diagnosis.diagnosis import Diagnosis
from gradcheck_cli.diagnosis.elements import (
    another,
    jacobian_untransposed,
    meant_otherwise,
    nothing_there,
    reordered,
    rows_apart,
    some_missing,
    some_wrong,
    uniform,
)
from gradcheck_cli.diagnosis.lines import (
    Lines,
    alone,
    cut_line,
    factor_in_part,
    taken_for_constant,
)
from gradcheck_cli.diagnosis.mends import mended
from gradcheck_cli.diagnosis.ratios import chain_factor, constant_factor, few_digits, missing_factor
from gradcheck_cli.diagnosis.scene import Scene
from gradcheck_cli.diagnosis.uses import total_held, use_cut, use_held
from gradcheck_cli.diagnosis.words import Words
from gradcheck_cli.worlds.balls import OutOfTime
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gradcheck_cli.diagnosis.case import Case
    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.recording.recording import Recording

# Seconds of computing for all guesses, and nodes of a tape that are taken on within them.
SECONDS, MOST_NODES = 2.0, 40_000


def diagnose(
    point: Point, recording: Recording, parts: Sequence[int] = (), seconds: float = SECONDS
) -> Diagnosis | None:
    """What was done instead; None where nothing that was tried holds.

    Args:
        parts: how many elements each result of the function has.
    """
    if not recording.gradients or len(recording.tape.builder.nodes) > MOST_NODES:
        return None
    try:
        scene = Scene(point, recording, seconds)
        if not scene.keep_where_known():
            return None
        words = Words(scene)
        cases = [case_of(scene, words, name) for name in scene.claimed]
        lines = Lines(scene, words)
    except (OutOfTime, TooLarge):
        return None
    wrong = [case for case in cases if case.is_wrong]
    # What is found for inputs that get something explains those that get nothing.
    guesses, reasons = _guesses(cases, lines, parts), {}
    for case in sorted(wrong, key=lambda case: not case.mine.any()):
        reasons[case.name] = _first(case, guesses)
    told = [(case, reasons[case.name]) for case in wrong]
    return _together([(case, why) for case, why in told if why is not None])


def _guesses(
    cases: Sequence[Case], lines: Lines, parts: Sequence[int]
) -> list[Callable[[Case], Diagnosis | None]]:

    def apart(case: Case) -> Diagnosis | None:
        return outputs_apart(case, parts)

    return [
        meant_otherwise,
        lambda case: cut_line(case, lines),
        lambda case: use_cut(case, lines),
        constant_factor,
        few_digits,
        cotangent_unused,
        *([apart] if len(parts) > 1 else []),
        lambda case: taken_for_constant(case, lines),
        nothing_there,
        lambda case: another(case, cases),
        reordered,
        rows_apart,
        apart,
        cotangent_changed,
        missing_factor,
        some_missing,
        mended,
        jacobian_untransposed,
        chain_factor,
        lambda case: factor_in_part(case, lines),
        lambda case: total_held(case, lines),
        lambda case: use_held(case, lines),
        lambda case: alone(case, lines),
        wrong_branch,
        some_wrong,
        uniform,
    ]


def _first(case: Case, guesses: Sequence[Callable[[Case], Diagnosis | None]]) -> Diagnosis | None:
    for guess in guesses:
        try:
            found = guess(case)
            if found is not None:
                return _with_branch(case, found) if found.kind in _OF_A_STEP else found
        except (OutOfTime, TooLarge):
            continue
    return None


# Kinds that a side of a condition makes clearer.
_OF_A_STEP = {
    "constant",
    "extra-factor",
    "function",
    "missing-factor",
    "number",
    "operand",
    "term-sign",
}


def _with_branch(case: Case, found: Diagnosis) -> Diagnosis:
    """A change of one step, and where among the elements it matters."""
    where = wrong_side(case)
    return found if where is None else replace(found, text=f"{found.text}; {where[0]}")


def _together(found: Sequence[tuple[Case, Diagnosis]]) -> Diagnosis | None:
    """One sentence for all inputs, those with the same reason named together."""
    if not found:
        return None
    text = "; ".join(_sentences(found))
    return Diagnosis(found[0][1].kind, text, found[0][1].factor)


def _sentences(found: Sequence[tuple[Case, Diagnosis]]) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for case, why in found:
        reasons.setdefault(why.text, []).append(f"`{case.name}`")
    for text, names in reasons.items():
        yield f"the gradient{'s' * (len(names) > 1)} of {_listed(names)}: {text}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
