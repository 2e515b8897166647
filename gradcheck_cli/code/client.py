"""Code on trial in a process of its own, which nothing that it does can take down with it."""

from __future__ import annotations

import json
import pickle
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradcheck_cli.checks.record import record_without_verdict
from gradcheck_cli.language.errors import Mistake, PointError
from gradcheck_cli.processes import START_LIMIT, Child, Lost
from gradcheck_cli.records.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gradcheck_cli.checks.result import Result
    from gradcheck_cli.records.record import Record

# Seconds for one step: the call, the proof, or a variant.
STEP_LIMIT = 120.0


@dataclass(frozen=True)
class CodeJob:
    """What a process is asked.

    Attributes:
        object: `PKG.MOD:OBJ`.
        arguments: `NAME=VALUE`.
        variants: names of those that are tried; None for all.
        tolerance: relative and absolute; None for the computed one.
        spec, twin, backward, meant: what it is held against, and the backward of a NumPy function.
        repeat: how often it is run.
        unmet: sentences on what is expected of the result and not met; it can be pickled.
    """

    object: str
    arguments: Sequence[str]
    wrt: Sequence[str] = ()
    dtype: str = "float64"
    device: str = "cpu"
    cotangent: Sequence[float] | None = None
    seed: int = 0
    variants: Sequence[str] | None = None
    order: int = 1
    tolerance: tuple[float, float] | None = None
    strict: bool = False
    spec: str | None = None
    twin: str | None = None
    backward: str | None = None
    meant: str | None = None
    repeat: int = 1
    unmet: Callable[[Result], list[str]] | None = None

    def packed(self) -> bytes:
        """As a message."""
        return pickle.dumps(vars(self))

    def command(self) -> str:
        """The command that asks the same."""
        words = ["gradcheck", "fn", self.object]
        for argument in self.arguments:
            words += ["--arg", argument]
        for name, text in (
            ("wrt", ",".join(self.wrt)),
            ("dtype", self.dtype if self.dtype != "float64" else ""),
            ("device", self.device if self.device != "cpu" else ""),
            ("seed", str(self.seed or "")),
            ("spec", self.spec),
            ("backward-spec", self.meant),
            ("twin", self.twin),
            ("backward", self.backward),
            ("order", str(self.order) if self.order != 1 else ""),
        ):
            words += [f"--{name}", text] if text else []
        return shlex.join(words)


def record_of_code(
    job: CodeJob,
    seconds: float = STEP_LIMIT,
    memory: int | None = None,
    tell: Callable[[str], None] = lambda step: None,
    hold: Callable[[Child], None] = lambda child: None,
) -> Record:
    """What becomes of a job. One that hangs, takes all memory or ends its process costs itself: the
    steps before that count.

    Args:
        seconds: for each step.
        tell: is given each step that begins.
        hold: is given the process, to end it with.
    Raises:
        PointError: the user's mistakes.
    """
    child = Child("gradcheck_cli.code.worker:records")
    hold(child)
    try:
        child.next_message(START_LIMIT)
        child.send(job.packed())
        return _record(job, child, seconds, memory, tell)
    except Lost as lost:
        return _without_verdict(job, f"the check has {lost}")
    finally:
        child.kill()


def _record(
    job: CodeJob, child: Child, seconds: float, memory: int | None, tell: Callable[[str], None]
) -> Record:
    record: Any = None
    doing = "the call"
    while doing:
        tell(doing)
        try:
            answer = json.loads(child.next_message(seconds, memory))
        except Lost as lost:
            if record is None:
                raise
            return _given_up(record, doing, str(lost))
        if "mistakes" in answer:
            raise PointError(
                [Mistake(code, text, help=help_) for code, text, help_ in answer["mistakes"]]
            )
        if "raised" in answer:
            return _without_verdict(job, answer["raised"])
        record, doing = answer["record"], answer["doing"]
    found: Record = record
    return found


def _without_verdict(job: CodeJob, reason: str) -> Record:
    rest = Outcome.ERROR, reason, None
    record = record_without_verdict(job.object, job.dtype, job.device, *rest, strict=job.strict)
    record["reproduce"] = job.command()
    return record


def _given_up(record: Record, doing: str, why: str) -> Record:
    """A record whose last step did not end, which is told."""
    function = record["function"]
    assert function is not None
    reason = f"it has {why}"
    # What takes too long may be innocent, as a loop that waits for a tolerance; a crash is not.
    crashed = why.startswith("ended its process")
    outcome = str(Outcome.ERROR) if crashed else None
    function["variants"].append(
        {"name": doing, "what": doing, "outcome": outcome, "failed": crashed, "reason": reason}
    )
    if crashed:
        record["outcome"], record["status"] = str(Outcome.ERROR), str(Outcome.ERROR.status)
    record["notes"].append(f"{doing}: {reason}; nothing was tried after it")
    return record
