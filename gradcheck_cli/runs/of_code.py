"""Checks of a person's code: each in a process of its own, so that none finds what another left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.code.client import CodeJob, record_of_code
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.questions.arrays import float_array
from gradcheck_cli.records.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradcheck_cli.processes import Child
    from gradcheck_cli.questions.numbers import Nested
    from gradcheck_cli.runs.task import Item, Task


def item_of_code(
    task: Task, seconds: float, memory: int | None, hold: Callable[[Child], None]
) -> Item:
    """The item of a task of code; what the code does to its process is a result like any other.

    Args:
        hold: is given the process, to end it with.
    """
    try:
        record = record_of_code(job_of(task), seconds, memory, hold=hold)
    except UserError as error:
        reasons = (f"{m.message}{m.help and f' ({m.help})'}" for m in error.mistakes)
        return task.item_without_verdict(0, Outcome.ERROR, "; ".join(reasons))
    if record["outcome"] == Outcome.ERROR:
        return task.item_without_verdict(0, Outcome.ERROR, record["reason"] or "")
    return task.item(record, 0)


def job_of(task: Task) -> CodeJob:
    """What a process is asked for a task.

    Raises:
        UserError: its cotangent is no array.
    """
    case = task.case
    assert case.code is not None, "a program needs no process of its own"
    said, tolerance = case.settings, case.tolerance
    variants = said.get("variants") or ("all",)
    return CodeJob(
        object=case.code.object,
        arguments=case.code.arguments,
        wrt=case.wrt,
        dtype=task.dtype,
        device=task.device,
        cotangent=weights_of(case.cotangent),
        seed=said.get("seed") or 0,
        variants=None if variants == ("all",) else () if variants == ("none",) else variants,
        order=case.order,
        tolerance=None if tolerance is None else (tolerance.rtol, tolerance.atol),
        strict=case.strict,
        spec=said.get("spec"),
        twin=said.get("twin"),
        backward=said.get("backward"),
        meant=said.get("backward-spec"),
        repeat=said.get("repeat") or 1,
        unmet=None if case.expected is None else case.expected.unmet,
    )


def weights_of(given: Nested | None) -> list[float] | None:
    """A cotangent row-major.

    Raises:
        UserError: it is no array.
    """
    if given is None:
        return None
    found: list[float] = float_array(given, "cotangent", DTYPES["float64"], []).reshape(-1).tolist()
    return found
