"""Law: whatever carries a comparison to the result, a slope is certified only where both sides have
it; a jump is undefined, a kink a kink, and what is smooth is proved smooth.

Programs are made at random: comparisons stand as factors, terms and arguments, in `where`, `if` and
each other, joined by `and`, `or` and `not`, at the point, elsewhere, and between constants.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import mpmath
import pytest
from asking import case, reference

from gradcheck_cli.judge.sides import boundary_at
from gradcheck_cli.records.outcome import Cause
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses import reference as witness
from gradcheck_cli.witnesses.truth import Certified

from .boundaries import Beside, Programs, beside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck_cli.judge.sides import Boundary

SEEDS, BLOCK = 360, 40


def drawn(seed: int) -> tuple[str, dict[str, str]]:
    """A program of one input or of two, and a point on its boundaries."""
    programs = Programs(str(seed), ("x", "y") if seed % 3 == 0 else ("x",))
    text = programs.text()
    return text, {name: at for name, at in programs.at.items() if re.search(rf"\b{name}\b", text)}


def is_near(ball: Any, number: Any) -> bool:
    """Whether a ball holds a number of 200 bits, and is narrow."""
    with mpmath.workprec(400):
        middle = mpmath.mpf(ball.mid().str(110, radius=False))
        room = mpmath.mpf(float(ball.rad())) + 1e-50 * (1 + abs(number))
        return bool(abs(middle - number) <= room and ball.rad() < 1e-20)


def is_right(truth: Beside, answer: Any, boundary: Boundary) -> bool:
    """Whether what is proved of one partial is true, and all that is true is proved."""
    if isinstance(answer, Certified):
        return truth.kind == "smooth" and is_near(answer.ball, truth.left)
    if truth.kind == "smooth":
        return boundary.kind == "smooth" and is_near(boundary.slope, truth.left)
    if truth.kind == "kink":
        ends = sorted((truth.left, truth.right))
        found = (boundary.low, boundary.high)
        return boundary.kind == "kink" and all(map(is_near, found, ends))
    cause = Cause.JUMP if truth.kind == "jump" else Cause.VERTICAL_TANGENT
    return (boundary.kind, boundary.cause) == ("undefined", cause)


def faults(seeds: range) -> Iterator[str]:
    """All that is wrong with what is said of some programs."""
    for seed in seeds:
        text, at = drawn(seed)
        point = case(text, ",".join(f"{name}={number}" for name, number in at.items()))
        proof = reference(point)
        for k, key in enumerate(point.keys):
            truth = beside(text, at, key.variable)
            answer = proof.partials[k]
            boundary = boundary_at(point, k, Abstention("not asked"))
            if truth is not None and not is_right(truth, answer, boundary):
                found = f"{type(answer).__name__}, {boundary.kind}: {boundary.words}"
                yield f"gradcheck {text!r} --at {at}: d/d{key.variable}: {truth}; {found}"


@pytest.mark.parametrize("start", range(0, SEEDS, BLOCK))
def test_a_comparison_is_a_boundary_wherever_it_stands(start):
    """One-sided truth by evaluation beside the point."""
    assert list(faults(range(start, start + BLOCK))) == []


def test_the_programs_have_all_kinds():
    """Jumps, kinks and slopes; along one input and along two."""
    kinds: dict[str, int] = {}
    for seed in range(3 * BLOCK):
        text, at = drawn(seed)
        for name in at:
            found = beside(text, at, name)
            kinds[found.kind if found else ""] = kinds.get(found.kind if found else "", 0) + 1
    assert min(kinds.get(kind, 0) for kind in ("jump", "kink", "smooth")) >= 10


def deaf(places: Any) -> Any:
    """The reference without the boundaries of some functions."""
    honest = witness.touching_kinks

    def touching(program: Any, values: list[Any]) -> list[Any]:
        nodes = program.program.nodes
        return [k for k in honest(program, values) if nodes[k.node].function not in places]

    return touching


@pytest.mark.parametrize("lie", [("where",), ("where", "gate", "maximum", "abs", "sign")])
def test_a_boundary_that_is_overlooked_is_caught(lie, monkeypatch):
    """The reference takes the partials for the slope where a comparison changes."""
    monkeypatch.setattr(witness, "touching_kinks", deaf(lie))
    assert any("Certified" in fault for fault in faults(range(BLOCK)))


@pytest.mark.parametrize(
    ("text", "kind", "left", "right"),
    [
        ("x + where(x > 0, 1, 0)", "jump", None, None),
        ("(x > 0)*x", "kink", 0, 1),
        ("where(x > 0, 1, -1)*x", "kink", -1, 1),
        ("x*(x != 0)", "smooth", 1, 1),
        ("where(x != 0 and x < 1, x*x, 0)", "smooth", 0, 0),
    ],
)
def test_the_truth_is_what_hands_find(text, kind, left, right):
    """Evaluation beside the point, at programs that are plain."""
    found = beside(text, {"x": "0"}, "x")
    assert found.kind == kind
    if left is not None:
        assert abs(found.left - left) < 1e-50
        assert abs(found.right - right) < 1e-50
