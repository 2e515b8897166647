"""What was found out of code, as a record keeps it and as notes tell it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gradcheck_cli.questions.recorded import short
from gradcheck_cli.records.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck_cli.checks.result import Result
    from gradcheck_cli.code.trial import Trial
    from gradcheck_cli.code.variants import Tried
    from gradcheck_cli.diagnosis.diagnosis import Diagnosis
    from gradcheck_cli.recording.recording import Recording
    from gradcheck_cli.records.record import FunctionRecord, RemarkRecord, VariantRecord

# What remarks of a recorder mean.
_MEANINGS = {
    "escape": "a number leaves the tensors: what is shown holds for the branch taken",
    "random": "random numbers are drawn; every run here draws the same",
    "index": "what is picked by value is held as it is at the point",
    "held": "the row of padding is a constant, by definition",
    "input": "an input is written to in place",
}


# What it is held against, where that is not its own forward.
_AGAINST = {
    "spec": "held against the program that says what the function computes",
    "meant": "held against the gradient that is meant, whatever the value is",
    "twin": "held to twice the error of its twin, both against the proved derivative of the twin",
}


def finished(trial: Trial) -> Result:
    """All of it as one Result."""
    rounded = [f"`{n.name}` = {n.text} is rounded to {n.used!r}" for n in trial.rounded]
    notes = (*trial.result.notes, *rounded, *notes_of(trial))
    return replace(trial.result, notes=notes, function=function_record(trial))


def function_record(trial: Trial) -> FunctionRecord:
    """All that is kept."""
    recording, identity = trial.followed.recording, trial.identity
    file, _, line = trial.place.rpartition(":")
    diagnosis: Diagnosis | None = trial.diagnosis
    explanation = None
    if diagnosis is not None:
        explanation = {"kind": diagnosis.kind, "text": diagnosis.text, "factor": diagnosis.factor}
    followed = recording is not None
    return {
        "object": trial.result.evidence.point.question.subject.name,
        "file": short(file) if file else None,
        "line": int(line) if file else None,
        "held_against": _standard(trial),
        "followed": {
            "forward": followed,
            "backward": recording is not None and recording.unfollowed is None,
        },
        "program": _program(recording),
        "backward": _program(recording, backwards=True),
        "proved_for_all_inputs": bool(identity.holds),
        "error_probability": identity.error_probability if identity.holds else None,
        "branch": bool(identity.holds and identity.branch),
        "explanation": explanation,
        "notes": list(_remarks(trial)),
        "variants": [_variant(one) for one in trial.tried],
        "directions": trial.directions,
    }


def _program(recording: Recording | None, *, backwards: bool = False) -> str | None:
    """The lines of code that computed something, forwards or backwards, in the order of their
    first steps; None where that was not followed.
    """
    if recording is None or (backwards and recording.unfollowed is not None):
        return None
    tape, start = recording.tape, recording.forward
    made = tape.origin[start:] if backwards else tape.origin[:start]
    lines = [tape.lines[i] for i in dict.fromkeys(made)]
    return "\n".join(f"{short(line.place)}: {line.text}" for line in lines if line.place)


def _standard(trial: Trial) -> str:
    if trial.standard != "recording":
        return trial.standard
    return "differences" if trial.followed.recording is None else "recording"


def _variant(one: Tried) -> VariantRecord:
    return {
        "name": one.variant.name,
        "what": one.variant.words,
        "outcome": None if one.outcome is None else str(one.outcome),
        "failed": one.is_wrong,
        "reason": one.reason,
    }


def _remarks(trial: Trial) -> Iterator[RemarkRecord]:
    followed = trial.followed
    if followed.recording is None:
        yield {"kind": "unfollowed", "what": followed.reason, "where": _place(followed.place)}
        return
    recording: Recording = followed.recording
    if recording.unfollowed is not None:
        what, where = str(recording.unfollowed), _place(recording.unfollowed.place)
        yield {"kind": "unfollowed", "what": f"the backward: {what}", "where": where}
    for remark in recording.remarks:
        what = _MEANINGS.get(remark.kind, remark.kind)
        yield {
            "kind": remark.kind,
            "what": f"{what} (`{remark.what}`)",
            "where": _place(remark.place),
        }


def _place(place: str) -> str | None:
    return short(place) if place else None


def notes_of(trial: Trial) -> Iterator[str]:
    """The same in sentences."""
    recording, identity = trial.followed.recording, trial.identity
    if trial.diagnosis is not None:
        yield trial.diagnosis.text
    if trial.standard != "recording":
        yield _AGAINST[trial.standard]
    elif recording is None:
        yield f"nothing is proved: differences of the function itself decide{_directed(trial)}"
    if identity.holds:
        branch = ", on the branch of this point" if identity.branch else ""
        error = f"identity test, error below {identity.error_probability:.0e}"
        yield f"the backward is proved right for all inputs of these shapes{branch} ({error})"
    if recording is not None and recording.tape.casts:
        names = ", ".join(sorted(recording.tape.casts))
        yield f"it casts to {names}, and is held to the rounding of that"
    if trial.leaves_out:
        yield "values without a gradient beside those that have one are left out"
    for remark in _remarks(trial):
        where = f" at {remark['where']}" if remark["where"] else ""
        yield f"{remark['what']}{where}"
    agreed = [t for t in trial.tried if t.outcome is not None and t.outcome is not Outcome.WRONG]
    if agreed:
        yield f"tried as well, and nothing wrong: {', '.join(t.variant.words for t in agreed)}"
    for one in trial.tried:
        if one.outcome is None:
            yield f"{one.variant.words}: {one.reason}"
        elif one.outcome is Outcome.WRONG and not one.is_wrong:
            yield f"{one.variant.words} is wrong, which counts with `--order 2`: {one.reason}"


def _directed(trial: Trial) -> str:
    return f", along {trial.directions} random directions" if trial.directions else ""
