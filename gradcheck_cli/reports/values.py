"""The value of a program as text: torch's, and the true one where they differ."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from gradcheck_cli.records.numbers import numbers_of
from gradcheck_cli.reports.digits import ALL_DIGITS
from gradcheck_cli.reports.format import FIRST_NUMBERS, MAX_LINE, shape_of, size_of, torch_number

if TYPE_CHECKING:
    from gradcheck_cli.records.numbers import JsonArray
    from gradcheck_cli.records.record import Record
    from gradcheck_cli.reports.facts import Group


def value_text(record: Record, digits: int = ALL_DIGITS, *, whole: bool = False) -> str:
    """The value of the program: torch's, and the true one where these digits tell them apart; empty
    where there is none.
    """
    torch, true = record["value"]["autograd"], record["value"]["reference"]
    known = [v for v in (torch, true) if v is not None and None not in numbers_of(v)]
    texts = [_numbers_text(value, record["dtype"], digits, whole=whole) for value in known]
    shown = [[float(_number(n, record["dtype"], digits)) for n in numbers_of(v)] for v in known]
    if torch is None or len(texts) < 2 or repr(shown[0]) == repr(shown[1]):
        return texts[0] if texts else ""
    return f"{texts[0]} (true: {texts[1]})"


def has_values(group: Group) -> bool:
    """Whether the values of the cases are numbers that differ."""
    values = [record["value"]["autograd"] for record in group.records]
    numbers = {str(value) for value in values if not isinstance(value, list)}
    return len(numbers) > 1


def _numbers_text(
    value: JsonArray, dtype: str, digits: int = ALL_DIGITS, *, whole: bool = False
) -> str:
    """torch's numbers as nested lists; more than a line as the first of them and their shape."""
    if not whole and size_of(value) > 1:
        text = _numbers_text(value, dtype, digits, whole=True) if size_of(value) <= MAX_LINE else ""
        if text and len(text) <= MAX_LINE:
            return text
        first = (_number(n, dtype, digits) for n in islice(numbers_of(value), FIRST_NUMBERS))
        return f"{', '.join(first)}, … ({size_of(value):,} numbers, shape {shape_of(value)})"
    if isinstance(value, list):
        return f"[{', '.join(_numbers_text(part, dtype, digits, whole=True) for part in value)}]"
    return _number(value, dtype, digits)


def _number(value: JsonArray, dtype: str, digits: int) -> str:
    assert isinstance(value, float | int | str)
    return torch_number(float(value), dtype, digits)
