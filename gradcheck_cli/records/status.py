"""Whether a checked case is as expected, and the exit code that follows: an outcome says what is, a
status whether that is well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gradcheck_cli.checks.record import Record

# Worst first, with the exit code of each.
EXIT_CODES = {"error": 3, "fail": 1, "unverified": 4, "xfail": 0, "skip": 0, "pass": 0}
# What a case comes to that has no verdict, beside the outcomes of those that have one.
NO_VERDICT = ("error", "skipped")

_UNVERIFIED = ("undefined", "detached", "inconclusive")


def status_of(
    record: Record,
    *,
    strict: bool = False,
    outcomes: tuple[str, ...] = (),
    xfail: str | None = None,
) -> str:
    """`pass`, `fail` or `unverified`, or `xfail` for a case that fails as foreseen.

    Args:
        strict: `imprecise` and `kink` fail as well.
        outcomes: what the suite expects; any of them passes. Without one, what is good by itself
            passes.
        xfail: why the case is expected to fail; one that passes all the same fails.
    """
    found = (
        _expected(record, outcomes) if outcomes else by_itself(record["partials"], strict=strict)
    )
    if record["unmet"]:
        found = "fail"
    if xfail is None:
        return found
    return "fail" if found == "pass" else "xfail"


def _expected(record: Record, outcomes: tuple[str, ...]) -> str:
    if record["outcome"] in outcomes:
        return "pass"
    return "unverified" if record["outcome"] == "inconclusive" else "fail"


def by_itself(partials: Iterable[Mapping[str, Any]], *, strict: bool) -> str:
    """`pass`, `fail` or `unverified` by the partials alone; `unverified` when there is none:
    nothing was shown.
    """
    failing = {"wrong", "imprecise", "kink"} if strict else {"wrong"}
    partials = list(partials)
    if any(partial["outcome"] in failing or partial["failed"] for partial in partials):
        return "fail"
    return (
        "unverified"
        if not partials or any(partial["outcome"] in _UNVERIFIED for partial in partials)
        else "pass"
    )


def exit_code(statuses: Iterable[str]) -> int:
    """3, 1, 4 or 0 by the worst status; 5 when there is none."""
    found = set(statuses)
    if not found:
        return 5
    return next(code for status, code in EXIT_CODES.items() if status in found)
