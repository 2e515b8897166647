"""A person's own code on trial: what is followed, what is not, and what it is held against."""

from __future__ import annotations

import json
import subprocess
import sys

import own_code
import pytest
import torch

from gradcheck_cli import UserError, assert_gradient, check
from gradcheck_cli.checks.record import record_of
from gradcheck_cli.code.arguments import read_arguments
from gradcheck_cli.code.facts import finished
from gradcheck_cli.code.trial import TrialOptions, try_code
from gradcheck_cli.records.record import FunctionRecord


def tried(found, *arguments, **wanted):
    """The record of a function, without variants unless they are asked for."""
    options = TrialOptions(**{"variants": (), **wanted})
    *_, trial = try_code(found, found.__name__, read_arguments(arguments), options)
    return record_of(finished(trial))


def remarks(record):
    """What was seen, by kind."""
    return {note["kind"]: note for note in record["function"]["notes"]}


@pytest.mark.parametrize(
    ("found", "arguments"),
    [
        (own_code.branch, ["x=[0.5, 0.75]"]),
        (own_code.masked, ["x=[0.5, 0.75, 2]"]),
        (own_code.several, ["x=[0.5]", "y=[0.25]"]),
        (own_code.written, ["x=[0.5, 2, 3]"]),
        (own_code.keyword, ["x=[0.5]", "power=3"]),
        (own_code.picked, ["x=[0.5, 0.25]", "rows=int:[1, 1, 0]"]),
        (own_code.SetUp, ["x=[0.5, 0.25]", "power=3"]),
        (own_code.Tied, ["x=[[0.5, -1]]"]),
    ],
)
def test_what_is_followed_is_proved(found, arguments):
    """Forwards and backwards, for all inputs of the shapes."""
    record = tried(found, *arguments)
    function = record["function"]
    assert (record["outcome"], function["proved_for_all_inputs"]) == ("agree", True)
    assert function["followed"] == {"forward": True, "backward": True}


@pytest.mark.parametrize(
    ("found", "outcome", "reason"),
    [
        (own_code.detour, "wrong", "numbers leave the tensors: beside the point it computes something else"),
        (own_code.escaped, "wrong", "numbers leave the tensors: beside the point it computes something else"),
        (own_code.spectrum, "agree", "not followed: complex numbers"),
        (own_code.swallowed, "agree", "not followed: complex numbers"),
        (own_code.stateful, "inconclusive", "run again it computes something else: it keeps state, or draws numbers of its own"),
        (own_code.drawn, "inconclusive", "run again it computes something else: it keeps state, or draws numbers of its own"),
    ],
)  # fmt: skip
def test_what_is_not_followed_is_differenced_and_never_proved(found, outcome, reason):
    """And where that is not possible either nothing is shown."""
    record = tried(found, "x=[0.5, 0.75, -2]")
    function = record["function"]
    assert record["outcome"] == outcome
    assert (function["held_against"], function["proved_for_all_inputs"]) == ("differences", False)
    assert remarks(record)["unfollowed"]["what"] == reason


def test_what_matters_is_told_with_its_line():
    """A branch, and random numbers."""
    assert remarks(tried(own_code.branch, "x=[0.5]"))["escape"]["where"].endswith("own_code.py:25")
    assert "random" in remarks(tried(own_code.masked, "x=[0.5]"))


def test_no_gradient_where_there_is_a_slope_is_wrong():
    """Nobody but the person could have cut the path."""
    record = tried(own_code.cut, "x=[0.5]")
    assert record["outcome"] == "wrong"
    assert record["partials"][0]["cause"] == "no path"


def test_a_backward_that_raises_is_wrong():
    """With the place."""
    record = tried(own_code.Raises, "x=[0.5]")
    assert record["outcome"] == "wrong"
    assert record["partials"][0]["reason"].startswith("the backward raises KeyError: 'missing' at ")


@pytest.mark.parametrize("off", [1e-14, 1e-10, 1e-3])
def test_a_factor_beside_one_is_seen(off, monkeypatch):
    """The formula is refuted, however little it is off; without it, it is proved."""
    assert tried(own_code.Scaled, "x=[0.5, 2]")["function"]["proved_for_all_inputs"]
    monkeypatch.setattr(own_code.Scaled, "factor", 1 + off)
    record = tried(own_code.Scaled, "x=[0.5, 2]")
    assert [p["outcome"] for p in record["partials"]] == ["wrong", "wrong"]
    assert {p["cause"] for p in record["partials"]} == {"formula"}


def test_what_is_meant_instead_of_a_derivative():
    """A surrogate is wrong as a derivative, right as what it is meant for, and only as that."""
    assert tried(own_code.Sign, "x=[0.5, -2]")["outcome"] == "wrong"
    meant = tried(own_code.Sign, "x=[0.5, -2]", meant="clamp(x, -1, 1)")
    assert (meant["outcome"], meant["function"]["held_against"]) == ("agree", "meant")
    assert tried(own_code.Sign, "x=[0.5, -2]", meant="tanh(x)")["outcome"] == "wrong"


def test_a_program_says_what_a_function_computes():
    """Another program refutes it."""
    assert tried(own_code.SetUp, "x=[0.5]", "power=3", spec="x**power")["outcome"] == "agree"
    assert tried(own_code.SetUp, "x=[0.5]", "power=3", spec="x**2")["outcome"] == "wrong"


def test_a_kernel_may_err_twice_as_much_as_its_twin(monkeypatch):
    """And no more."""
    twin = {"twin": torch.sin, "twin_title": "torch:sin"}
    assert tried(own_code.Scaled, "x=[0.5, 2]", **twin)["outcome"] == "agree"
    monkeypatch.setattr(own_code.Scaled, "factor", 1 + 1e-9)
    assert tried(own_code.Scaled, "x=[0.5, 2]", **twin)["outcome"] == "wrong"


def test_directions_where_there_are_many_numbers():
    """Of what cannot be followed; they see a path that is lost."""
    record = tried(own_code.detour, "x=randn(80)")
    assert (record["outcome"], record["function"]["directions"]) == ("wrong", 8)


def test_runs_of_the_same_are_compared():
    """State is seen."""
    again = tried(own_code.Scaled, "x=[0.5]", repeat=3)["function"]["variants"]
    assert [(v["name"], v["outcome"]) for v in again] == [("repeat", "agree")]


def test_python_takes_what_it_has():
    """Tensors, arrays, lambdas and modules."""
    report = assert_gradient(lambda x: torch.sin(x) * x.sum(), {"x": torch.tensor([0.5, 2.0])})
    assert report.records[0]["reproduce"] == ""
    assert check(torch.nn.Linear(2, 1), {"input": [[0.5, 1.0]]}).exit_code == 0
    with pytest.raises(AssertionError, match="wrong"):
        assert_gradient(own_code.cut, {"x": 0.5})


@pytest.mark.parametrize(
    ("found", "at", "message"),
    [
        (own_code.keyword, {"y": 1.0}, "error[unknown-argument]: `own_code:keyword` has no argument `y`\n  = help: it takes x, power"),
        (own_code.several, {"x": 1.0}, "error[missing-argument]: `own_code:several` needs `y`\n  = help: it takes x, y"),
        (own_code.nothing, {"x": 1.0}, "error[raised]: the function raises TypeError: the function gives no tensor of numbers, but NoneType"),
        (own_code.broken, {"x": 1.0}, "error[raised]: the function raises LookupError: not today"),
        (own_code.picked, {"x": 1j, "rows": [0]}, "error[bad-argument]: `x` has complex numbers"),
    ],
)  # fmt: skip
def test_what_cannot_be_called_is_told(found, at, message):
    """In a sentence, and no traceback of ours."""
    with pytest.raises(UserError) as error:
        check(found, at)
    assert str(error.value) == message


def test_options_of_the_other_kind_are_refused():
    """Nothing is passed over in silence."""
    with pytest.raises(UserError, match="`spec` are for functions, and this is a program"):
        check("x**2", {"x": 1}, spec="x")
    with pytest.raises(UserError, match="`jacobian` are for programs, and this is a function"):
        check(own_code.cut, {"x": 1.0}, jacobian=True)


def test_a_record_has_every_key():
    """As its type says."""
    function = tried(own_code.keyword, "x=[0.5]")["function"]
    assert set(function) == set(FunctionRecord.__annotations__)
    json.dumps(function)


def test_the_compiler_is_not_loaded():
    """torch would load it for a dispatch mode that asks to be left out, which takes seconds."""
    program = (
        "import sys, torch; from gradcheck_cli import check;"
        "check(torch.sin, {'input': [0.5]}, variants='none');"
        "print([m for m in sys.modules if m.startswith(('torch._dynamo', 'torch._inductor'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_programs_load_nothing_of_it():
    """What records code is loaded for those who have some."""
    program = (
        "import sys; from gradcheck_cli import check; check('x**2', {'x': 3});"
        "print([m for m in sys.modules if m.startswith(('gradcheck_cli.code', 'gradcheck_cli.recording.rec'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
