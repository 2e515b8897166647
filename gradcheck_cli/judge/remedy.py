"""The remedy: another way to write a program, in which torch keeps the digits that it loses.

Every remedy is tried before it is told. Rewritings of the program are run by torch at the point, in
its dtype and on its device; the best is then proved to be the same function there, with the same
derivatives.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from math import isfinite, log10, nan
from time import thread_time
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from flint import ctx

from gradcheck_cli.calculus.rewriting import rewritings
from gradcheck_cli.judge.acceptance import Acceptance, Candidate
from gradcheck_cli.judge.digits import Goal, goals_of, right_digits
from gradcheck_cli.judge.verdict import Remedy
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.questions.batch import Batch, Point
from gradcheck_cli.questions.question import Question
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.records.record import FREE_ULPS
from gradcheck_cli.subjects.program import ProgramSubject
from gradcheck_cli.witnesses.autograd import Autograd, Backward, Measured
from gradcheck_cli.witnesses.reference import Proof, Reference
from gradcheck_cli.witnesses.truth import Certified

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gradcheck_cli.calculus.rewriting import Rewriting
    from gradcheck_cli.judge.evidence import Evidence
    from gradcheck_cli.judge.verdict import Verdict
    from gradcheck_cli.language.errors import Span

# A remedy regains at least so many digits: less may be luck at this point.
LEAST_GAIN = 2.0
# A partial whose digits are fewer by no more than this is not worse: that is a factor of 2.
_NOISE = 0.3
# Working precision of the comparisons, as the judge's.
_BITS = 256
# Steps of rewriting; how many programs a step begins from and leads to; proofs that may fail.
_DEPTH, _WIDTH, _MOST, _PROOFS = 3, 10, 40, 4
# Nodes that are written anew for one point, at most: a guess, about half a second. The limits in
# seconds of computing are for what torch or a proof takes, and end nothing that is usual.
_MOST_WORK = 20_000
SEARCH_LIMIT, _PROOF_LIMIT = 3.0, 1.0
# Larger programs are left as they are: what is told of them would not be read.
_MOST_NODES, _MOST_NUMBERS = 400, 200


# A text, and where in it rewriting is to begin.
_Place: TypeAlias = "tuple[str, Span | None]"


class _Trial(NamedTuple):
    """A rewriting, what torch makes of it, and how many digits are right of each partial and of
    each element of the value.
    """

    rewriting: Rewriting
    point: Point
    backward: Backward
    digits: tuple[float, ...]

    @property
    def cost(self) -> tuple[int, int]:
        """The less, the simpler."""
        return _cost(self.rewriting)


def _place(trial: _Trial) -> _Place:
    return trial.rewriting.text, trial.rewriting.place


def _cost(rewriting: Rewriting) -> tuple[int, int]:
    return len(rewriting.program.nodes), len(rewriting.text)


def with_remedies(evidence: Evidence, verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts, with a remedy for each partial that is wrong or imprecise and has one."""
    question = evidence.point.question
    proof, backward = evidence.whole("reference", Proof), evidence.whole("autograd", Backward)
    ailing = [k for k, v in enumerate(verdicts) if v.outcome in (Outcome.WRONG, Outcome.IMPRECISE)]
    if not ailing or not isinstance(question.subject, ProgramSubject):
        return tuple(verdicts)
    if proof is None or backward is None or len(question.specification.nodes) > _MOST_NODES:
        return tuple(verdicts)
    if len(proof.partials) + len(proof.forward) > _MOST_NUMBERS:
        return tuple(verdicts)
    with ctx.workprec(_BITS):
        remedies = _Search(evidence.point, proof, backward, verdicts).remedies(ailing)
    return tuple(
        _with_remedy(verdict, remedies[k]) if k in remedies else verdict
        for k, verdict in enumerate(verdicts)
    )


def _with_remedy(verdict: Verdict, remedy: Remedy) -> Verdict:
    words = remedy.program.replace("\n", "; ")
    gain = f"regains {remedy.digits_regained:.1f} digits"
    return replace(verdict.and_also(f"write `{words}` instead: {gain}"), remedy=remedy)


class _Search:
    """Looks for the remedies of one point."""

    def __init__(
        self, point: Point, proof: Proof, backward: Backward, verdicts: Sequence[Verdict]
    ) -> None:
        self.point, self.proof, self.verdicts = point, proof, verdicts
        self.goals = (*goals_of(point, proof, verdicts), *_values(proof))
        self.before = self._digits(backward)
        self.deadline, self.left = thread_time() + SEARCH_LIMIT, _MOST_WORK
        self._proofs: dict[str, Proof | None] = {}
        self._acceptance = Acceptance(point, backward, _PROOF_LIMIT, self.enough)

    def remedies(self, ailing: Iterable[int]) -> dict[int, Remedy]:
        """For each of some partials the best rewriting that is proved, where there is one."""
        curable = [k for k in ailing if self.goals[k] is not None]
        trials = self._trials(curable) if curable else []
        best = ((k, self._best(k, trials)) for k in curable)
        return {
            k: Remedy(trial.rewriting.text, round(trial.digits[k] - self.before[k], 1))
            for k, trial in best
            if trial is not None
        }

    @cached_property
    def enough(self) -> float:
        """As many digits as are left by the rounding that is always free."""
        return -log10(2 * FREE_ULPS * self.point.dtype.unit_roundoff)

    def _trials(self, ailing: Sequence[int]) -> list[_Trial]:
        """Rewritings that torch was run with, step by step, from the better ones on, until one
        cures all; then those that are simpler than that.
        """
        text = self.point.specification.text
        seen = {text}
        places: list[_Place] = [(text, self._focus(ailing))]
        trials: list[_Trial] = []
        for _ in range(_DEPTH):
            step = list(self._step(places, seen))
            trials += step
            cured = [t for t in step if all(t.digits[k] >= self.enough for k in ailing)]
            if cured:
                best = min(cured, key=lambda t: t.cost)
                return trials + list(self._step([_place(best)], seen, best.cost))
            step.sort(key=lambda t: (-round(self._worth(t, ailing)), t.cost))
            places = [_place(trial) for trial in step[:_WIDTH]]
        return trials

    def _focus(self, ailing: Sequence[int]) -> Span | None:
        """Where the first culprit stands in the text."""
        culprits = (self.verdicts[k].culprit for k in ailing)
        node = next((node for node in culprits if node is not None), None)
        return None if node is None else self.point.specification.spans.get(node)

    def _step(
        self, places: Iterable[_Place], seen: set[str], least: tuple[int, int] | None = None
    ) -> Iterator[_Trial]:
        """What rewriting once leads to; `seen` grows.

        Args:
            least: a cost; only what is simpler is of use.
        """
        size, most = len(self.point.specification.nodes), _MOST
        for text, place in places:
            for rewriting in rewritings(text, place):
                self.left -= size
                if most <= 0 or self.left < 0 or thread_time() > self.deadline:
                    return
                if rewriting is None or rewriting.text in seen:
                    continue
                if least is not None and _cost(rewriting) >= least:
                    continue
                seen.add(rewriting.text)
                trial = self._trial(rewriting)
                if trial is not None:
                    most -= 1
                    yield trial

    def _trial(self, rewriting: Rewriting) -> _Trial | None:
        """What torch makes of a rewriting; None where it does not fit the point."""
        prepared = self.point.prepared
        key = ("rewritten", rewriting.text)
        batch = _batch(self.point, prepared.share(key, lambda: _question(self.point, rewriting)))
        backward = None if batch is None else Autograd().answer(batch).testimony(0)
        if batch is None or not isinstance(backward, Backward):
            return None
        return _Trial(rewriting, Point(batch, 0), backward, self._digits(backward))

    def _digits(self, backward: Backward) -> tuple[float, ...]:
        """Digits that are right of each partial and of the value; where nothing is proved, 1 for
        a number and 0 for none.
        """
        slopes = (a.value if isinstance(a, Measured) else nan for a in backward.partials)
        pairs = zip((*slopes, *backward.forward), self.goals, strict=True)
        dtype = self.point.dtype
        return tuple(
            float(isfinite(answer)) if goal is None else right_digits(answer, goal, dtype)
            for answer, goal in pairs
        )

    def _worth(self, trial: _Trial, partials: Iterable[int]) -> float:
        return sum(min(trial.digits[k], self.enough) for k in partials)

    def _best(self, partial: int, trials: Iterable[_Trial]) -> _Trial | None:
        """The rewriting that regains most of a partial, of equals the simplest; None where none
        regains enough without making another number worse, and is proved.
        """
        everywhere = range(len(self.goals))
        helpful = sorted(
            (trial for trial in trials if self._helps(trial, partial)),
            key=lambda t: (
                -round(min(t.digits[partial], self.enough)),
                -round(self._worth(t, everywhere)),
                t.cost,
            ),
        )
        return next((t for t in helpful[:_PROOFS] if self._is_better(t, partial)), None)

    def _helps(self, trial: _Trial, partial: int) -> bool:
        kept = (
            new >= min(old, self.enough) - _NOISE
            for new, old in zip(trial.digits, self.before, strict=True)
        )
        return trial.digits[partial] >= self.before[partial] + LEAST_GAIN and all(kept)

    def _is_better(self, trial: _Trial, partial: int) -> bool:
        """Whether a rewriting is proved to be the program here, and is accepted."""
        text = trial.rewriting.text
        if text not in self._proofs:
            self._proofs[text] = self._proof(trial)
        proof = self._proofs[text]
        if proof is None:
            return False
        return self._acceptance.accepts(Candidate(trial.point, trial.backward, proof), partial)

    def _proof(self, trial: _Trial) -> Proof | None:
        """What is proved of a rewriting, where it has the value and the derivatives of the
        program.
        """
        proof = Reference(_PROOF_LIMIT).answer(trial.point.batch).testimony(0)
        if not isinstance(proof, Proof) or None in _values(proof):
            return None
        others = goals_of(trial.point, proof, [None] * len(proof.partials))
        pairs = zip(self.goals, (*others, *_values(proof)), strict=True)
        is_same = all(o is None if g is None else g.is_same(o) for g, o in pairs)
        return proof if is_same else None


def _values(proof: Proof) -> tuple[Goal | None, ...]:
    """What is proved of each element of the value."""
    values = (v.truth if isinstance(v, Certified) else None for v in proof.forward)
    return tuple(None if value is None else Goal(value, value) for value in values)


def _question(point: Point, rewriting: Rewriting) -> Question:
    """What is asked of the program, asked of a rewriting."""
    question, program = point.question, rewriting.program
    return Question(ProgramSubject(program), program, question.wrt, question.cotangent)


def _batch(point: Point, question: Question) -> Batch | None:
    """The same point for a rewriting; None where it does not fit, or is too large."""
    if set(question.specification.variables) != set(point.specification.variables):
        return None
    try:
        prepared, _ = question.prepared(point.at, point.dtype)
    except UserError:
        return None
    if prepared.shape is None or prepared.shape != point.prepared.shape:
        return None
    points = {name: np.asarray(array)[None] for name, array in point.at.items()}
    return Batch(question, prepared, points, point.dtype, point.device, ((),), ({},))
