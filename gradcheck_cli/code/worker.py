"""What a process does that runs a person's code: one job, and its record."""

from __future__ import annotations

import json
import pickle
import traceback
from typing import TYPE_CHECKING, Any

from gradcheck_cli.checks.record import record_of
from gradcheck_cli.code.arguments import read_arguments
from gradcheck_cli.code.facts import finished
from gradcheck_cli.code.importing import find_object
from gradcheck_cli.code.trial import TrialOptions, try_code
from gradcheck_cli.judge.evidence import Tolerance
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.processes import READY
from gradcheck_cli.recording.places import is_of_person
from gradcheck_cli.settings.readers import RETURNED

if TYPE_CHECKING:
    from collections.abc import Iterator


def records(jobs: Iterator[bytes]) -> Iterator[bytes]:
    """READY when torch is there, and for each job messages of JSON: the `record` as far as it is
    known with the step that is begun, if one is; or `mistakes`; or what was `raised`.
    """
    import torch

    # Beside others that work, threads of one process wait for each other.
    torch.set_num_threads(1)
    yield READY
    for job in jobs:
        yield from map(_packed, _answers(pickle.loads(job)))  # noqa: S301 - it is our own parent's


def _packed(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer).encode()


def _answers(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    try:
        found = find_object(job["object"])
        arguments = read_arguments(job["arguments"])
        for trial in try_code(found, job["object"], arguments, _wanted(job)):
            result = finished(trial)
            record = record_of(result, strict=job["strict"])
            record["unmet"] = job["unmet"](result) if job["unmet"] else []
            yield {"record": record, "doing": trial.doing}
    except UserError as error:
        yield {"mistakes": [(m.code, m.message, m.help) for m in error.mistakes]}
    except Exception as error:  # noqa: BLE001 - whatever a person's code raises is a result
        yield {"raised": raised_words(error)}


def _wanted(job: dict[str, Any]) -> TrialOptions:
    tolerance = None if job["tolerance"] is None else Tolerance(*job["tolerance"])
    variants = None if job["variants"] is None else tuple(job["variants"])
    return TrialOptions(
        tuple(job["wrt"]), job["dtype"], job["device"], job["cotangent"], job["seed"], variants,
        job["order"], tolerance, job["spec"], job["meant"],
        None if job["twin"] is None else find_object(job["twin"]), job["twin"] or "",
        _backward(job["backward"]), job["backward"] or "", job["repeat"],
        is_named=True,
    )  # fmt: skip


def _backward(title: str | None) -> Any:
    return title if title in (None, RETURNED) else find_object(title)


def raised_words(error: Exception) -> str:
    """An exception of a person's code with its place; or that it is one of this tool's."""
    cause = error.__cause__ if isinstance(error, RuntimeError) and error.__cause__ else error
    frames = traceback.extract_tb(cause.__traceback__)
    mine = [frame for frame in frames if is_of_person(frame.filename)]
    line = f"{type(cause).__name__}: {str(cause).strip().partition(chr(10))[0]}"
    if not mine and not isinstance(error, RuntimeError):
        return f"this tool failed, a defect of it: {line}"
    place = f" at {mine[-1].filename}:{mine[-1].lineno}" if mine else ""
    return f"the function raises {line}{place}"
