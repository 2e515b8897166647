"""Records: what is kept of one checked point, as plain data that JSON holds.

A `Record` is one entry of `cases` in the JSON report; `gradcheck schema report` describes it key by
key. What each witness said of a partial stands in the partial under the witness's name, so whoever
walks the opinions of a partial meets a new witness without knowing it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from gradcheck_cli.records.json_text import json_text
from gradcheck_cli.records.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gradcheck_cli.records.numbers import JsonArray, JsonNumber
    from gradcheck_cli.records.sweep_record import SweepRecord

# What one witness said of one partial: its `value` and more, or that it `abstained` and why.
Opinion: TypeAlias = "dict[str, Any]"
# One partial: `variable`, `index`, `output`, `outcome`, `cause`, `reason`, `one_sided`, `failed`,
# and an Opinion under the name of each witness.
PartialRecord: TypeAlias = "dict[str, Any]"
# The witnesses that every partial has an opinion of, in the order of columns.
WITNESSES = ("reference", "analytic", "autograd", "numeric")
# torch's ways to a gradient: its backward, which every partial has an opinion of, and further
# witnesses by the names they are asked for by.
MODES = ("reverse", "forward", "create_graph", "vmap")
# |A - T| up to this many ulp is right whatever the formula: the four roundings that even a single
# call may make.
FREE_ULPS = 4


class SuitePlace(TypedDict):
    """Where a case stands in its suite; line and column count from 1."""

    file: str
    line: int
    column: int


class RoundedInput(TypedDict):
    """A number of the point that the dtype cannot hold: as written, and as used."""

    variable: str
    text: str
    used: JsonNumber


class ForwardValues(TypedDict):
    """The program's value, proved and as torch computes it."""

    reference: JsonArray
    autograd: JsonArray


class AlsoRecord(TypedDict):
    """What came of the same check under a seeded cotangent."""

    cotangent: JsonArray
    outcome: str
    partials: list[PartialRecord]


class LocalRecord(TypedDict):
    """A local partial: the derivative of the step `of` by a name that it is written in, and what
    the name receives of the step's adjoint.
    """

    of: str
    formula: str | None
    latex: str | None
    adjoint: str | None
    value: JsonArray
    elementwise: bool
    contribution: JsonArray
    reason: str | None


class AdjointRecord(TypedDict):
    """The derivative of the result by a name, proved and as torch has it."""

    reference: JsonArray
    autograd: JsonArray


class TraceRecord(TypedDict):
    """A name of the program, an input or a step, in the chain rule."""

    name: str
    value: JsonArray
    step: str | None
    local: list[LocalRecord]
    adjoint: AdjointRecord


class ClaimRecord(TypedDict):
    """What became of a derivative that the user derived."""

    claim: str
    of: str | None
    by: str
    outcome: str
    failed: bool
    status: str
    how: str
    error_probability: float | None
    points: int
    branch: bool
    held: list[str]
    counterexample: dict[str, Any] | None
    explanation: dict[str, Any] | None
    first_wrong: bool
    but_for: list[str]
    deferred: bool
    reason: str


class RemarkRecord(TypedDict):
    """Something that was seen of a function and may matter, and where: `FILE:LINE` or null."""

    kind: str
    what: str
    where: str | None


class VariantRecord(TypedDict):
    """A call that was tried beside the one asked for; `outcome` is null where it does not apply."""

    name: str
    what: str
    outcome: str | None
    failed: bool
    reason: str


class FunctionRecord(TypedDict):
    """What was found out of a person's own function."""

    object: str
    file: str | None
    line: int | None
    held_against: str
    followed: dict[str, bool]
    program: str | None
    backward: str | None
    proved_for_all_inputs: bool
    error_probability: float | None
    branch: bool
    explanation: dict[str, Any] | None
    notes: list[RemarkRecord]
    variants: list[VariantRecord]
    directions: int | None


class SuiteFields(TypedDict):
    """What only a suite says of a case: where it stands, which number its check has in the run,
    what was expected and is not met, and why it was skipped, may fail or has no verdict.
    """

    source: SuitePlace | None
    position: int | None
    expected: list[str] | None
    unmet: list[str]
    reason: str | None


UNSTATED: SuiteFields = {
    "source": None,
    "position": None,
    "expected": None,
    "unmet": [],
    "reason": None,
}


class Record(SuiteFields):
    """One program at one point, in one dtype, on one device."""

    id: str | None
    expression: str
    written: str | None
    dtype: str
    device: str
    at: dict[str, JsonArray]
    cotangent: JsonArray
    order: int
    direction: dict[str, JsonArray] | None
    outcome: str
    value: ForwardValues
    partials: list[PartialRecord]
    also: AlsoRecord | None
    trace: list[TraceRecord] | None
    claims: list[ClaimRecord] | None
    function: FunctionRecord | None
    sweep: SweepRecord | None
    notes: list[str]
    in_bulk: list[str] | None
    rounded: list[RoundedInput]
    reproduce: str
    status: str


def failing_variants(record: Mapping[str, Any]) -> list[VariantRecord]:
    """The calls beside the one asked for that show a function to be wrong."""
    function = record.get("function") or {"variants": ()}
    return [variant for variant in function["variants"] if variant["failed"]]


def went_well(function: FunctionRecord) -> bool:
    """Whether nothing is to be said of a function but what was found right."""
    tried = {variant["outcome"] for variant in function["variants"]}
    is_followed = all(function["followed"].values())
    return is_followed and not function["notes"] and not tried & {None, "wrong"}


def worse_partials(record: Record) -> list[PartialRecord]:
    """The partials under the seeded cotangent that came out worse than under the one asked for."""
    also = record["also"]
    if also is None:
        return []
    pairs = zip(record["partials"], also["partials"], strict=True)
    return [
        new for old, new in pairs if Outcome(new["outcome"]).rank < Outcome(old["outcome"]).rank
    ]


def opinions_of(partial: Mapping[str, Any]) -> Iterator[tuple[str, Opinion]]:
    """(witness, what it said) of one partial, in the order of the record."""
    for name in speakers(partial):
        yield name, opinion_of(partial, name)


def speakers(partial: Mapping[str, Any]) -> Iterator[str]:
    """The witnesses that have an opinion of one partial, in the order of the record."""
    for name, said in partial.items():
        speaks = isinstance(said, dict) and ("value" in said or abstains(said))
        if speaks and name != "one_sided":
            yield name


def opinion_of(partial: Mapping[str, Any], name: str) -> Opinion:
    """What a witness said of one partial: that it abstains, and nothing else then, or all but that.
    Nobody has described what else may stand there in a report of somebody else's.
    """
    said: Opinion = partial[name]
    if "abstained" not in said:
        return said
    if abstains(said):
        return {"abstained": said["abstained"]} if len(said) > 1 else said
    return {key: value for key, value in said.items() if key != "abstained"}


def abstains(said: Opinion) -> bool:
    """Whether an opinion is that there is nothing to say."""
    return isinstance(said.get("abstained"), str)


def witnesses_of(records: Iterable[Record]) -> list[str]:
    """Every witness that has an opinion in some records: those that all have, then the others."""
    names = dict.fromkeys(WITNESSES)
    for record in records:
        for partial in record["partials"]:
            names |= dict.fromkeys(speakers(partial))
    return list(names)


def line_of(record: Mapping[str, object]) -> str:
    """A record, or a part of one, as one line of JSON."""
    return json_text(record) + "\n"
