"""The schema of the chain rule in a JSON report."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradcheck_cli.records.json_schema import Schema

# fmt: off
_VALUES: Schema = {"$ref": "#/$defs/values"}
_KNOWN: Schema = {
    "description": "Numbers in the shape of the name; null for those without a proved value, and where there are none.",
    "anyOf": [_VALUES, {"type": "null"}],
}
_LOCAL: Schema = {
    "of": {"description": "The step.", "type": "string"},
    "formula": {"description": "It in the tool's own language; null where no formula is known.", "type": ["string", "null"]},
    "latex": {"description": "The same in LaTeX.", "type": ["string", "null"]},
    "adjoint": {"description": "Of a step whose elements mix, what the formula calls the adjoint of the step: it says what the name receives of that, the "
                               "contribution. Null where the formula is the derivative itself.", "type": ["string", "null"]},
    "value": {
        "description": "Its value: of numbers, and where `elementwise` is true, in the shape of the name; else the Jacobian, which has the dimensions of "
                       "the step, then those of the name. Null where there is none, and where the Jacobian is too long.",
        "anyOf": [_VALUES, {"type": "null"}],
    },
    "elementwise": {"description": "Each element of the step rests on the element of the name in the same place alone, and `value` holds the slopes.",
                 "type": "boolean"},
    "contribution": {"description": "What the name receives of the adjoint of the step, in the shape of the name; all of a name add up to its adjoint.",
                     "$ref": "#/$defs/values"},
    "reason": {"description": "Why there is no value; else null.", "type": ["string", "null"]},
}
_TRACED: Schema = {
    "name": {"description": "What it is called; a name that is assigned again is followed by a number.", "type": "string"},
    "value": _KNOWN,
    "step": {"description": "What it is, as it is written; null for an input.", "type": ["string", "null"]},
    "local": {
        "description": "A local partial for each step that it is written in, the last step first; none of the result.",
        "type": "array",
        "items": {"type": "object", "description": "The derivative of one step by a name that it is written in.",
                  "required": list(_LOCAL), "properties": _LOCAL},
    },
    "adjoint": {"type": "object", "description": "The derivative of the result by it; of the result itself the cotangent.",
                "required": ["reference", "autograd"], "properties": {"reference": _KNOWN, "autograd": _KNOWN}},
}
TRACE: Schema = {
    "description": "The chain rule, where `--trace` asks for it: each name of the program in the order of the backward pass, the result first and the inputs "
                   "last. Else null.",
    "anyOf": [{"type": "array", "items": {"$ref": "#/$defs/traced"}}, {"type": "null"}],
}
# fmt: on


def trace_schema() -> Schema:
    """The definition `traced`."""
    about = (
        "A name of the program: an input, or a step, which is an assignment or the result; with "
        "`--verbose` each operation is a step."
    )
    return {
        "traced": {
            "type": "object",
            "description": about,
            "required": list(_TRACED),
            "properties": _TRACED,
        }
    }
