"""Blocks of derivatives: what a witness said of all partials by an input, in the input's shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from gradcheck_cli.language.errors import did_you_mean, mistake
from gradcheck_cli.records.record import opinion_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradcheck_cli.records.record import PartialRecord, Record

# A number for a scalar, nested lists for a tensor; None where there is no number.
NestedFloats: TypeAlias = "float | list[NestedFloats] | None"


def block_of(record: Record, name: str, second: str | None, witness: str) -> NestedFloats:
    """The derivatives by an input, as nested lists: of a Jacobian in the shape of the value, then
    of the input; second ones in the shape of the input, then of `second`, itself if None.

    Raises:
        PointError: the case has no such derivatives.
    """
    is_pair = record["order"] == 2 and record["direction"] is None
    wanted: Any = [name, name if second is None else second] if is_pair else name
    partials = [partial for partial in record["partials"] if partial["variable"] == wanted]
    if not partials or (second is not None and not is_pair):
        _refuse(record, name, second, is_pair=is_pair)
    values = {_place(partial): _number(partial, witness) for partial in partials}
    return _nested(values, [1 + max(axis) for axis in zip(*values, strict=True)])


def _refuse(record: Record, name: str, second: str | None, *, is_pair: bool) -> None:
    for word in filter(None, (name, second)):
        if word not in record["at"]:
            message = f"`{word}` is not an input of the program"
            raise mistake("unknown-input", message, help=did_you_mean(word, record["at"]))
    if second is not None and not is_pair:
        message = f"there is no derivative by `{name}` and `{second}`"
        raise mistake("not-differentiated", message, help="`order=2` asks for all pairs of inputs")
    missing = name if second is None else f"{name}` and `{second}"
    message = f"there is no derivative by `{missing}`"
    raise mistake("not-differentiated", message, help="`wrt` says what is differentiated")


def _place(partial: PartialRecord) -> tuple[int, ...]:
    """Where a partial stands in its block."""
    index, output = partial["index"], partial["output"] or ()
    if isinstance(partial["variable"], list):
        index = [k for part in index for k in part]
    return (*output, *index)


def _number(partial: PartialRecord, witness: str) -> float | None:
    value = opinion_of(partial, witness).get("value")
    return None if value is None else float(value)


def _nested(
    values: Mapping[tuple[int, ...], float | None],
    shape: Sequence[int],
    place: tuple[int, ...] = (),
) -> NestedFloats:
    if not shape:
        return values[place]
    return [_nested(values, shape[1:], (*place, k)) for k in range(shape[0])]
