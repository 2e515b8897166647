"""The steps of a program apart: what is assigned, under its name, whatever it is equal to."""

from __future__ import annotations

import pytest

from gradcheck_cli.language.named_steps import named_steps, put_together, value_program, without
from gradcheck_cli.language.parse import parse

CHAIN = "z = w0*x0 + w1*x1 + w2; k = exp(-z); h = 1 + k; f = 1/h"
PROGRAMS = [
    CHAIN,
    "x2 = 3*b; y4 = 3*b; x2*y4 + a",
    "x = 2*x; x = x + 1; x**2",
    "n = 3; c = x > 0; y = where(c, x**n, 0); y",
    "f*2", "x", "y = x", "a = x; b = a; b", "1 + 2", "u = x**3; x*2",
    "y = sin(x); z = y; y = z*z; y + y",
    "h = W @ x\ns = softmax(h, dim=0)\nsum(s[0])",
    "a = [x, 2*x]; max(a)",
]  # fmt: skip


def told(text, **how):
    """(name, words) of each step, and the name of the result."""
    steps, result = named_steps(text, **how)
    return [(step.name, step.words) for step in steps], result


@pytest.mark.parametrize(
    ("text", "steps", "result"),
    [
        (CHAIN, [("z", "w0*x0 + w1*x1 + w2"), ("k", "exp(-z)"), ("h", "1 + k"), ("f", "1/h")], "f"),
        # Equal steps are two steps.
        ("x2 = 3*b; y4 = 3*b; x2*y4", [("x2", "3*b"), ("y4", "3*b"), ("f", "x2*y4")], "f"),
        # Words in which a name means something else than it says are written anew.
        ("x = 2*x; x = x+1; x**2", [("x_2", "2*x"), ("x_3", "x_2 + 1"), ("f", "x_3**2")], "f"),
        ("x_2 = x; x = 2*x; x*x_2", [("x_2", "x"), ("x_3", "2*x"), ("f", "x_3 * x_2")], "f"),
        # What rests on no input, and what is true or false, is no step.
        ("n = 3; c = x>0; where(c, x**n, 0)", [("f", "where(c, x**n, 0)")], "f"),
        ("f*2", [("result", "f*2")], "result"),
        ("f = 2*x; f*f", [("f", "2*x"), ("result", "f*f")], "result"),
        ("a = x; a", [("a", "x")], "a"),
        ("x", [("f", "x")], "f"),
    ],
)
def test_steps_are_what_is_assigned(text, steps, result):
    """In the order of the text, as they are written."""
    assert told(text) == (steps, result)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("h = 1 + exp(-z); 1/h", [("v1", "-z"), ("v2", "exp(v1)"), ("h", "1 + v2"), ("f", "1 / h")]),
        ("sin(x)*sin(x)", [("v1", "sin(x)"), ("f", "v1 * v1")]),
        ("a = 3*b; c = 3*b; a*c*v1", [("a", "3 * b"), ("c", "3 * b"), ("v2", "a * c"), ("f", "v2 * v1")]),
        ("where(x > 0, x**2, 0)", [("v1", "x**2"), ("f", "where(x > 0, v1, 0)")]),
    ],
)  # fmt: skip
def test_each_operation_may_be_a_step(text, steps):
    """Those without a name are numbered past the names of the program; equal ones are one."""
    assert told(text, every=True) == (steps, "f")


@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize("text", PROGRAMS)
def test_steps_put_together_are_the_program(text, every):
    """Node for node."""
    chain = named_steps(text, every=every)
    assert put_together(chain, (), text).nodes == parse(text).nodes


def test_a_step_that_is_held_is_an_input():
    """Of the rest, and its own program is of inputs alone; equal steps stay two."""
    chain = named_steps("x2 = 3*b; y4 = 3*b; x2*y4 + b")
    rest = put_together(chain, ["x2"], "")
    assert rest.nodes == parse("x2*(3*b) + b").nodes
    assert value_program(chain, "x2", "").nodes == parse("3*b").nodes
    assert [step.name for step in without(chain, ["x2"]).steps] == ["y4", "f"]
    assert [step.name for step in without(named_steps(CHAIN), ["h"]).steps] == ["f"]
