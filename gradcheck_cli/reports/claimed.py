"""Claims in the JSON report's schema: derivatives that the user derived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.reports.schemas import (
    A_NULL,
    A_TEXT,
    array_schema,
    choice_schema,
    field_schema,
    object_schema,
    ref_schema,
    text_schema,
)

if TYPE_CHECKING:
    from gradcheck_cli.records.json_schema import Schema


# fmt: off
def claim_schema() -> Schema:
    number: Schema = {"anyOf": [ref_schema("number"), A_NULL]}
    return object_schema(
        "One line of a claim.",
        claim=text_schema("The line as written."),
        of=field_schema("What is differentiated: a name of the program; null for its value.", type=["string", "null"]),
        by=text_schema("The input, or the name that the program assigns, by which it is."),
        outcome=ref_schema("outcome", "agree if proved, wrong if refuted, inconclusive if neither."),
        failed=field_schema("It fails.", type="boolean"),
        status=field_schema("proved, refuted or not_refuted.", enum=["proved", "refuted", "not_refuted"]),
        how=field_schema("By what: the same after writing out; an identity test in a finite field; digits of one number; or points alone.",
                   enum=["same", "identity", "digits", "point"]),
        error_probability=field_schema("Of an identity test, that it holds by chance; else null.", type=["number", "null"]),
        points=field_schema("Points that were tried.", type="integer", minimum=0),
        branch=field_schema("It is shown on the branch that the point takes, and on no other.", type="boolean"),
        held=array_schema(A_TEXT, "Inputs for whose numbers alone it is shown."),
        counterexample=choice_schema("Where it is not the derivative: inputs, element, both numbers; null where none is needed.",
                               object_schema("A point.", at={"type": "object"}, index={"type": "array"}, claimed=number, true=number), A_NULL),
        explanation=choice_schema("What was done instead, tested at several points; null where nothing is known.", _explanation(), A_NULL),
        first_wrong=field_schema("The first line of its claim that is wrong by itself.", type="boolean"),
        but_for=array_schema(A_TEXT, "Lines above that are wrong; with the derivatives in their places this line is right."),
        deferred=field_schema("Not the derivative, and put right by later lines: what is claimed of inputs is proved.", type="boolean"),
        reason=text_schema("A sentence."),
    )


def _explanation() -> Schema:
    factor = field_schema("claimed / true, where it is one number or formula; else null.", type=["string", "null"])
    return object_schema("In a word and in a sentence.", kind=A_TEXT, text=A_TEXT, factor=factor)
# fmt: on
