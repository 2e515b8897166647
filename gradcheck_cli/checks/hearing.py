"""Every witness is heard on everything that is asked of a batch."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple, ParamSpec, TypeVar

from gradcheck_cli.judge.evidence import Evidence
from gradcheck_cli.questions.batch import Point
from gradcheck_cli.symbolic.zero_questions import ZeroQuestions
from gradcheck_cli.witnesses import Abstention, first_line
from gradcheck_cli.witnesses.analytic import Analytic
from gradcheck_cli.witnesses.autograd import Autograd
from gradcheck_cli.witnesses.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gradcheck_cli.questions.batch import Batch
    from gradcheck_cli.symbolic.client import Analyst
    from gradcheck_cli.witnesses import Estimates, Testimony, Witness

P = ParamSpec("P")
T = TypeVar("T")
# What is on trial, and what settles it.
_NEEDED = (Reference.name, Autograd.name)


class Heard(NamedTuple):
    """A part of a batch's question, and what each witness says of it.

    Attributes:
        analyst: SymPy at work in its process, if it is.
    """

    batch: Batch
    said: Mapping[str, Estimates | Abstention]
    analyst: Analyst | None = None

    def evidence(self, k: int) -> Evidence:
        """What was said of one point, and that SymPy may be asked of zeros."""
        testimonies = {name: _testimony(estimates, k) for name, estimates in self.said.items()}
        zero_test = None if self.analyst is None else ZeroQuestions(self.analyst)
        return Evidence(Point(self.batch, k), testimonies, zero_test)


class Hearing(NamedTuple):
    """Everything that was asked of a batch: the parts of its question, and the same under a seeded
    cotangent, if that was.
    """

    parts: Sequence[Heard]
    also: Heard | None


def hear(batch: Batch, witnesses: Sequence[Witness], *, alone: bool) -> Hearing:
    """What the witnesses say.

    Args:
        alone: an opinion that fails is absent, and takes no other down; else it raises.
    """
    ask = partial(_ask, witnesses, alone=alone)
    names = [witness.name for witness in witnesses]
    also = None if batch.also is None else ask(batch.also, _NEEDED)
    return Hearing([ask(part, names) for part in batch.parts], also)


def _ask(witnesses: Sequence[Witness], batch: Batch, names: Sequence[str], *, alone: bool) -> Heard:
    # The others would cost as much again, and decide nothing.
    unasked = Abstention("not asked under the random cotangent")
    said: dict[str, Estimates | Abstention] = {}
    for witness in witnesses:
        if witness.name not in names:
            said[witness.name] = unasked
        elif alone:
            said[witness.name] = or_absent(witness.answer, batch)
        else:
            said[witness.name] = witness.answer(batch)
    analyst = next((w.analyst for w in witnesses if isinstance(w, Analytic)), None)
    return Heard(batch, said, analyst)


def or_absent(opinion: Callable[P, T], *args: P.args, **keywords: P.kwargs) -> T | Abstention:
    """An opinion, or in words that it failed."""
    try:
        return opinion(*args, **keywords)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the verdict rests on the others
        kind = type(error).__name__
        return Abstention(
            f"this opinion failed, a defect of this tool: {kind}: {first_line(error)}"
        )


def _testimony(estimates: Estimates | Abstention, k: int) -> Testimony | Abstention:
    if isinstance(estimates, Abstention):
        return estimates
    return or_absent(estimates.testimony, k)
