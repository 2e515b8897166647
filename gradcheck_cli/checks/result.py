"""A Result: a checked point with all that was found out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck_cli.records.outcome import Outcome, worst_outcome
from gradcheck_cli.records.record import failing_variants

if TYPE_CHECKING:
    from gradcheck_cli.claims.verdict import ClaimVerdict
    from gradcheck_cli.judge.evidence import Evidence
    from gradcheck_cli.judge.verdict import Verdict
    from gradcheck_cli.records.record import FunctionRecord
    from gradcheck_cli.witnesses.chain import TracedName


@dataclass(frozen=True)
class Result:
    """One point with its evidence and a verdict for each partial.

    Attributes:
        notes: what is true of the whole case: numbers that were rounded, a forward value that is
            off.
        also: the same question under a seeded cotangent, where it was asked.
        trace: the chain rule step by step, where it was asked.
        claims: what became of derivatives that the user derived.
        in_bulk: how a large program was judged.
        function: what was found out of a person's own function.
    """

    evidence: Evidence
    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...] = ()
    id: str | None = None
    also: Result | None = None
    trace: tuple[TracedName, ...] | None = None
    claims: tuple[ClaimVerdict, ...] = ()
    in_bulk: tuple[str, ...] = ()
    function: FunctionRecord | None = None

    @property
    def outcome(self) -> Outcome:
        """The worst of the partials, those under the seeded cotangent among them, of what is
        claimed of them, and of variants that count.
        """
        also = () if self.also is None else self.also.verdicts
        judged = [verdict.outcome for verdict in (*self.verdicts, *also)]
        failing = failing_variants({"function": self.function})
        judged += [Outcome(variant["outcome"] or Outcome.ERROR) for variant in failing]
        return worst_outcome([*judged, *(verdict.outcome for verdict in self.claims)])
