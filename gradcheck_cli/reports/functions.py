"""A person's own function in the JSON report's schema."""

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
def function_schema() -> Schema:
    yes_no: Schema = {"type": "boolean"}
    perhaps: Schema = {"type": ["string", "null"]}
    return object_schema(
        "A person's own function, `autograd.Function`, module or NumPy pair.",
        object=text_schema("PKG.MOD:OBJ, or its own name."),
        file=field_schema("The file that defines it; null where that is not known.", **perhaps),
        line=field_schema("The line in it; null where that is not known.", type=["integer", "null"]),
        held_against=field_schema("What its gradient is held against: its own recorded forward, a program (--spec), a plain implementation (--twin), what is "
                                  "meant instead of a gradient (--backward-spec), or differences of it alone.",
                                  enum=["recording", "spec", "twin", "meant", "differences"]),
        followed=object_schema("Whether it was followed as formulas.", forward=yes_no, backward=yes_no),
        program=field_schema("The forward as it was recorded, a line for each line of code; null where it was not followed.", **perhaps),
        backward=field_schema("The same of the backward.", **perhaps),
        proved_for_all_inputs=field_schema("The backward is the derivative for all inputs of these shapes.", type="boolean"),
        error_probability=field_schema("Of that proof, that it holds by chance; else null.", type=["number", "null"]),
        branch=field_schema("That is shown on the branch that the point takes, and on no other.", type="boolean"),
        explanation=choice_schema("What was done instead, tested at several points; null where nothing is known.",
                                  _explanation(), A_NULL),
        notes=array_schema(object_schema("Something that was seen.", kind=A_TEXT, what=A_TEXT, where=field_schema("FILE:LINE.", **perhaps)),
                           "In the order seen."),
        variants=array_schema(_variant(), "Calls that were tried beside the one asked for, in order."),
        directions=field_schema("Along how many random directions it was differenced; null where each number was.", type=["integer", "null"]),
    )


def _explanation() -> Schema:
    factor = field_schema("claimed / true, where it is one number; else null.", type=["string", "null"])
    return object_schema("In a word and in a sentence.", kind=A_TEXT, text=A_TEXT, factor=factor)


def _variant() -> Schema:
    return object_schema(
        "A call that was tried.",
        name=text_schema("As --variants takes it."),
        what=text_schema("What it is, in words."),
        outcome=choice_schema("What it came to; null where it does not apply, or did not end.", ref_schema("outcome"), A_NULL),
        failed=field_schema("It shows that the function is wrong.", type="boolean"),
        reason=text_schema("What is wrong, or why it was not tried; else empty."),
    )
# fmt: on
