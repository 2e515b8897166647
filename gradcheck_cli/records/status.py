"""Whether a checked case is as expected, and the exit code that follows: an outcome says what is, a
status whether that is well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcheck_cli.records.outcome import NOTHING_SELECTED, Outcome, Status
from gradcheck_cli.records.record import failing_variants

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def status_of(
    record: Mapping[str, Any],
    *,
    strict: bool = False,
    outcomes: tuple[str, ...] = (),
    xfail: str | None = None,
) -> Status:
    """`pass`, `fail` or `unverified`, or `xfail` for a case that fails as foreseen.

    Args:
        strict: `imprecise` and `kink` fail as well.
        outcomes: what the suite expects; any of them passes. Without one, what is good by itself
            passes.
        xfail: why the case is expected to fail; one that passes all the same fails.
    """
    status = (
        _as_expected(record, outcomes)
        if outcomes
        else status_by_itself(_all_partials(record), strict=strict)
    )
    if record["unmet"]:
        status = Status.FAIL
    if xfail is None:
        return status
    return Status.FAIL if status is Status.PASS else Status.XFAIL


def _all_partials(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Those under the seeded cotangent count as well, what is claimed of them, and variants."""
    also = (record.get("also") or {}).get("partials", ())
    claims = record.get("claims") or ()
    return [*record["partials"], *also, *claims, *failing_variants(record)]


def _as_expected(record: Mapping[str, Any], outcomes: tuple[str, ...]) -> Status:
    if record["outcome"] in outcomes:
        return Status.PASS
    return Status.UNVERIFIED if record["outcome"] == Outcome.INCONCLUSIVE else Status.FAIL


def status_by_itself(partials: Iterable[Mapping[str, Any]], *, strict: bool) -> Status:
    """The worst status of the partials alone; `unverified` when there is none: nothing is shown."""
    # Of very many partials few kinds are made.
    kinds = {(partial["failed"], partial["outcome"]) for partial in partials}
    statuses = [
        Status.FAIL if failed else Outcome(outcome).status_when(strict=strict)
        for failed, outcome in kinds
    ]
    return next((status for status in Status if status in statuses), Status.UNVERIFIED)


def exit_code_of(statuses: Iterable[str]) -> int:
    """The exit code of the worst status; that of an empty selection when there is none."""
    known = set(statuses)
    return next((status.exit_code for status in Status if status in known), NOTHING_SELECTED)
