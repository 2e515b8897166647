"""What a suite expects: met where the proved reference says so, and told with both numbers where it
does not.
"""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
from asking import changed, check_case, points
from test_suite_file import read

from gradcheck_cli.witnesses import Abstention


def checked(analyst, expr, at, expect, rest=""):
    """(Expected, Result) of the only point of a case."""
    (case,) = read(
        f"version: 1\ncases:\n  - expr: {expr}\n    at: {at}\n    expect: {expect}\n{rest}"
    ).cases
    case = pickle.loads(pickle.dumps(case))  # noqa: S301 - our own: cases go to other processes
    (point,) = case.points
    ((dtype, device),) = case.runs
    (asked,) = points(
        case.program,
        point,
        wrt=case.wrt,
        cotangent=case.cotangent,
        dtypes=[dtype],
        devices=[device],
    )
    return case.expected, check_case(asked, analyst, case.tolerance)


def unmet(analyst, *case):
    """What is not as expected."""
    expected, result = checked(analyst, *case)
    return expected.unmet(result)


MET = [
    ("x**2", "{x: 3}", "{value: 9, partials: {x: 6}}"),
    ("x**2", "{x: 3}", "{outcome: wrong, value: 9}"),  # the outcome is compared by whoever has the outcome
    ("sin(x)", "{x: pi/4}", "{value: sqrt(2)/2, partials: {x: 0.70710678118654752}}"),
    ("sin(x)", "{x: pi/4}", "{partials: {x: {interval: [0.707, 0.708]}}}"),
    ("x**2", "{x: 3}", "{value: {interval: [9, 9]}, partials: {x: {interval: [-inf, 6]}}}"),
    ("W @ x", "{W: {tensor: [[1, 2], [3, 4]]}, x: [[1, 2]]}", '{value: [5, 11], partials: {W: [[1, 2], [1, 2]], "W[0,1]": 2, x: [4, {interval: [5, 7]}]}}'),
    ("sum(x)", "{x: {tensor: [1, 2, 3]}}", "{partials: {x: 1}}"),
    ("sum(x)", "{x: {tensor: [1, 2, 3]}}", "{value: 6, partials: {x: {interval: [1, inf]}}}"),
    ("relu(x) - relu(-x)", "{x: 0}", "{value: 0, partials: {x: 1}}"),  # proved from the two sides of a boundary
    ("relu(x)", "{x: 0}", "{value: 0}"),
    ("x*0", "{x: 3}", "{value: 0, partials: {x: 0}}"),
    ("x**2", "{x: 3}", "{partials: {x: 6.000000000000003}}"),  # 3.4 ulp
]  # fmt: skip


@pytest.mark.parametrize("case", MET, ids=lambda case: f"{case[0]} {case[2]}")
def test_what_is_true_is_met(case, analyst):
    """Numbers, intervals and tensors, of values and of partials."""
    assert unmet(analyst, *case) == []


UNMET = [
    ("x**2", "{x: 3}", "{value: 9.5, partials: {x: 7}}", [
        "the value is 9, expected is 9.5: off by 0.5, and 7.1e-15 is allowed",
        "∂f/∂x is 6, expected is 7: off by 1, and 3.6e-15 is allowed",
    ]),
    ("x**2", "{x: 3}", "{partials: {x: 6.000000000000004}}", ["∂f/∂x is 6, expected is 6.000000000000004: off by 4e-15, and 3.6e-15 is allowed"]),
    ("sin(x)", "{x: pi/4}", "{value: 0.7071}", ["the value is 0.70710678, expected is 0.7071: off by 6.8e-06, and 4.4e-16 is allowed"]),
    ("x**2", "{x: 3}", "{value: {interval: [0, 8]}, partials: {x: {interval: [7, inf]}}}", [
        "the value is 9, expected is a number from 0 to 8",
        "∂f/∂x is 6, expected is a number from 7 to inf",
    ]),
    ("W @ x", "{W: {tensor: [[1, 2], [3, 4]]}, x: [[1, 2]]}", "{value: [5, 12], partials: {W: 1, 'x[0]': 3}}", [
        "the value at [1] is 11, expected is 12: off by 1, and 7.1e-15 is allowed",
        "∂f/∂W[0,1] is 2, expected is 1: off by 1, and 1.8e-15 is allowed",
        "∂f/∂W[1,1] is 2, expected is 1: off by 1, and 1.8e-15 is allowed",
        "∂f/∂x[0] is 4, expected is 3: off by 1, and 3.6e-15 is allowed",
    ]),
    ("x*0", "{x: 3}", "{partials: {x: 1e-300}}", ["∂f/∂x is 0, expected is 1e-300: off by 1.0e-300, and 2.0e-323 is allowed"]),
    ("relu(x)", "{x: 0}", "{outcome: kink, partials: {x: {interval: [0, 1]}}}", [
        "∂f/∂x cannot be confirmed to be a number from 0 to 1: there is no proved derivative at the boundary of `maximum`",
    ]),
    ("log(x)", "{x: -1}", "{value: 0, partials: {x: -1}}", [
        "the value cannot be confirmed to be 0: `log(x)` has no finite value: log(-1.00000)",
        "∂f/∂x cannot be confirmed to be -1: `log(x)` has no finite value: log(-1.00000)",
    ]),
    ("sin(x)**2 + cos(x)**2", "{x: 1}", "{value: {interval: [0, 1]}}", ["the value cannot be confirmed to be a number from 0 to 1: it cannot be told from 1"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("expr", "at", "expect", "sentences"),
    UNMET,
    ids=lambda item: item[:30] if isinstance(item, str) else "",
)
def test_what_is_false_is_told(expr, at, expect, sentences, analyst):
    """A sentence for each number, whole; where nothing is proved nothing is confirmed."""
    assert unmet(analyst, expr, at, expect) == sentences


def test_torch_is_not_asked(analyst):
    """The truth is the reference: torch's wrong answer neither meets an expectation nor fails it."""
    expected, result = checked(analyst, "x*detach(x)", "{x: 3}", "{partials: {x: 6}}")
    assert result.outcome == "wrong"
    assert expected.unmet(result) == []
    expected, result = checked(analyst, "x*detach(x)", "{x: 3}", "{partials: {x: 3}}")
    assert expected.unmet(result) == ["∂f/∂x is 6, expected is 3: off by 3, and 3.6e-15 is allowed"]


def test_the_room_is_that_of_the_dtype_or_the_tolerance(analyst):
    """4 ulp at the truth: 4 * 2**-21 at 6 in float32; with `tol` what it allows."""
    case = ("x**2", "{x: 3}", "{partials: {x: 6.00001}}")
    assert len(unmet(analyst, *case)) == 1
    assert (
        unmet(analyst, "x**2", "{x: 3}", "{partials: {x: 6.000001}}", "    dtype: float32\n") == []
    )
    assert unmet(analyst, *case, "    dtype: float32\n") == [
        "∂f/∂x is 6, expected is 6.00001: off by 1e-05, and 1.9e-06 is allowed"
    ]
    assert unmet(analyst, *case, "    tol: 1e-5\n") == []
    assert unmet(analyst, *case, "    tol: {atol: 1e-5}\n") == []
    assert unmet(analyst, *case, "    tol: {atol: 0.9e-5}\n") == [
        "∂f/∂x is 6, expected is 6.00001: off by 1e-05, and 9e-06 is allowed"
    ]


def test_nothing_is_confirmed_without_a_reference(analyst):
    """Whatever the reason for which there is none."""
    expected, result = checked(analyst, "x**2", "{x: 3}", "{value: 9, partials: {x: 6}}")
    silent = replace(result, evidence=changed(result.evidence, reference=Abstention("no time")))
    assert expected.unmet(silent) == [
        "the value cannot be confirmed: no time",
        "∂f/∂x cannot be confirmed to be 6: no time",
    ]


def test_a_value_of_another_shape_is_told(analyst):
    """A later mapping of `at` may have another shape; reading looks at the first point of each,
    this at all.
    """
    expected, _ = checked(analyst, "x*2", "{x: {tensor: [1, 2]}}", "{value: [2, 4]}")
    _, result = checked(analyst, "x*2", "{x: {tensor: [1, 2, 3]}}", "{partials: {x: 2}}")
    assert expected.unmet(result) == ["the value has shape (3,), expected is (2,)"]


@pytest.mark.parametrize(
    ("expect", "outcomes"),
    [
        ("agree", ("agree",)),
        ("{outcome: kink}", ("kink",)),
        ("{outcome: [kink, agree, kink]}", ("kink", "agree")),
        ("{value: 9}", ()),
    ],
)
def test_outcomes_are_kept_for_whoever_compares_them(expect, outcomes):
    """One name, or several that are accepted; none where nothing is said."""
    (case,) = read(f"version: 1\ncases: [{{expr: x**2, at: {{x: 3}}, expect: {expect}}}]\n").cases
    assert case.expected.outcomes == outcomes


def test_a_case_without_expect_expects_nothing():
    """Not an empty expectation, either."""
    (case,) = read("version: 1\ncases: [{expr: x**2, at: {x: 3}}]\n").cases
    assert case.expected is None
