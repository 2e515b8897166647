"""Law: SymPy's derivative, claimed in its own words, is proved; with a factor beside 1 it is refuted."""

from __future__ import annotations

import pytest
from asking import analytic, case
from programs import smooth

from gradcheck_cli.claims.trial import verdicts_of
from gradcheck_cli.witnesses.analytic import Formula

POINTS = smooth(60, "claims")


def formulas(point, analyst):
    """What SymPy finds, by the names of inputs."""
    answers = analytic(point, analyst)
    names = [key.variable for key in point.keys]
    return {n: a.text for n, a in zip(names, answers, strict=True) if isinstance(a, Formula)}


@pytest.mark.parametrize("asked", POINTS, ids=lambda asked: asked.text[:60])
def test_sympys_derivative_is_proved_and_a_lie_is_not(asked, analyst):
    """By every input of 60 random programs; a factor of 1 + 1e-12 is seen."""
    point = case(asked.text, asked.at)
    found = formulas(point, analyst)
    assert found
    for name, formula in found.items():
        (verdict,) = verdicts_of(point, f"{name} = {formula}")
        assert verdict.status == "proved"
        (lied,) = verdicts_of(point, f"{name} = ({formula})*(1 + 1e-12) + 1e-9")
        assert lied.status == "refuted"
