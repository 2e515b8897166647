"""What is kept of a sweep: points by outcome, where they lie, and the worst of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

if TYPE_CHECKING:
    from gradcheck_cli.records.numbers import JsonNumber

# What stands beside the outcomes for points that nothing is shown of.
NOT_SETTLED = "not settled"
# Upper ends of the histogram's classes, in ulps; one class more holds what is further off.
ULP_EDGES = (0.5, *(2.0**k for k in range(25)))


class SweptSpan(TypedDict):
    """A stretch of inputs, both ends included, `points` of which have one outcome; all of them, if
    it is `whole`. `first` and `last` count the points of the sweep from 0.
    """

    outcome: str
    low: JsonNumber | None
    high: JsonNumber | None
    first: int
    last: int
    points: int
    whole: bool


class SweptPoint(TypedDict):
    """The point of an outcome that is furthest off, as it was checked by itself; `partial` is a
    PartialRecord."""

    at: dict[str, JsonNumber]
    ulps: JsonNumber | None
    partial: dict[str, Any]
    reproduce: str


class Binade(TypedDict):
    """The points of a binade of the input by how many ulps torch is off, in the classes of
    `ULP_EDGES`; the exponent of what is below float64's normal numbers is -1023.
    """

    negative: bool
    exponent: int
    points: list[int]


class UnsettledSpan(TypedDict):
    """Points that nothing is shown of, and why."""

    low: JsonNumber | None
    high: JsonNumber | None
    first: int
    last: int
    points: int
    reason: str


class SweepRecord(TypedDict):
    """One partial along one range of points, or along a part of it.

    `first` and `last` count the points of the whole sweep from 0, `total` is how many it has.
    `within` are the points that agree by 4 ulp alone, `alone` those that were checked one by one,
    `cells` the pieces of the proved truth, `in_bulk` how many points were held against
    enclosures, `samples` how many of these against balls as well.
    """

    over: dict[str, str]
    variable: str
    moving: str
    first: int
    last: int
    total: int
    low: JsonNumber | None
    high: JsonNumber | None
    points: int
    every: bool
    outcomes: dict[str, int]
    within: int
    alone: int
    cells: int
    in_bulk: int
    samples: int
    spans: list[SweptSpan]
    worst: dict[str, SweptPoint]
    histogram: list[Binade]
    unsettled: list[UnsettledSpan]
    assumptions: list[str]


Spanned: TypeAlias = "SweptSpan | UnsettledSpan"
