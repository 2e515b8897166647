"""The chain rule at a point as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.records.numbers import json_number
from gradcheck_cli.witnesses.truth import is_certified
from gradcheck_cli.worlds import balls

if TYPE_CHECKING:
    from gradcheck_cli.records.numbers import JsonArray
    from gradcheck_cli.records.record import LocalRecord, TraceRecord
    from gradcheck_cli.witnesses.chain import LocalPartial, TracedName
    from gradcheck_cli.witnesses.unrolled_steps import Numbers


def trace_record(names: tuple[TracedName, ...] | None) -> list[TraceRecord] | None:
    """Every name of the program, in the order of the backward pass."""
    return None if names is None else [_name(each) for each in names]


def _name(traced: TracedName) -> TraceRecord:
    shape = traced.value.shape
    adjoint = traced.adjoint
    torch = None if traced.torch is None else _nested(list(map(json_number, traced.torch)), shape)
    return {
        "name": traced.name,
        "value": _array(traced.value),
        "step": traced.words,
        "local": [_local(each) for each in traced.local],
        "adjoint": {
            "reference": None if adjoint is None else _array(adjoint),
            "autograd": torch,
        },
    }


def _local(partial: LocalPartial) -> LocalRecord:
    value = partial.value
    return {
        "of": partial.of,
        "formula": partial.formula.text or None,
        "latex": partial.formula.latex or None,
        "adjoint": partial.formula.adjoint or None,
        "value": None if value is None else _array(value),
        "elementwise": partial.elementwise,
        "contribution": _array(partial.contribution),
        "reason": (value or partial.contribution).reason or None,
    }


def _array(numbers: Numbers) -> JsonArray:
    """Numbers in their shape, null for what has no certain value."""
    flat = [
        json_number(balls.nearest_float(ball)) if is_certified(ball) else None
        for ball in numbers.balls
    ]
    return _nested(flat, numbers.shape)


def _nested(flat: list[Any], shape: tuple[int, ...]) -> JsonArray:
    array = np.empty(len(flat), dtype=object)
    array[:] = flat
    nested: JsonArray = array.reshape(shape).tolist() if shape else flat[0]
    return nested
