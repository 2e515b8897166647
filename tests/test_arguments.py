"""The words of the command line, before Typer sees them: an expression that starts with a minus is
no option.
"""

from __future__ import annotations

import pytest
from each import each
from typer.main import get_command

from gradcheck_cli.cli import app
from gradcheck_cli.cli.arguments import COMMANDS, in_order
from gradcheck_cli.language.errors import UserError

CHECKS = [
    (["x**2"], ["check", "--", "x**2"]),
    (["check", "x**2"], ["check", "--", "x**2"]),
    (["-x**2"], ["check", "--", "-x**2"]),
    (["-x"], ["check", "--", "-x"]),
    (["--x**2", "--at", "x=1"], ["check", "--at", "x=1", "--", "--x**2"]),
    (["-(x)"], ["check", "--", "-(x)"]),
    (["-1*x"], ["check", "--", "-1*x"]),
    (["-.5*x"], ["check", "--", "-.5*x"]),
    (["-2.5e-3"], ["check", "--", "-2.5e-3"]),
    (["-sin(x)", "--at", "x=1"], ["check", "--at", "x=1", "--", "-sin(x)"]),
    (["-q*x"], ["check", "--", "-q*x"]),
    (["-f(x)"], ["check", "--", "-f(x)"]),
    (["-"], ["check", "--", "-"]),
    (["@file.txt"], ["check", "--", "@file.txt"]),
    (["-", "--at", "x=1"], ["check", "--at", "x=1", "--", "-"]),
    # options before, behind and around the expression
    (["--at", "x=1", "x**2"], ["check", "--at", "x=1", "--", "x**2"]),
    (
        ["--at", "x=1", "-x**2", "--at", "y=2", "-q"],
        ["check", "--at", "x=1", "--at", "y=2", "-q", "--", "-x**2"],
    ),
    (["x", "--at=x=1", "--strict"], ["check", "--at=x=1", "--strict", "--", "x"]),
    (["check", "--strict", "-x"], ["check", "--strict", "--", "-x"]),
    # short options, alone and joined
    (["-q", "x"], ["check", "-q", "--", "x"]),
    (["-vq", "x"], ["check", "-vq", "--", "x"]),
    (["-fjson", "x"], ["check", "-fjson", "--", "x"]),
    (["-f", "json", "x"], ["check", "-f", "json", "--", "x"]),
    (["-qf", "json", "x"], ["check", "-qf", "json", "--", "x"]),
    (["-qfjson", "x"], ["check", "-qfjson", "--", "x"]),
    (["x", "-h"], ["check", "-h", "--", "x"]),
    # a value may look like anything
    (["x", "--cotangent", "-1"], ["check", "--cotangent", "-1", "--", "x"]),
    (["x", "--at", "-x"], ["check", "--at", "-x", "--", "x"]),
    (["x", "--step", "--"], ["check", "--step", "--", "--", "x"]),
    # behind -- nothing is an option
    (["--", "-q"], ["check", "--", "-q"]),
    (["--at", "x=1", "--", "--x"], ["check", "--at", "x=1", "--", "--x"]),
    # an option without its value: nothing may pass for it
    (["x", "--at"], ["check", "--at"]),
    (["x", "-q", "-f"], ["check", "-q", "-f"]),
    # a slip in an option is an option still
    (["x", "--dtpe", "float32"], ["check", "--dtpe", "--", "x", "float32"]),
    (["--strict"], ["check", "--strict"]),
    (["x", "y"], ["check", "--", "x", "y"]),
]

KEPT = [
    [],
    ["-h"],
    ["--help"],
    ["--version"],
    ["-V"],
    ["functions"],
    ["functions", "sin"],
    ["explain", "kink"],
    ["schema", "report"],
    ["doctor"],
    ["functions", "-h"],
]


@each("words, ordered", CHECKS, ids=lambda cell: " ".join(cell[0]))
def test_an_expression_is_told_from_options(words, ordered):
    """Options first, then `--`, then the expression."""
    assert in_order(words) == ordered


@each("words, ordered", CHECKS, ids=lambda cell: " ".join(cell[0]))
def test_what_is_in_order_stays(words, ordered):
    """A second pass changes nothing."""
    assert in_order(ordered) == ordered


@pytest.mark.parametrize("words", KEPT, ids=" ".join)
def test_other_commands_are_left_alone(words):
    """Their words, and those the group itself answers."""
    assert in_order(words) == words


@pytest.mark.parametrize("name", COMMANDS[1:])
def test_a_word_of_a_command_is_an_expression_behind_an_option(name):
    """A program may be an input called `schema`."""
    assert in_order(["--at", f"{name}=1", name]) == ["check", "--at", f"{name}=1", "--", name]


def test_every_option_and_command_of_the_command_line_is_known_here():
    """A new one without a line in `arguments` fails here."""
    group = get_command(app)
    assert set(group.commands) == set(COMMANDS)
    for option in group.commands["check"].params:
        if option.param_type_name != "option":
            continue
        for word in [*option.opts, *option.secondary_opts]:
            value = [] if option.is_flag else ["-value"]
            assert in_order(["-x", word, *value]) == ["check", word, *value, "--", "-x"]
    for option in group.params:
        for word in option.opts:
            assert in_order([word]) == [word]


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["rnu", "suite.yaml"], "run"),
        (["rnu", "suite.yaml", "-j", "4"], "run"),
        (["rnu", "--resume", "a", "b"], "run"),
        (["reprot", "a.json", "-f", "csv"], "report"),
        (["dif", "a.json", "b.json"], "diff"),
        (["chekc", "x**2", "--at", "x=1"], "check"),
        (["dotcor"], "doctor"),
        (["function"], "functions"),
        (["functons", "sin"], "functions"),
    ],
)
def test_a_slip_in_a_command_is_told(words, meant):
    """Where what stands there can be no program."""
    with pytest.raises(UserError) as caught:
        in_order(words)
    assert str(caught.value) == (
        f"error[unknown-command]: no command named `{words[0]}`\n  = help: did you mean `{meant}`?"
    )


@pytest.mark.parametrize(
    "words",
    [
        ["x"],
        ["rnu*2"],
        ["rnu", "--at", "rnu=1"],
        ["--at", "dif=1", "dif"],
        ["sin(x)", "cos(x)"],
        ["pi", "e"],
        ["--", "rnu"],
        ["check", "rnu"],
    ],
)
def test_a_program_is_no_slip(words):
    """A name with a value is an input; what is near to no command is left to the reader of programs."""
    assert in_order(words)[0] == "check"
