"""The command that reproduces a check, read again as the command line reads it."""

from __future__ import annotations

import shlex

import pytest
import typer
from asking import groups, points

from gradcheck_cli import cli
from gradcheck_cli.checks import reproduce as module
from gradcheck_cli.checks.reproduce import reproduce
from gradcheck_cli.cli.arguments import in_order
from gradcheck_cli.cli.context import settings_for
from gradcheck_cli.settings.table import ROWS, SETTINGS
from gradcheck_cli.settings.values import Settings, read_layer

SAID = [
    ("x*y", {"at": ["x=1,y=2"]}),
    ("x*y", {"at": ["x=0.1", "y=-2**-3"], "wrt": "y", "dtype": "float16"}),
    ("x*y", {"at": ["x=1,y=2"], "rtol": "2**-10", "atol": "0", "step": "1e-3", "strict": True}),
    ("x*y", {"at": ["x=1,y=2"], "modes": "vmap,forward"}),
    ("W @ x", {"at": ["W=[[1, 2], [3, 4]],x=[5, 6]"], "cotangent": "[1, 2]", "dtype": "float32"}),
    ("rtol**2 + step + strict", {"at": ["rtol=0:1:3,step=0.25,strict=pi/4"], "rtol": "1e-6"}),
]


def read(text, texts):
    """What holds where a user says this."""
    unread = {}
    settings = Settings(above=read_layer(texts, unread))
    assert unread == {}
    return settings


def asked(text, settings):
    """The points that the settings of a command come to."""
    return [
        point
        for group in groups(
            text,
            settings.at,
            settings.wrt,
            settings.cotangent,
            settings.dtype,
            settings.device,
            settings.repeated(),
        )
        for batch in group
        for point in batch
    ]


@pytest.mark.parametrize(("text", "texts"), SAID, ids=[f"{t}-{k}" for k, (t, _) in enumerate(SAID)])
def test_the_command_asks_the_same_again(text, texts, tmp_path, monkeypatch):
    """One point of it, to the last bit, and with the same words for what is not the point's."""
    monkeypatch.chdir(tmp_path)
    settings = read(text, texts)
    for point in asked(text, settings):
        tool, *words = shlex.split(reproduce(point))
        command, *rest = in_order(words)
        assert (tool, command) == ("gradcheck", "check")
        context = typer.main.get_command(cli.app).commands[command].make_context(command, rest)
        again = settings_for(context, {})
        (same,) = asked(context.params["expression"], again)
        assert same.scalars == point.scalars
        assert (same.dtype, same.device) == (point.dtype, point.device)
        assert (same.question.wrt, same.question.words) == (
            point.question.wrt,
            point.question.words,
        )
        for name in ("rtol", "atol", "step", "strict", "modes"):
            assert getattr(again, name) == getattr(settings, name)
        assert reproduce(same) == reproduce(point)


def test_an_input_that_is_called_like_an_option_is_none():
    """`--at` gives its values; it says nothing of the tolerance."""
    found = [reproduce(point) for point in points("rtol**2", "rtol=0:1:3")]
    assert found == [f"gradcheck 'rtol**2' --at rtol={value}" for value in ("0", "0.5", "1")]


def test_what_a_check_has_one_of_is_told_by_the_check():
    """Every such row has its words, and no other."""
    assert {row.name for row in ROWS if row.repeated == "as checked"} == set(module._CHECKED)


@pytest.mark.parametrize("name", ["wrt", "dtype", "device"])
def test_what_the_configuration_file_sets_is_told_though_it_is_built_in(name):
    """So that the file does not decide."""
    (point,) = points("x", "x=1", words={name: ()})
    built_in = {"wrt": "x"}.get(name, SETTINGS[name].builtin)
    assert reproduce(point) == f"gradcheck x --at x=1 --{name} {built_in}"


def test_strict_is_told_once_and_taken_back_where_the_file_says_it():
    """Whether the caller says it, the words do, or both."""
    (plain,), (strict,), (never,) = (
        points("x", "x=1", words=words)
        for words in ({}, {"strict": ("--strict",)}, {"strict": ("--no-strict",)})
    )
    assert reproduce(plain, strict=True) == reproduce(strict) == reproduce(strict, strict=True)
    assert reproduce(strict) == "gradcheck x --at x=1 --strict"
    assert reproduce(never) == "gradcheck x --at x=1 --no-strict"
