"""The JSON report's schema, format 1: what `gradcheck schema report` prints, and the documentation
of every field.
"""

from __future__ import annotations

from typing import Any

from gradcheck_cli.records.outcome import NO_VERDICT, OUTCOMES, Status
from gradcheck_cli.reports.json import FORMAT

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def report_schema() -> Schema:
    """A JSON Schema (2020-12) of the whole report; `#/$defs/jsonl_line` is one line of `--format
    jsonl`.

    Keys not named here are allowed everywhere: a reader must ignore what it does not know, and only
    a new `format` may remove or retype a key.
    """
    report = _object(
        "The report of one gradcheck command. Ignore keys you do not know. Nulls are written, never left out.",
        format={
            "const": FORMAT,
            "description": "Version of this format; only a new one removes or retypes a key.",
        },
        command=_array({"type": "string"}, "The command line, one string an argument."),
        exit_code={
            "enum": [0, 1, 2, 3, 4, 5, 130],
            "description": "0 as expected; 1 a gradient is wrong; 2 could not start; 3 the tool or a worker failed; "
            "4 nothing wrong but something not verified; 5 nothing selected; 130 interrupted.",
        },
        environment=_environment(),
        summary={
            "type": "object",
            "description": "How many cases came to each outcome; outcomes with none are left out.",
            "propertyNames": {"$ref": "#/$defs/came_to"},
            "additionalProperties": {"type": "integer", "minimum": 1},
        },
        cases=_array(
            {"$ref": "#/$defs/case"},
            "One entry for each point, dtype and device, in the order they were asked for.",
        ),
        problems=_array(
            {"type": "string"},
            "What went wrong with the run itself, in words; empty when nothing did.",
        ),
    )
    return {
        "$schema": DIALECT,
        "title": f"gradcheck report, format {FORMAT}",
        **report,
        "$defs": _definitions(),
    }


def _definitions() -> Schema:
    return {
        "number": {
            "description": 'A float64, written so that it reads back as the same number; NaN and infinities are the strings "nan", "inf", "-inf".',
            "anyOf": [{"type": "number"}, {"enum": ["nan", "inf", "-inf"]}],
        },
        "measure": {
            "description": "A number, or null where there is nothing to measure.",
            "anyOf": [_ref("number"), {"type": "null"}],
        },
        "array": {
            "description": "A number for a scalar, nested lists in row-major order for a tensor.",
            "anyOf": [_ref("number"), {"type": "array", "minItems": 1, "items": _ref("array")}],
        },
        "values": {
            "description": "Numbers shaped like the result; null for an element that has no value or could not be proved.",
            "anyOf": [_ref("measure"), {"type": "array", "minItems": 1, "items": _ref("values")}],
        },
        "outcome": {
            "enum": list(OUTCOMES),
            "description": "agree: right, as far as the dtype can be; imprecise: more than half the digits are lost to rounding; wrong: rounding does "
            "not explain the error; kink: no derivative here, left and right differ; undefined: no finite derivative exists; detached: torch has no "
            "path from the input to the result; inconclusive: nothing could be shown.",
        },
        "came_to": {
            "enum": [*OUTCOMES, *NO_VERDICT],
            "description": "An outcome; or error: the check crashed, or ran out of time or memory; skipped: the suite says not to check it.",
        },
        "status": {
            "enum": list(Status),
            "description": "pass: as expected; fail: not as expected, exit code 1; unverified: nothing wrong, but something not verified, exit code 4; "
            "error: no verdict, exit code 3; xfail: it fails, as the suite foresees; skip: not checked.",
        },
        "abstention": _object(
            "In the place of an opinion: it has nothing to say, and why.",
            abstained={"type": "string", "minLength": 1, "description": "The reason, in words."},
        ),
        "case": _case(),
        "partial": _partial(),
        **_opinions(),
        "jsonl_line": {
            "description": "A line of the jsonl format: one case, written as soon as it is done.",
            "$ref": "#/$defs/case",
        },
    }


def _environment() -> Schema:
    names = ("gradcheck", "python", "torch", "sympy", "python_flint", "platform")
    return {
        "type": "object",
        "description": "Versions of what took part, and the platform.",
        "required": list(names),
        "properties": {name: {"type": "string"} for name in names},
        "additionalProperties": {"type": "string"},
    }


def _case() -> Schema:
    return _object(
        "One program at one point, in one dtype, on one device.",
        _additions(),
        id={
            "type": ["string", "null"],
            "description": "The case's name in its suite; null outside a suite.",
        },
        expression={"type": "string", "description": "The program as the user wrote it."},
        dtype={
            "type": "string",
            "description": "The dtype under test: float64, float32, bfloat16 or float16.",
        },
        device={"type": "string", "description": "The device under test: cpu, cuda, cuda:1."},
        at={
            "type": "object",
            "description": "The point: each input as the exact numbers used, after rounding to the dtype.",
            "additionalProperties": _ref("array"),
        },
        cotangent={
            "description": "The upstream gradient, shaped like the result; ones if none was given, null if the case was not checked and none was given.",
            "anyOf": [_ref("array"), {"type": "null"}],
        },
        outcome=_ref(
            "came_to",
            "The worst of the partials: wrong > inconclusive > undefined > detached > kink > imprecise > agree.",
        ),
        value=_object(
            "The program's value at the point.",
            reference=_ref("values", "Proved by ball arithmetic; null if none of it is."),
            autograd=_ref(
                "values", "What torch computed in the dtype; null if it computed nothing."
            ),
        ),
        partials=_array(
            _ref("partial"),
            "One entry for each element of each input differentiated; empty where there is no verdict.",
        ),
        reproduce={"type": "string", "description": "A shell command that checks this case alone."},
    ) | {
        "if": {"properties": {"outcome": {"enum": list(NO_VERDICT)}}},
        "then": {"properties": {"partials": {"maxItems": 0}}},
        "else": {"properties": {"partials": {"minItems": 1}}},
    }


def _additions() -> Schema:
    """Keys that came after the first reports of this format."""
    text = {"type": ["string", "null"]}
    position = {"type": "integer", "minimum": 1}
    return {
        "status": _ref("status"),
        "notes": _array(
            {"type": "string"},
            "What is true of the whole case: numbers that were rounded to the dtype, a forward value that is off.",
        ),
        "rounded": _array(
            _object(
                "A number that the dtype cannot hold.",
                variable={"type": "string"},
                text={"type": "string"},
                used=_ref("number"),
            ),
            "Numbers of the point or cotangent that had to be rounded: as written, and as used.",
        ),
        "source": {
            "description": "Where the case stands in its suite; null outside a suite.",
            "anyOf": [
                _object(
                    "A place; line and column count from 1.",
                    file={"type": "string"},
                    line=position,
                    column=position,
                ),
                {"type": "null"},
            ],
        },
        "position": {
            "type": ["integer", "null"],
            "minimum": 0,
            "description": "The number of this check in the run, counted from 0; null outside a suite.",
        },
        "expected": {
            "description": "The outcomes that the suite expects; null where it states none.",
            "anyOf": [_array(_ref("outcome"), "Any of them is as expected."), {"type": "null"}],
        },
        "unmet": _array({"type": "string"}, "What the suite expects and is not so, in sentences."),
        "reason": text
        | {"description": "Why it was skipped, may fail or has no verdict; else null."},
    }


def _partial() -> Schema:
    return _object(
        "One partial derivative.",
        {
            "failed": {
                "type": "boolean",
                "description": "It fails although its outcome alone does not: no path to a derivative that is not 0.",
            }
        },
        variable={"type": "string", "description": "The input."},
        index=_array(
            {"type": "integer", "minimum": 0},
            "The element of the input, counted from 0; empty for a scalar.",
        ),
        outcome=_ref("outcome"),
        reason={
            "type": "string",
            "minLength": 1,
            "description": "Who is right or wrong, by how much and why, in a sentence.",
        },
        reference=_opinion("reference", "The true value, proved."),
        analytic=_opinion("analytic", "SymPy's derivative."),
        autograd=_opinion("autograd", "What torch's backward answers; this is on trial."),
        numeric=_opinion("numeric", "Central differences of torch's float64 forward."),
        one_sided={
            "description": "Left and right derivatives, where the point lies on the boundary of a piecewise operation; else null.",
            "anyOf": [{"type": "null"}, _ref("one_sided")],
        },
    )


def _opinions() -> Schema:
    agrees = {"type": ["boolean", "null"]}
    return {
        "reference": _object(
            "A value proved by ball arithmetic.",
            value=_ref("number", "The float64 nearest to it."),
            digits={
                "type": "string",
                "description": "The same to 20 decimal digits, more than any dtype holds.",
            },
            bits={
                "type": "integer",
                "minimum": 1,
                "description": "Working precision that sufficed for the proof.",
            },
        ),
        "analytic": _object(
            "A formula and its value.",
            {
                "agrees": agrees
                | {
                    "description": "Whether it is the reference's value; null where one of the two is missing."
                },
                "reason": {
                    "type": "string",
                    "description": "Why the formula has no value at this point, where it has none.",
                },
            },
            value=_ref(
                "measure",
                "The float64 nearest to the formula's value; null if it has none at this point.",
            ),
            formula={"type": "string", "description": "The formula in the tool's own language."},
            latex={"type": "string", "description": "The formula in LaTeX."},
        ),
        "autograd": _object(
            "torch's answer and how far off it is.",
            value=_ref("number", "The number of the dtype that torch answers."),
            error=_ref("measure", "Distance from the reference."),
            relative_error=_ref("measure", "The same over the size of the reference."),
            ulps=_ref(
                "measure", "The same in units in the last place of the dtype, at the reference."
            ),
            tolerance=_ref("measure", "The largest `error` that agrees."),
        ),
        "numeric": _object(
            "An estimate with its error bar.",
            {
                name: {
                    "anyOf": [_ref("slope"), {"type": "null"}],
                    "description": f"From the {name} alone; null where that is not possible.",
                }
                for name in ("left", "right")
            },
            value=_ref("number", "The estimate."),
            radius=_ref("number", "Half the width of its bar."),
            agrees=agrees
            | {
                "description": "Whether the reference lies within the bar; null where there is no reference."
            },
        ),
        **_sides(),
    }


def _sides() -> Schema:
    return {
        "slope": _object(
            "A one-sided estimate.",
            value=_ref("number"),
            radius=_ref("number", "Half the width of its bar."),
        ),
        "one_sided": _object(
            "Derivatives from either side.",
            left=_ref(
                "measure",
                "From below; null where the function has no values there, or no finite slope.",
            ),
            right=_ref("measure", "From above; null likewise."),
        ),
    }


def _object(description: str, also: Schema | None = None, /, **properties: Schema) -> Schema:
    """An object all of whose `properties` are required; what stands in `also` may be missing, and
    other keys are allowed.
    """
    return {
        "type": "object",
        "description": description,
        "required": list(properties),
        "properties": {**properties, **(also or {})},
    }


def _array(items: Schema, description: str) -> Schema:
    return {"type": "array", "description": description, "items": items}


def _ref(name: str, description: str = "") -> Schema:
    return ({"description": description} if description else {}) | {"$ref": f"#/$defs/{name}"}


def _opinion(name: str, description: str) -> Schema:
    # Not anyOf: what abstains and yet answers would be two statements.
    return {"description": description, "oneOf": [_ref(name), _ref("abstention")]}
