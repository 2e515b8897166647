"""What float64 says where a dtype is too coarse to tell a right formula from a wrong one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gradcheck_cli.judge.bench import judge
from gradcheck_cli.judge.directions import direction_note
from gradcheck_cli.judge.evidence import Evidence
from gradcheck_cli.judge.in_bulk import plain_partials
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.autograd import Autograd
from gradcheck_cli.witnesses.bulk_proof import BulkProof
from gradcheck_cli.witnesses.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.judge.evidence import Tolerance
    from gradcheck_cli.judge.verdict import Verdict

Verdicts = tuple["Verdict", ...]


def settled_in_float64(
    evidence: Evidence,
    verdicts: Verdicts,
    tolerance: Tolerance | None,
    partials: Sequence[int] | None = None,
) -> tuple[Verdicts, tuple[str, ...]]:
    """The verdicts once float64 has decided what is open, and what is to be told of that.

    Of a large program all partials are judged in float64 as well: the rounding that so many steps
    deserve leaves room for a formula that is wrong by little.

    Args:
        partials: what the verdicts are on; None for all.
    """
    is_coarse = evidence.point.dtype.name != "float64"
    # Code may cast its inputs to a dtype of its own: in float64 that would be another function.
    if not is_coarse or evidence.point.question.subject.is_code:
        return verdicts, _notes(evidence, verdicts)
    proof = evidence.whole("reference", BulkProof)
    undecided = [k for k, verdict in enumerate(verdicts) if verdict.undecided]
    if not undecided and proof is None:
        return verdicts, ()
    finer = evidence.point.in_float64()
    testimonies = {w.name: w.answer(finer.batch).testimony(0) for w in (Reference(), Autograd())}
    said = Evidence(
        finer, {**testimonies, "numeric": Abstention("not asked again")}, evidence.zero_test
    )
    plain: Sequence[bool] = [False] * len(verdicts)
    if said.whole("reference", BulkProof) is not None:
        plain = plain_partials(said, tolerance)
    open_ = undecided if proof is None else [k for k, well in enumerate(plain) if not well]
    asked = open_ if partials is None else [partials[k] for k in open_]
    again = dict(zip(open_, judge(said, tolerance, asked), strict=True)) if asked else {}
    settled = list(verdicts)
    for k, verdict in again.items():
        is_news = verdict.outcome is Outcome.WRONG and settled[k].outcome is not Outcome.WRONG
        if settled[k].undecided or is_news:
            settled[k] = _settle(settled[k], verdict)
    for k in undecided:
        if k not in again:
            settled[k] = settled[k].and_also(f"in float64: {Outcome.AGREE}")
    if proof is None:
        return tuple(settled), ()
    agreeing = sum(plain) + sum(v.outcome is Outcome.AGREE for v in again.values())
    formula = f"in float64, where small errors show, {agreeing:,} of {len(verdicts):,} agree"
    return tuple(settled), (*_notes(evidence, verdicts), formula)


def _settle(verdict: Verdict, finer: Verdict) -> Verdict:
    if finer.outcome is not Outcome.WRONG:
        return verdict.and_also(f"in float64: {finer.outcome}")
    reason = f"{verdict.reason}; in float64 it is wrong beyond rounding: {finer.reason}"
    return replace(
        verdict, outcome=Outcome.WRONG, cause=finer.cause, reason=reason, undecided=False
    )


def _notes(evidence: Evidence, verdicts: Verdicts) -> tuple[str, ...]:
    """How a large program was judged: how many partials by what, and what differences say."""
    proof = evidence.whole("reference", BulkProof)
    if proof is None:
        return ()
    proved = sum(verdict.truth is not None for verdict in verdicts)
    open_ = sum(v.outcome is Outcome.INCONCLUSIVE and v.truth is None for v in verdicts)
    undefined = sum(v.outcome is Outcome.UNDEFINED and v.truth is None for v in verdicts)
    in_bulk = len(verdicts) - proved - open_ - undefined
    how = (
        f"judged in bulk: {in_bulk:,} of {len(verdicts):,} partials by enclosures in float64, "
        "which rest on torch's float64 functions being within 8 ulp"
    )
    parts = [how, *[f"{proved:,} proved in balls"] * bool(proved)]
    parts += [f"{open_:,} not settled"] * bool(open_)
    parts += [f"{undefined:,} of a value that is undefined"] * bool(undefined)
    return ("; ".join(parts), direction_note(evidence.point, proof))
