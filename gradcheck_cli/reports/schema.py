"""The JSON report's schema, format 1: what `gradcheck schema report` prints, and the documentation
of every field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.records.json_schema import DIALECT
from gradcheck_cli.records.outcome import (
    INTERRUPTED,
    NO_VERDICT,
    NOTHING_SELECTED,
    OUTCOMES,
    Cause,
    Outcome,
    Status,
)
from gradcheck_cli.reports.claimed import claim_schema
from gradcheck_cli.reports.functions import function_schema
from gradcheck_cli.reports.json import FORMAT
from gradcheck_cli.reports.schemas import A_NULL as _NULL
from gradcheck_cli.reports.schemas import A_TEXT as _TEXT
from gradcheck_cli.reports.schemas import agrees_schema as _agrees
from gradcheck_cli.reports.schemas import array_schema as _array
from gradcheck_cli.reports.schemas import choice_schema as _either
from gradcheck_cli.reports.schemas import field_schema as _field
from gradcheck_cli.reports.schemas import object_schema as _object
from gradcheck_cli.reports.schemas import ref_schema as _ref
from gradcheck_cli.reports.schemas import text_schema as _text
from gradcheck_cli.reports.sweep_schema import part_schema, whole_sweep_schema
from gradcheck_cli.reports.trace_schema import TRACE, trace_schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gradcheck_cli.records.json_schema import Schema

# A command that could not start leaves no report, yet a reader may meet its exit code.
_COULD_NOT_START = 2


def report_schema() -> Schema:
    """A JSON Schema (2020-12) of the whole report; `#/$defs/jsonl_line` is one line of `--format
    jsonl`.

    Keys not named here are allowed everywhere: a reader must ignore what it does not know, and only
    a new `format` may remove or retype a key.
    """
    return {
        "$schema": DIALECT,
        "title": f"gradcheck report, format {FORMAT}",
        **_report(),
        "$defs": {
            **_shared(),
            "case": _case(),
            "jsonl_line": _ref(
                "case", "A line of the jsonl format: one case, written as soon as it is done."
            ),
        },
    }


def sweep_schema() -> Schema:
    """A JSON Schema (2020-12) of the report of a sweep."""
    title = f"gradcheck report of sweeps, format {FORMAT}"
    return {"$schema": DIALECT, "title": title, **_sweeps(), "$defs": _shared()}


def _shared() -> Schema:
    return {**_numbers(), **_words(), "partial": _partial(), **_opinions(), **_estimates()}


# A row a field.
# fmt: off
def _report() -> Schema:
    each = _array(_ref("case"), "One entry for each point, dtype and device, in the order they were asked for.")
    return _document("The report of one gradcheck command.", "cases", cases=each)


def _sweeps() -> Schema:
    return _document(
        "The report of one `gradcheck sweep`.", "parts of sweeps",
        ulp_edges=_array({"type": "number"}, "The upper ends of the classes of each histogram."),
        sweeps=_array(whole_sweep_schema(), "One entry for each dtype and device; parts that are missing are not in it, and told in `problems`."),
    )


def _document(about: str, counted: str, **entries: Schema) -> Schema:
    codes = {*(status.exit_code for status in Status), NOTHING_SELECTED, INTERRUPTED, _COULD_NOT_START}
    versions = ("gradcheck", "python", "torch", "sympy", "python_flint", "platform")
    return _object(
        f"{about} Ignore keys you do not know. Nulls are written, never left out.",
        format=_field("Version of this format; only a new one removes or retypes a key.", const=FORMAT),
        command=_array(_TEXT, "The command line, one string an argument."),
        exit_code=_field("0 as expected; 1 a gradient is wrong; 2 could not start; 3 the tool or a worker failed; 4 nothing wrong but something "
                         "not verified; 5 nothing selected; 130 interrupted.", enum=sorted(codes)),
        environment=_field("Versions of what took part, and the platform.", type="object", required=list(versions),
                           properties=dict.fromkeys(versions, _TEXT), additionalProperties=_TEXT),
        summary=_field(f"How many {counted} came to each outcome; outcomes with none are left out.", type="object",
                       propertyNames=_ref("came_to"), additionalProperties={"type": "integer", "minimum": 1}),
        **entries,
        problems=_array(_TEXT, "What went wrong with the run itself, in words; empty when nothing did."),
    )


def _numbers() -> Schema:
    lists = {name: {"type": "array", "minItems": 1, "items": _ref(name)} for name in ("array", "values")}
    return {
        "number": _either('A float64, written so that it reads back as the same number; NaN and infinities are the strings "nan", "inf", "-inf".',
                          {"type": "number"}, {"enum": ["nan", "inf", "-inf"]}),
        "measure": _either("A number, or null where there is nothing to measure.", _ref("number"), _NULL),
        "array": _either("A number for a scalar, nested lists in row-major order for a tensor.", _ref("number"), lists["array"]),
        "values": _either("Numbers shaped like the result; null for an element that has no value or could not be proved.", _ref("measure"), lists["values"]),
    }


def _words() -> Schema:
    return {
        "outcome": _field(_meanings(OUTCOMES), enum=list(OUTCOMES)),
        "came_to": _field(f"An outcome; or {_meanings(NO_VERDICT)}", enum=[*OUTCOMES, *NO_VERDICT]),
        "cause": _field(_meanings(Cause), enum=list(Cause)),
        "status": _field(_meanings(Status), enum=list(Status)),
    }


def _case() -> Schema:
    return _object(
        "One program at one point, in one dtype, on one device.",
        _additions(),
        id=_field("The case's name in its suite; null outside a suite.", type=["string", "null"]),
        expression=_text("The program, in the language."),
        dtype=_text("The dtype under test: float64, float32, bfloat16 or float16."),
        device=_text("The device under test: cpu, cuda, cuda:1."),
        at=_field("The point: each input as the exact numbers used, after rounding to the dtype.", type="object", additionalProperties=_ref("array")),
        cotangent=_either("The upstream gradient, shaped like the result; ones if none was given. Null if each element of the result was differentiated "
                          "by itself, or if the case was not checked and none was given.",
                          _ref("array"), _NULL),
        outcome=_ref("came_to", f"The worst of the partials: {' > '.join(OUTCOMES)}."),
        value=_object(
            "The program's value at the point.",
            reference=_ref("values", "Proved by ball arithmetic; null if none of it is."),
            autograd=_ref("values", "What torch computed in the dtype; null if it computed nothing."),
        ),
        partials=_array(_ref("partial"), "One entry for each element of each input differentiated; empty where there is no verdict."),
        reproduce=_text("A shell command that checks this case alone."),
    ) | {
        "if": {"properties": {"outcome": {"enum": list(NO_VERDICT)}}},
        "then": {"properties": {"partials": {"maxItems": 0}}},
        "else": {"properties": {"partials": {"minItems": 1}}},
    }


def _additions() -> Schema:
    """Keys that came after the first reports of this format."""
    place = {"type": "integer", "minimum": 1}
    rounded = _object("A number that the dtype cannot hold.", variable=_TEXT, text=_TEXT, used=_ref("number"))
    return {
        "status": _ref("status"), "trace": TRACE,
        "written": _field("What the user wrote, where that is not the language's and was read as `expression`; else null.", type=["string", "null"]),
        "order": _field("The order of the derivatives in `partials`.", enum=[1, 2]),
        "direction": _either("Of second derivatives of many inputs: each is the product of a row of them with this direction, which is shaped like the inputs; "
                             "else null.", {"type": "object", "additionalProperties": _ref("array")}, _NULL),
        "also": _either("The same check under a seeded cotangent, where the elements of an input mix in the result and no cotangent was given: ones may "
                        "hide what is wrong. Its outcome counts in that of the case. Else null.", _also(), _NULL),
        "claims": _either("What became of the derivatives that the user derived, a line of a claim each; their outcomes count in that of the case. "
                          "Null where nothing is claimed.", _array(claim_schema(), "In the order of the lines."), _NULL),
        "function": _either("What was found out of a person's own function; null where an expression is checked.", function_schema(), _NULL),
        "sweep": _either("What became of a part of a sweep; else null.", part_schema(), _NULL),
        "notes": _array(_TEXT, "What is true of the whole case: numbers that were rounded to the dtype, a forward value that is off."),
        "in_bulk": _either("Of a program that is too large for scalars how it was judged, in sentences; null elsewhere.", _array(_TEXT, "Sentences."), _NULL),
        "rounded": _array(rounded, "Numbers of the point or cotangent that had to be rounded: as written, and as used."),
        "source": _either("Where the case stands in its suite; null outside a suite.",
                          _object("A place; line and column count from 1.", file=_TEXT, line=place, column=place), _NULL),
        "position": _field("The number of this check in the run, counted from 0; null outside a suite.", type=["integer", "null"], minimum=0),
        "expected": _either("The outcomes that the suite expects; null where it states none.",
                            _array(_ref("outcome"), "Any of them is as expected."), _NULL),
        "unmet": _array(_TEXT, "What the suite expects and is not so, in sentences."),
        "reason": _field("Why it was skipped, may fail or has no verdict; else null.", type=["string", "null"]),
    }


def _also() -> Schema:
    return _object(
        "The same partials under another cotangent. SymPy and differences are not asked.",
        cotangent=_ref("array", "Shaped like the result."),
        outcome=_ref("outcome", "The worst of its partials."),
        partials=_array(_ref("partial"), "In the order of those of the case."),
    )


def _partial() -> Schema:
    is_opinion = {"type": "object", "anyOf": [{"required": ["value"]}, {"required": ["abstained"]}]}
    place: Schema = {"type": "array", "items": {"type": "integer", "minimum": 0}}
    return _object(
        "One partial derivative. A further key that holds an object with `value` or `abstained` is a further witness, and what it says.",
        {
            "cause": _either("Why torch's answer is not the derivative, or why there is none; null where nothing is to be explained.",
                             _ref("cause"), _NULL),
            "remedy": _either("Another way to write the program, in which torch gets more digits of this partial right: run at this point, in this dtype, and "
                              "proved to be the same function there. Null where none is known, and where none is needed.", _ref("remedy"), _NULL),
            "failed": _field("It fails although its outcome alone does not: no path to a derivative that is not 0.", type="boolean"),
            "output": _either("The element of the result that is differentiated, counted from 0, where each is by itself; else null.", place, _NULL),
        },
        variable=_either("The input; of a second derivative the inputs that it is differentiated by, one after the other.",
                         _TEXT, {"type": "array", "items": _TEXT, "minItems": 2, "maxItems": 2}),
        index=_either("The element of the input, counted from 0; empty for a scalar. Of a second derivative both of them.",
                      place, {"type": "array", "items": place, "minItems": 2, "maxItems": 2}),
        outcome=_ref("outcome"),
        reason=_text("Who is right or wrong, by how much and why, in a sentence.", minLength=1),
        reference=_opinion("reference", "The true value, proved."),
        analytic=_opinion("analytic", "SymPy's derivative."),
        autograd=_opinion("autograd", "What torch's backward answers; this is on trial."),
        numeric=_opinion("numeric", "Central differences of torch's float64 forward."),
        one_sided=_either("Left and right derivatives, where the point lies on the boundary of a piecewise operation; else null.",
                          _NULL, _ref("one_sided")),
    ) | {"additionalProperties": {"if": is_opinion, "then": _opinion("further", "What a further witness says.")}}


def _opinions() -> Schema:
    return {
        "abstention": _object("In the place of an opinion: it has nothing to say, and why.", abstained=_text("The reason, in words.", minLength=1)),
        "reference": _object(
            "A value proved by ball arithmetic.",
            value=_ref("number", "The float64 nearest to it."),
            digits=_text("The same to 20 decimal digits, more than any dtype holds; by its power of ten, `10^(4.34294e+299)`, where that is beyond 99,999."),
            bits=_field("Working precision that sufficed for the proof.", type="integer", minimum=1),
        ),
        "analytic": _object(
            "A formula and its value.",
            {
                "agrees": _agrees("Whether it is the reference's value; null where one of the two is missing."),
                "reason": _text("Why there is no value at this point, where there is none."),
                "gradient": _object(
                    "The formula of all partials by an input that is an array, where they have one together.",
                    formula=_text("The formula in the tool's own language; it broadcasts to the shape of the input."),
                    latex=_text("The formula in LaTeX."),
                ),
            },
            value=_ref("measure", "The float64 nearest to the value of SymPy's derivative; null if it has none at this point."),
            formula=_text("The formula in the tool's own language."),
            latex=_text("The formula in LaTeX."),
        ),
        "autograd": _object(
            "torch's answer and how far off it is.",
            value=_ref("number", "The number of the dtype that torch answers."),
            error=_ref("measure", "Distance from the reference."),
            relative_error=_ref("measure", "The same over the size of the reference."),
            ulps=_ref("measure", "The same in units in the last place of the dtype, at the reference."),
            tolerance=_ref("measure", "The largest `error` that agrees."),
        ),
    }


def _estimates() -> Schema:
    return trace_schema() | {
        "numeric": _object(
            "An estimate with its error bar.",
            {side: _either(f"From the {side} alone; null where that is not possible.", _ref("slope"), _NULL) for side in ("left", "right")},
            value=_ref("number", "The estimate."),
            radius=_ref("number", "Half the width of its bar."),
            agrees=_agrees("Whether the reference lies within the bar; null where there is no reference."),
        ),
        "further": _object(
            "An opinion beside the four that every partial has.",
            {
                "radius": _ref("number", "Half the width of its bar."),
                "agrees": _agrees("Whether it fits the reference; null where nothing can be compared."),
                "reason": _text("Why it has no value at this point, where it has none."),
            },
            value=_ref("measure", "Its value; null if it has none at this point."),
        ),
        "remedy": _object(
            "A program to write instead.",
            program=_text("Its text."),
            digits_regained=_ref("number", "How many more decimal digits of the partial torch gets right with it."),
        ),
        "slope": _object("A one-sided estimate.", value=_ref("number"), radius=_ref("number", "Half the width of its bar.")),
        "one_sided": _object(
            "Derivatives from either side.",
            left=_ref("measure", "From below; null where the function has no values there, or no finite slope."),
            right=_ref("measure", "From above; null likewise."),
        ),
    }
# fmt: on


def _meanings(words: Iterable[Outcome | Cause | Status]) -> str:
    """What each word means."""
    return " ".join(f"{word}: {word.meaning.removesuffix('.')}." for word in words)


def _opinion(name: str, description: str) -> Schema:
    # Not anyOf: what abstains and yet answers would be two statements.
    return _field(description, oneOf=[_ref(name), _ref("abstention")])
