"""A script that shows a finding by torch and mpmath alone: for those at whose library it is."""

from __future__ import annotations

from dataclasses import dataclass
from time import thread_time
from typing import TYPE_CHECKING

from gradcheck_cli import __version__
from gradcheck_cli.checks.script_lines import mpmath_lines, numbers_text, python_name, torch_lines
from gradcheck_cli.language.elements import element as element_of
from gradcheck_cli.language.errors import mistake
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.witnesses.truth import Certified
from gradcheck_cli.worlds.code import Unwritable, float_text
from gradcheck_cli.worlds.decimals import digits_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.checks.result import Result
    from gradcheck_cli.judge.verdict import Verdict
    from gradcheck_cli.language.errors import PointError
    from gradcheck_cli.questions.batch import Point

# Digits of the derivative, and bits that they take; seconds for these bits.
DIGITS = 30
_BITS, _MOST_BITS, _SECONDS = 110, 32_768, 10.0

_SCRIPT = '''\
"""{title}

{program}

{found}

It ends with 1 while torch's answer is further from the derivative than rounding explains, with 0
once it is not, and with 2 if the derivative that is proved and the one computed here are not the
same. Written by gradcheck {version}.
"""

import platform
import sys

import mpmath
import torch
from mpmath import mp, mpf

# The derivative, proved in ball arithmetic.
PROVED = "{proved}"
# The largest error that rounding explains.
ALLOWED = {allowed}
# Digits that are computed with.
mp.dps = {digits}


def gradient():
    """torch's answer."""
{torch}


def value({variable}):
    """The same function in mpmath, of the number that it is differentiated by."""
{mpmath}


def main():
    """Compare them."""
    print(f"torch {{torch.__version__}}, mpmath {{mpmath.__version__}}, "
          f"Python {{platform.python_version()}}, {{platform.platform()}}")
    x = {point}
    true = mp.diff(value, x{step})
    proved = mpf(PROVED)
    print("derivative, proved:   ", PROVED)
    print("derivative, by mpmath:", mp.nstr(true, {shown}))
    if not abs(true - proved) <= {room}:
        print("these are not the same: nothing is said of torch")
        return 2
    answer = gradient()
    print("torch's answer:       ", "none" if answer is None else repr(float(answer)))
    error = mp.inf if answer is None else abs(mpf(float(answer)) - proved)
    if not error <= ALLOWED:
        print(f"wrong: off by {{mp.nstr(error, 3)}}, where rounding explains {{ALLOWED}}")
        return 1
    print("right, as far as rounding allows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
'''

_SAID = {Outcome.AGREE: "is right about", Outcome.IMPRECISE: "loses most digits of"}


@dataclass(frozen=True)
class _Finding:
    """A partial whose derivative is proved."""

    result: Result
    k: int

    @property
    def point(self) -> Point:
        return self.result.evidence.point

    @property
    def verdict(self) -> Verdict:
        return self.result.verdicts[self.k]


def demonstration(results: Sequence[Result]) -> str:
    """The script of the worst finding.

    Raises:
        PointError: nothing is proved that could be shown, or it cannot be written down.
    """
    finding = _worst(results)
    point, key = finding.point, finding.verdict.key
    element = element_of(key.variable, key.index)
    try:
        lines, body = torch_lines(point, element), mpmath_lines(point, element)
    except Unwritable as error:
        raise _refusal(str(error)) from error
    proved, bits = _proved(finding)
    at = point.scalars[element]
    what = f"the derivative by `{element}`"
    answer = finding.result.evidence.of("autograd", finding.k)
    torch_says = getattr(answer, "value", None)
    verdict = finding.verdict
    said = "has no path" if torch_says is None else f"answers {torch_says!r}"
    title = f"torch {_SAID.get(verdict.outcome, 'is wrong about')} {what} of"
    found = f"at {_place(point)} in {point.dtype.name}: torch {said}, and it is\n{proved}."
    allowed = verdict.tolerance
    return _SCRIPT.format(
        title=title,
        program="\n".join(f"    {line}" for line in point.specification.text.split("\n")),
        found=found,
        version=__version__,
        proved=proved,
        allowed=float_text(0.0 if allowed is None else allowed),
        digits=max(60, bits * 2 // 3),
        torch="\n".join(f"    {line}" for line in lines),
        variable=python_name(element),
        mpmath="\n".join(f"    {line}" for line in body),
        point=f"mpf({float_text(at)})",
        step=", h=abs(x) * mpf(2)**(-mp.prec - 10)" if at else "",
        shown=DIGITS,
        room=f"abs(proved) * mpf(10)**-{DIGITS - 2}" if proved != "0" else "mpf(10)**-25",
    )


def _worst(results: Sequence[Result]) -> _Finding:
    """The partial that is shown: the worst of those whose derivative is proved.

    Raises:
        PointError: there is none.
    """
    each = [r for result in results for r in (result, result.also) if r is not None]
    found = [
        _Finding(result, k)
        for result in each
        for k in range(len(result.verdicts))
        if isinstance(result.evidence.of("reference", k), Certified)
    ]
    worst = [verdict for result in each for verdict in result.verdicts]
    if not found:
        outcomes = ", ".join(dict.fromkeys(str(verdict.outcome) for verdict in worst))
        raise _refusal(f"no derivative is proved here ({outcomes or 'nothing was checked'})")
    finding = min(found, key=lambda f: (f.verdict.outcome.rank, -(f.verdict.ulps or 0.0)))
    question = finding.point.question
    if question.order != 1 or question.jacobian:
        raise _refusal("first derivatives of one value are shown, not a Jacobian or second ones")
    bad = [verdict for verdict in worst if verdict.outcome.rank < finding.verdict.outcome.rank]
    if bad and finding.verdict.outcome is Outcome.AGREE:
        raise _refusal(f"where the outcome is {bad[0].outcome} no derivative is proved")
    return finding


def _refusal(why: str) -> PointError:
    return mistake("no-script", f"no script is written: {why}")


def _proved(finding: _Finding) -> tuple[str, int]:
    """The derivative to so many digits, and the bits that they took.

    Raises:
        PointError: there are not so many in the time.
    """
    from gradcheck_cli.worlds import balls

    point = finding.point
    prepared = point.prepared
    node = prepared.gradient.partials[finding.k]
    truth = finding.result.evidence.of("reference", finding.k)
    assert isinstance(truth, Certified)
    ball, bits = truth.ball, truth.bits
    deadline = thread_time() + _SECONDS
    while node is not None and not ball.contains(0) and ball.rel_accuracy_bits() < _BITS:
        bits *= 2
        if bits > _MOST_BITS:
            raise _refusal(f"{DIGITS} digits of the derivative are not found in time")
        try:
            values = prepared.machine.run(point.scalars, bits, point.dtype.round, deadline)
        except balls.OutOfTime as error:
            raise _refusal(f"{DIGITS} digits of the derivative are not found in time") from error
        ball = balls.plain(values[node])
    return digits_of(ball, DIGITS), bits


def _place(point: Point) -> str:
    at = point.at
    names = point.specification.variables
    return ", ".join(f"{name} = {numbers_text(at[name].tolist())}" for name in names)
