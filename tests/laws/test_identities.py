"""The two forms of an identity are one function, with the same derivatives, wherever both have
values.
"""

from __future__ import annotations

from itertools import islice
from random import Random

import pytest
from asking import case, reference
from each import each

from gradcheck_cli.calculus.formulas import is_elementwise
from gradcheck_cli.calculus.rewriting import recognised, rewritings
from gradcheck_cli.functions.identities import IDENTITIES, SPELLINGS
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Call
from gradcheck_cli.witnesses.reference import Proof
from gradcheck_cli.witnesses.truth import Certified

RULES = [*IDENTITIES, *SPELLINGS, *recognised()]
# Ranges that hold points of every form: around 0, probabilities, beyond 1 on either side.
RANGES = [(-0.9, 0.9), (0.05, 0.95), (1.1, 4), (-4, -1.1), (-3, 3)]
# As many points of each form must be of use.
WANTED = 12


def is_of_arrays(text):
    """Whether a form is about whole arrays."""
    calls = (node for node in parse(text).nodes if isinstance(node, Call))
    return not all(is_elementwise(node.function, node.settings) for node in calls)


def sampled(form, count=160):
    """Points for the names of a form, in short decimals, ranges mixed."""
    random = Random(form)  # noqa: S311 - the same points every time
    names = parse(form).variables
    shape = 3 if is_of_arrays(form) and "[a, b" not in form else 0
    for k in range(count):
        low, high = RANGES[k % len(RANGES)] if k < count // 2 else (0, 0)
        at = {}
        for name in names:
            bounds = (low, high) if high > low else random.choice(RANGES)
            numbers = [f"{random.uniform(*bounds):.3g}" for _ in range(shape or 1)]
            at[name] = f"[{', '.join(numbers)}]" if shape else numbers[0]
        yield ",".join(f"{name}={value}" for name, value in at.items())


def proved(text, at, names):
    """Every number that is proved of a program at a point, None for the others; nothing where its
    value is not.
    """
    try:
        proof = reference(case(text, at, wrt=names))
    except UserError:
        return None
    if not isinstance(proof, Proof) or not all(isinstance(v, Certified) for v in proof.forward):
        return None
    return [a.ball if isinstance(a, Certified) else None for a in (*proof.forward, *proof.partials)]


def compared(form, instead):
    """For each point of use whether all numbers agree that are proved of both forms."""
    names = parse(form).variables
    whole = with_all(instead, names)
    for at in sampled(form):
        one, other = proved(form, at, names), proved(whole, at, names)
        if one and other:
            pairs = [
                (a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None
            ]
            if len(pairs) == len(one):
                yield all(a.overlaps(b) for a, b in pairs)


def with_all(text, names):
    """A text with all names in it: one that has dropped out is taken times 0."""
    missing = [name for name in names if name not in parse(text).variables]
    return text + "".join(f" + 0*sum({name})" for name in missing)


def are_one(form, instead):
    """Whether the forms are one function at the first points of use."""
    seen = list(islice(compared(form, instead), WANTED))
    assert len(seen) == WANTED, f"only {len(seen)} points are of use"
    return all(seen)


@each("form, instead", RULES, ids=" = ".join)
def test_both_forms_are_one_function(form, instead):
    """Values and derivatives overlap in balls, to at least 70 bits."""
    assert are_one(form, instead)


@pytest.mark.parametrize(
    ("form", "instead"),
    [
        ("log(1 + a)", "log1p(a)*(1 + 1e-15)"), ("sqrt(a**2)", "a"), ("atan(a) - atan(b)", "atan((a - b)/(1 + a*b))"), ("a**2 - b**2", "(a - b)**2"),
        ("log(sum(exp(a)))", "logsumexp(a) + 1e-18"), ("mean(a**2) - mean(a)**2", "var(a)"), ("1 - cos(a)", "sin(a/2)**2"), ("log(a[0])", "log(a)[1]"),
    ],
)  # fmt: skip
def test_a_lie_among_the_identities_is_caught(form, instead):
    """A factor, a sign, a branch, a constant, an index."""
    assert not are_one(form, instead)


@each("form, instead", IDENTITIES, ids=" = ".join)
def test_an_identity_is_found_in_a_program(form, instead):
    """Each rule matches its own form, in the user's spelling as in any other."""
    texts = [r.program.nodes for r in rewritings(form, None) if r is not None]
    assert parse(instead).nodes in texts or len(parse(form).variables) == 0
