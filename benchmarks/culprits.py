"""Whom sentences blame: for every `wrong` or `imprecise` of `culprits.txt`, whether sparing the named
node alone mends the gradient, by a replay in mpmath that shares nothing with the tool's own.

Usage: python benchmarks/culprits.py [--all]

Prints those that do not (`--all`: each), and the shares. A gradient is mended where half of its
digits are right. Where no node alone mends it, that is counted apart.
"""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mpmath
import replayed
from flint import ctx
from verdicts import PANEL

from gradcheck_cli.checks.check import check_batches
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.judge.comparison import Court
from gradcheck_cli.judge.rounding import rounding
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.questions.batching import batches
from gradcheck_cli.questions.numbers import read_points
from gradcheck_cli.questions.points import points_of
from gradcheck_cli.questions.question import question_of
from gradcheck_cli.witnesses.autograd import Measured
from gradcheck_cli.witnesses.truth import Certified

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck_cli.checks.result import Result

DATA = Path(__file__).with_name("culprits.txt")
# Bits at which the judge works.
BITS = 256
# Where no node alone mends, one helps more that takes away this much more of the error.
MORE = 16


def asked() -> Iterator[tuple[str, str]]:
    """(program, point) of every line."""
    for line in DATA.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            text, _, places = line.rpartition(" @ ")
            for at in places.split(" | "):
                yield text, at


def results(text: str, at: str) -> Iterator[Result]:
    """What the tool says in float64 and in float32."""
    given = read_points([at])
    question = question_of(parse(text), given)
    for name in ("float64", "float32"):
        # Some numbers are beyond the range of float32.
        with suppress(UserError):
            yield from check_batches(
                batches(question, points_of(given), [(DTYPES[name], "cpu")]), PANEL
            )


@dataclass
class Trial:
    """One partial that was called wrong or imprecise, and replays of it."""

    result: Result
    k: int

    def __post_init__(self) -> None:
        point, truth = self.result.evidence.point, self.result.evidence.of("reference", self.k)
        answer = self.result.evidence.of("autograd", self.k)
        assert isinstance(truth, Certified)
        assert isinstance(answer, Measured)
        self.program, self.name = point.specification, point.keys[self.k].variable
        self.at = {key: float(value) for key, value in point.at.items()}
        self.dtype = point.dtype
        mantissa, exponent = truth.ball.mid().man_exp()
        self.truth = mpmath.ldexp(mpmath.mpf(int(mantissa)), int(exponent))
        inquiry = Court(self.result.evidence, None).inquiry
        with ctx.workprec(BITS):
            self.culprit = inquiry and inquiry.culprit(self.k, truth.ball, answer.value)
        budget = rounding(point).of_partial(point, self.k, self.dtype)
        self.named = self.culprit.node if self.culprit else budget.culprit

    def error(self, node: int | None) -> Any:
        """The error of a replay that spares a node; infinite for NaN."""
        found = replayed.gradient(self.program, self.at, self.dtype, node)[self.name]
        return abs(found - self.truth) if mpmath.isfinite(found) else mpmath.mpf("inf")

    def is_mended(self, error: Any) -> bool:
        """Whether half of the digits are right, or the answer is as near as 4 ulp."""
        least, digits = self.dtype.least, self.dtype.digits
        exponent = max(mpmath.mag(self.truth) - 1, least) if self.truth else least
        spacing = mpmath.ldexp(1, exponent - digits + 1)
        half = (2 * mpmath.mpf(self.dtype.unit_roundoff)) ** 0.5 * abs(self.truth)
        return bool(error <= max(half, 4 * spacing))

    def fate(self) -> tuple[str, str]:
        """How the sentence fares, and the nodes that mend instead, or help more."""
        words = self.culprit.words if self.culprit else "mostly at"
        names = words in self.result.verdicts[self.k].reason and self.named is not None
        plain = self.error(None)
        if self.is_mended(plain):
            return "replay loses nothing", ""
        errors = {i: self.error(i) for i in replayed.moving(self.program)}
        if names and self.is_mended(errors[self.named]):
            return "mends", ""
        others = [i for i, error in errors.items() if self.is_mended(error)]
        if others:
            return "another mends", self._sources(others)
        if not names:
            return "none alone mends: none is named", ""
        if self.culprit and self.culprit.is_of_range:
            out = replayed.out_of_range(self.program, self.at, self.dtype)
            if self.named in out:
                return "none alone mends: one out of range is named", ""
            return "none alone mends: out of range are others", self._sources(out)
        least = min(plain, errors[self.named]) / MORE
        more = [i for i, error in errors.items() if error < least]
        if more:
            return "none alone mends: others help more", self._sources(more)
        return "none alone mends: none helps much more", ""

    def _sources(self, nodes: list[Any]) -> str:
        return ", ".join("nothing" if i is None else self.program.source(i) for i in nodes)


def main() -> None:
    """Print what fails, and the shares."""
    counts: Counter[str] = Counter()
    programs = set()
    for text, at in asked():
        for result in results(text, at):
            for k, verdict in enumerate(result.verdicts):
                counts[str(verdict.outcome)] += 1
                if verdict.outcome not in ("wrong", "imprecise"):
                    continue
                if not isinstance(result.evidence.of("reference", k), Certified):
                    continue
                programs.add(text)
                fate, other = Trial(result, k).fate()
                counts[fate] += 1
                if fate != "mends" or "--all" in sys.argv:
                    dtype = result.evidence.point.dtype.name
                    print(f"{fate}: {text} at {at} {dtype}, d/d{verdict.key.variable}")
                    print(f"    {verdict.outcome}: {verdict.reason}")
                    if other:
                        print(f"    {other}")
    right, off = counts["mends"], counts["another mends"]
    print(dict(counts), f"{len(programs)} programs")
    print(f"{right} of {right + off} name the node that mends: {right / (right + off):.1%}")


if __name__ == "__main__":
    main()
