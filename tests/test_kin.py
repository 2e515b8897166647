"""Functions that torch lacks, and that people write: what they mean is what mpmath means."""

from __future__ import annotations

import mpmath
import pytest
from asking import case, reference
from each import each

from gradcheck_cli.language.parse import parse
from gradcheck_cli.witnesses.truth import Undefined

NAMES = (
    "sec", "csc", "cot", "asec", "acsc", "acot", "sech", "csch", "coth", "asech", "acsch", "acoth", "gamma", "cbrt",
)  # fmt: skip
POINTS = ("0.7", "-0.7", "2.3", "-2.3", "-3.6")


def _theirs(name, x):
    if name == "cbrt":
        return mpmath.sign(x) * mpmath.cbrt(abs(x))
    return getattr(mpmath, name)(x)


@each("at", POINTS)
@each("name", NAMES)
def test_value_and_slope_are_those_of_mpmath(name, at):
    """Where mpmath's value is real; elsewhere there is none."""
    found = case(f"{name}(x)", f"x={at}")
    proof = reference(found)
    with mpmath.workdps(60):
        x = mpmath.mpf(float(found.at["x"]))
        value = mpmath.mpmathify(_theirs(name, x))
        if mpmath.im(value):
            assert isinstance(proof.partials[0], Undefined)
            return
        h = mpmath.mpf(10) ** -20
        slope = (_theirs(name, x + h) - _theirs(name, x - h)) / (2 * h)
        for ours, theirs in ((proof.forward[0], value), (proof.partials[0], slope)):
            assert abs(mpmath.mpf(str(ours.ball.mid().str(40, radius=False))) - theirs) < 1e-18


@pytest.mark.parametrize(
    ("alias", "name"),
    [("tg", "tan"), ("ctg", "cot"), ("cosec", "csc"), ("arcsec", "asec"), ("arctg", "atan"), ("arsinh", "asinh"), ("tgamma", "gamma")],
)  # fmt: skip
def test_other_names(alias, name):
    """As books and other libraries write them."""
    assert parse(f"{alias}(x)").nodes == parse(f"{name}(x)").nodes
