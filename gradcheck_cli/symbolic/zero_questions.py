"""Zeros by SymPy's algebra, asked of its process; no more of it is believed than balls allow."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from time import thread_time
from typing import TYPE_CHECKING

from flint import arb, ctx

from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.closed_programs import result_text

if TYPE_CHECKING:
    from fractions import Fraction

    from gradcheck_cli.language.program import Program
    from gradcheck_cli.symbolic.client import Analyst

# Questions about one point, and characters of one.
MOST_ZEROS, LONGEST_ZERO = 8, 4_000
# What SymPy calls zero is looked at with so many bits: 0 must lie within 2**-8192 of its terms.
ZERO_BITS = 16_384
# Seconds of computing for that look.
_LOOK_LIMIT = 3.0


@dataclass
class ZeroQuestions:
    """A `ZeroTest` by SymPy, for one point. SymPy's process is started by the first question, where
    it does not run; after one that it cannot answer in time there are no more.

    Attributes:
        left: how many questions may still be asked.
    """

    analyst: Analyst
    left: int = field(default=MOST_ZEROS)

    def __call__(self, program: Program) -> bool:
        """Whether the first output is 0: SymPy says so, and balls do not say otherwise."""
        text = result_text(program)
        if not self.left or len(text) > LONGEST_ZERO:
            return False
        self.left -= 1
        reply = self.analyst.answer(json.dumps({"zero": text}))
        if "abstained" in reply:
            self.left = 0
        return reply.get("zero") is True and may_be_zero(program)


def may_be_zero(program: Program) -> bool:
    """Whether the first output lies as close to 0 as `ZERO_BITS` bits should show of a zero, beside
    the other outputs, whose sum it is.
    """
    try:
        deadline = thread_time() + _LOOK_LIMIT
        values = balls.Machine(program).run({}, ZERO_BITS, _exactly, deadline)
    except balls.OutOfTime:
        return False
    total, *terms = (balls.plain(values[i]) for i in program.outputs)
    with ctx.workprec(ZERO_BITS):
        sizes = [abs(term).lower() for term in terms] if len(terms) > 1 else []
        room = max(sizes, default=arb(1)) * arb(2) ** -(ZERO_BITS // 2)
        return bool(total.contains(0) and total.abs_upper() < room)


def _exactly(value: Fraction) -> Fraction:
    return value
