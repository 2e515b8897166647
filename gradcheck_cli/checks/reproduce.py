"""The command that reproduces a check."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from gradcheck_cli.records.record import typed_text

if TYPE_CHECKING:
    from gradcheck_cli.questions.batch import Point


def reproduce(point: Point, *, strict: bool = False) -> str:
    """The command that checks this point alone, and fails where it did."""
    question, at = point.question, point.at
    variables, words = point.specification.variables, question.words
    spelled = (f"{n}={point.spelled.get(n) or typed_text(at[n].tolist())}" for n in variables)
    options = ["--at", ",".join(spelled)] if variables else []
    # What a configuration file sets is said even where it is what holds without one.
    if "wrt" in words or not question.everything:
        options += ["--wrt", ",".join(question.wrt)]
    if "dtype" in words or point.dtype.name != "float64":
        options += ["--dtype", point.dtype.name]
    if "device" in words or point.device != "cpu":
        options += ["--device", point.device]
    if point.batch.cotangent is not None:
        options += ["--cotangent", str(point.batch.cotangent.tolist())]
    for name in ("rtol", "atol", "step"):
        if name in words:
            options += [f"--{name}", words[name]]
    return shlex.join([*question.subject.words, *options, *(["--strict"] if strict else [])])
