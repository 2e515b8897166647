"""What a sweep is in JSON: the key `sweep` of a case, which is a part of one, and the entries of
`sweeps`, which are put together from parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.records.outcome import OUTCOMES
from gradcheck_cli.records.sweep_record import NOT_SETTLED, ULP_EDGES
from gradcheck_cli.reports.schemas import A_TEXT as _TEXT
from gradcheck_cli.reports.schemas import array_schema as _array
from gradcheck_cli.reports.schemas import choice_schema as _either
from gradcheck_cli.reports.schemas import field_schema as _field
from gradcheck_cli.reports.schemas import object_schema as _object
from gradcheck_cli.reports.schemas import ref_schema as _ref
from gradcheck_cli.reports.schemas import text_schema as _text

if TYPE_CHECKING:
    from gradcheck_cli.records.json_schema import Schema

_COUNT: Schema = {"type": "integer", "minimum": 0}
_SOME: Schema = {"type": "integer", "minimum": 1}


# fmt: off
def part_schema() -> Schema:
    """The key `sweep` of a case."""
    return _object(
        "A part of a sweep: consecutive points of one range. The case is that of its worst point.",
        first=_field("The number of its first point in the whole sweep, counted from 0.", **_COUNT),
        last=_field("The number of its last point.", **_COUNT),
        low=_ref("measure", "The first point; null where several inputs move."),
        high=_ref("measure", "The last point."),
        **_both(),
    )


def whole_sweep_schema() -> Schema:
    """An entry of `sweeps`."""
    return _object(
        "One partial along one range, in one dtype, on one device.",
        expression=_text("The program, in the language."),
        written=_field("What the user wrote, where that was read as `expression`; else null.", type=["string", "null"]),
        dtype=_text("The dtype under test."),
        device=_text("The device under test."),
        fixed=_field("The other inputs.", type="object", additionalProperties=_ref("array")),
        outcome=_ref("came_to", "The worst of the points."),
        status=_ref("status"),
        **_both(),
    )


def _both() -> Schema:
    return {
        "over": _field("The inputs that move, and their ranges as they were written.", type="object", additionalProperties=_TEXT, minProperties=1),
        "variable": _text("The input to differentiate by."),
        "moving": _text("The input that is swept, the first of several."),
        "points": _field("How many points.", **_SOME),
        "total": _field("How many the whole sweep has.", **_SOME),
        "every": _field("Whether they are all numbers of the dtype between the ends.", type="boolean"),
        "outcomes": _field(f"How many points came to each outcome, or are `{NOT_SETTLED}`; they add up to `points`.", type="object",
                           propertyNames={"enum": [*OUTCOMES, NOT_SETTLED]}, additionalProperties=_SOME),
        "within": _field("Points that agree by 4 ulp alone, whatever the formula.", **_COUNT),
        "alone": _field("Points that were checked one by one, those that were tried among them.", **_COUNT),
        "cells": _field("Stretches on which the truth is proved to be one polynomial, or none.", **_COUNT),
        "in_bulk": _field("Points that were held against enclosures in floats.", **_COUNT),
        "samples": _field("How many of these were held against balls as well.", **_COUNT),
        "spans": _array(_span("Points of one outcome.", outcome=_ref("outcome"), whole=_field("Whether all points between its ends have it.", type="boolean")),
                        "Where the points of every outcome but `agree` lie, in order. Where there are too many stretches neighbours are told as one."),
        "worst": _field("The point of each outcome that is furthest off.", type="object", propertyNames={"enum": list(OUTCOMES)},
                        additionalProperties=_worst()),
        "histogram": _array(_binade(), "The points that were judged in bulk, by the binades of the input, in its order."),
        "unsettled": _array(_span("Points that nothing is shown of.", reason=_text("Why.", minLength=1)), "In order; empty where all points are settled."),
        "assumptions": _array(_TEXT, "What is taken for granted and not proved, in sentences."),
    }


def _span(description: str, **more: Schema) -> Schema:
    return _object(
        description,
        low=_ref("measure", "The first point; null where several inputs move."),
        high=_ref("measure", "The last point."),
        first=_field("Its number in the sweep, counted from 0.", **_COUNT),
        last=_field("Its number in the sweep.", **_COUNT),
        points=_field("How many of the points between are meant.", **_SOME),
        **more,
    )


def _worst() -> Schema:
    return _object(
        "A point, checked by itself.",
        at=_field("All inputs.", type="object", additionalProperties=_ref("array")),
        ulps=_either("Its distance from the truth in units in the last place; null where there is no truth.", _ref("number"), {"type": "null"}),
        partial=_ref("partial", "As `check` reports it."),
        reproduce=_text("A shell command that checks it alone."),
    )


def _binade() -> Schema:
    classes = len(ULP_EDGES) + 1
    return _object(
        "One binade of the input.",
        negative=_field("Whether the input is below 0, or -0.0.", type="boolean"),
        exponent=_field("Its size is from 2**exponent on; -1023 stands for all below float64's normal numbers.", type="integer"),
        points=_field("Points by their distance from the truth in ulp; upper ends of the classes are `ulp_edges`, the last class is beyond.", type="array",
                      items=_COUNT, minItems=classes, maxItems=classes),
    )
# fmt: on
