"""A report as a data frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcheck_cli.records.record import opinions_of, worse_partials
from gradcheck_cli.reports.format import partial_name, variables_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.records.record import PartialRecord, Record

_MEASURES = ("error", "ulps", "tolerance")


def frame_of(records: Sequence[Record]) -> Any:
    """A pandas DataFrame with a row for each partial.

    Raises:
        ImportError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        message = "`frame` needs pandas, which is not installed: pip install pandas"
        raise ImportError(message, name="pandas") from error
    return pd.DataFrame([row for k, record in enumerate(records) for row in _rows(k, record)])


def _rows(case: int, record: Record) -> Iterator[dict[str, Any]]:
    asked = {
        "case": case,
        "expression": record["expression"],
        "dtype": record["dtype"],
        "device": record["device"],
        **{f"at.{name}": value for name, value in record["at"].items()},
    }
    for partial in record["partials"]:
        yield asked | _cells(record, partial) | {"also": False}
    # What is worse under the seeded cotangent counts in the outcome.
    for partial in worse_partials(record):
        yield asked | _cells(record, partial) | {"also": True}


def _cells(record: Record, partial: PartialRecord) -> dict[str, Any]:
    opinions = dict(opinions_of(partial))
    return {
        "partial": partial_name(partial, record),
        "variable": variables_of(partial),
        "index": partial["index"],
        "output": partial["output"],
        "outcome": str(partial["outcome"]),
        "cause": partial["cause"] and str(partial["cause"]),
        # NaN, which no comparison passes, where there is no number.
        **{name: _float(said.get("value")) for name, said in opinions.items()},
        "radius": _float(opinions["numeric"].get("radius")),
        **{name: _float(opinions["autograd"].get(name)) for name in _MEASURES},
        "reason": partial["reason"],
    }


def _float(value: Any) -> float:
    return float("nan" if value is None else value)
