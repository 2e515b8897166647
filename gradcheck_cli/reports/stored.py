"""A JSON report or JSON lines read back as a Report, held against the schema and against itself."""

from __future__ import annotations

import json
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

from gradcheck_cli.language.errors import Mistake, PointError, elide
from gradcheck_cli.language.files import file_text
from gradcheck_cli.records.outcome import INTERRUPTED, NO_VERDICT, UNWRITTEN, Outcome, Status
from gradcheck_cli.records.record import UNSTATED, Record, abstains, opinion_of
from gradcheck_cli.records.report import Report
from gradcheck_cli.records.status import status_by_itself
from gradcheck_cli.reports.findings import file_of
from gradcheck_cli.reports.json import FORMAT
from gradcheck_cli.reports.schema import report_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jsonschema_rs import ValidationError

    from gradcheck_cli.records.json_schema import Schema
    from gradcheck_cli.records.record import PartialRecord

# What a report of JSON lines does not tell.
UNKNOWN = "unknown"
# How many lists and objects may stand in each other: a tensor of torch has at most 64 dimensions,
# and stands in four more.
DEEPEST = 100
# Characters of a report: a million checks.
LONGEST_REPORT = 1_000_000_000
# What a case has that was asked in one part.
_UNSPLIT: dict[str, Any] = {
    "order": 1,
    **dict.fromkeys(("direction", "also", "trace", "claims", "function", "sweep", "in_bulk")),
}
# Stands in the library's messages for the value, which is put there shortened; JSON never has this
# character as it is.
_VALUE = "\0"


def read_report(
    source: Path | str,
    name: str = "the report",
    longest: int = LONGEST_REPORT,
    *,
    blank: bool = False,
) -> Report:
    """The Report that a file or a text holds; rendered as JSON it is the same bytes again.

    Keys that came after the first reports of this format are filled in where they are missing.

    Args:
        source: a path, or the text itself.
        name: what messages call the text; a path is called by its own name.
        longest: characters that a file may have.
        blank: an empty text is JSON lines of no case.
    Raises:
        PointError: `unreadable`, or `bad-report` with the first thing that is wrong.
    """
    if isinstance(source, Path):
        source, name = file_text(source, longest), str(source)
    if not source.strip() and not blank:
        raise emptiness(name)
    try:
        whole = _loads(source)
    except (ValueError, RecursionError) as error:
        if source.strip() and not _is_object(source.lstrip().partition("\n")[0]):
            reason = f"it is not JSON: {_reason(error)}"
            raise _bad(name, reason) from error
        return _lines(source, name)
    if not isinstance(whole, dict):
        raise _bad(name, "it is JSON, but no object")
    return (
        _lines(source, name)
        if "format" not in whole and "partials" in whole
        else _document(whole, name)
    )


def emptiness(name: str) -> PointError:
    """What is said of an empty report."""
    return _bad(name, "it is empty")


def _is_object(line: str) -> bool:
    """Whether a line is a JSON object by itself, as each line of JSON lines is."""
    try:
        return isinstance(_loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _loads(text: str) -> Any:
    """JSON without NaN, infinities and numbers that no float holds: none of them could be written
    again.
    """

    def refuse(word: str) -> NoReturn:
        raise ValueError(f"`{word}` is no number of JSON")

    def number(word: str) -> float:
        value = float(word)
        return value if isfinite(value) else refuse(elide(word))

    def integer(word: str) -> int:
        number(word)
        return int(word)

    data = json.loads(text, parse_constant=refuse, parse_float=number, parse_int=integer)
    if _too_deep(data):
        # Python's own limit is another in each version, and a check of 20,000 levels against the
        # schema ends the process.
        raise RecursionError
    return data


def _too_deep(data: Any) -> bool:
    """Whether lists and objects stand in each other more than DEEPEST times."""
    level: list[Any] = [[data]]
    for _ in range(DEEPEST + 1):
        level = [
            inner
            for held in level
            for inner in (held.values() if isinstance(held, dict) else held)
            if isinstance(inner, (dict, list))
        ]
    return bool(level)


def _lines(text: str, name: str) -> Report:
    """JSON lines, each a case."""
    schema = report_schema()
    fault = _checker(
        {"$schema": schema["$schema"], "$defs": schema["$defs"], "$ref": "#/$defs/jsonl_line"}
    )
    records = []
    # Not `splitlines`: it also ends lines at characters that JSON leaves in its strings.
    for number, line in enumerate(text.rstrip("\n").split("\n") if text.strip() else (), start=1):
        try:
            record = _loads(line)
        except (ValueError, RecursionError) as error:
            reason = f"line {number} is not JSON: {_reason(error)}"
            raise _bad(name, reason) from error
        if wrong := fault(record):
            raise _bad(name, f"in line {number}, {wrong}")
        records.append(_complete(record, strict=False))
    return Report(
        records=records,
        environment=dict.fromkeys(schema["properties"]["environment"]["required"], UNKNOWN),
        # What has a name and stands in no suite is a part of a sweep, one without a verdict too.
        kind="sweeps" if all(r["id"] is not None and not file_of(r) for r in records) else "",
    )


def _reason(error: Exception) -> str:
    match error:
        case json.JSONDecodeError(msg=text, lineno=line, colno=column):
            what = f"{text[:1].lower()}{text[1:]}".removesuffix(" at")
            return f"{what} at {line}:{column}"
        case RecursionError():
            return "it is nested too deeply"
    return str(error)


def _document(data: dict[str, Any], name: str) -> Report:
    if data.get("format") != FORMAT:
        stated = f"its format is {elide(json.dumps(data['format']))}" if "format" in data else ""
        way_out = f"this version reads format {FORMAT}"
        raise _bad(name, stated or "it has no `format`", way_out)
    if "sweeps" in data:
        way_out = "its parts are in its `jsonl` report, which is read"
        raise _bad(name, "it is a sweep that was put together", way_out)
    if wrong := _checker(report_schema())(data):
        raise _bad(name, wrong)
    report = Report(
        records=[_complete(record, strict=False) for record in data["cases"]],
        command=data["command"],
        environment=data["environment"],
        problems=data["problems"],
        interrupted=data["exit_code"] == INTERRUPTED,
        unwritten=data["exit_code"] == UNWRITTEN,
    )
    return _consistent(report, data, name)


def _checker(schema: Schema) -> Callable[[Any], str]:
    """A function that tells what is wrong at the first place where data are not as the schema says;
    empty if they are.
    """
    from jsonschema_rs import ValidationError, validator_for

    validator = validator_for(schema, mask=_VALUE)

    def fault(data: Any) -> str:
        try:
            validator.validate(data)
        except ValidationError as error:
            return _fault_text(error)
        except ValueError as error:  # half of a surrogate pair, where a certain word is expected
            return f"it cannot be held against the schema: {error}"
        return ""

    return fault


def _fault_text(error: ValidationError) -> str:
    """The place and what is wrong there, in the library's words: of several ways to be right, those
    that fail furthest in.
    """
    faults = list(_furthest(error))
    place = max((fault.instance_path for fault in faults), key=len)
    there = [fault for fault in faults if fault.instance_path == place]
    words = [
        fault.message.replace(_VALUE, elide(json.dumps(fault.instance, ensure_ascii=False)))
        for fault in there
    ]
    steps = "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" for step in place
    ).removeprefix(".")
    return (f"`{steps}`: " if steps else "") + "; ".join(dict.fromkeys(words))


def _furthest(error: ValidationError) -> Iterator[ValidationError]:
    """The first fault of each option of `anyOf` and `oneOf`; the error itself where there are no
    options, or several that fit.
    """
    options = [faults[0] for faults in getattr(error.kind, "context", ()) if faults]
    for option in options:
        yield from _furthest(option)
    if not options:
        yield error


def _consistent(report: Report, data: Mapping[str, Any], name: str) -> Report:
    """The report, if what it says as a whole is what its cases come to."""
    code, summary = data["exit_code"], data["summary"]
    if code != report.exit_code and any("status" not in record for record in data["cases"]):
        # Before there were statuses, only the exit code told that the run was strict.
        records = [_complete(record, strict=True) for record in data["cases"]]
        report = replace(report, records=records)
    if code != report.exit_code and code == Status.ERROR.exit_code:
        report = replace(report, incomplete=True)
    if code != report.exit_code:
        raise _bad(name, f"its exit code is {code}, its cases come to {report.exit_code}")
    if summary != report.summary:
        counts = f"{_counts(summary)}, its cases come to {_counts(report.summary)}"
        raise _bad(name, f"its summary says {counts}")
    return report


def _counts(summary: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {outcome}" for outcome, number in summary.items()) or "nothing"


def _complete(record: dict[str, Any], *, strict: bool) -> Record:
    """A record with every key that is written today, in the order of those that are there."""
    partials = [_complete_partial(partial) for partial in record["partials"]]
    outcome = Outcome(record["outcome"])
    judged = outcome not in NO_VERDICT
    also = record.get("also")
    others = [_complete_partial(partial) for partial in also["partials"]] if also else []
    status = status_by_itself([*partials, *others], strict=strict) if judged else outcome.status
    newer = {"written": None, "notes": [], "rounded": [], **UNSTATED, "status": status, **_UNSPLIT}
    whole = record | {"partials": partials}
    if also:
        whole["also"] = also | {"partials": others}
    # What the schema asks for and what is filled in are the keys of a Record.
    return cast("Record", whole | {name: newer[name] for name in newer if name not in record})


def _complete_partial(partial: PartialRecord) -> PartialRecord:
    analytic, numeric = dict(partial["analytic"]), dict(partial["numeric"])
    if not abstains(analytic):
        analytic.setdefault("agrees", None)
        if analytic["value"] is None:
            analytic.setdefault("reason", "the formula has no value at this point")
    if not abstains(numeric):
        for key in ("left", "right", "agrees"):
            numeric.setdefault(key, None)
    slope = opinion_of(partial, "reference").get("value")
    # Without a path to the result the gradient is wrong unless the derivative is 0.
    failed = partial["outcome"] == Outcome.DETACHED and slope is not None and float(slope) != 0
    newer = {"cause": None, "failed": failed, "output": None}
    whole = partial | {"analytic": analytic, "numeric": numeric}
    return whole | {name: newer[name] for name in newer if name not in partial}


def _bad(name: str, reason: str, way_out: str = "") -> PointError:
    return PointError(
        [Mistake("bad-report", f"`{name}` is no report that can be read: {reason}", help=way_out)]
    )
