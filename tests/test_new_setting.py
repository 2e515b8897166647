"""A row more in the table of settings, and nothing else: everything that a setting has follows."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# What a new option adds to the table.
ROW = """
from gradcheck_cli.settings import quantities, table

row = table.Setting(
    "patience", ("--patience", "-p"), ("check", "run"), table.WHOLE, "3", "N", "5",
    "How often to ask again.", quantities.count, suite="patience", repeated="as given",
)
table.ROWS += (row,)
table.SETTINGS["patience"] = row
"""
# What comes of it, told as JSON.
LOOK = """
import json, os
from pathlib import Path

import typer

from gradcheck_cli import cli
from gradcheck_cli.checks.reproduce import reproduce
from gradcheck_cli.cli.arguments import in_order
from gradcheck_cli.cli.context import settings_for
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.questions.batching import batches
from gradcheck_cli.questions.question import question_of
from gradcheck_cli.settings import provenance
from gradcheck_cli.settings.file import default_map, preset_of
from gradcheck_cli.suites.read import read_suites
from gradcheck_cli.suites.schema import suite_schema

SUITE = "version: 1\\ncases:\\n  - {expr: x, at: {x: 1}%s}\\n"


def context(command, *words):
    preset = preset_of(command, Path(), os.environ)
    group = typer.main.get_command(cli.app)
    return group.commands[command].make_context(
        command, list(words), default_map=default_map(preset.configuration)[command], obj=preset
    )


def told(function, *words):
    try:
        return function(*words)
    except UserError as error:
        return str(error)


def line(words):
    settings = settings_for(context("check", "--at", "x=1", *words), {})
    question = question_of(parse("x"), settings.at, words=settings.repeated())
    ((batch,),) = batches(question, [settings.at], [(DTYPES["float64"], "cpu")])
    return reproduce(next(iter(batch)))


def case(own="", *words):
    settings = settings_for(context("run", *words), {})
    (suite,) = read_suites([("a", SUITE % own)], settings.above, settings.below)
    return [suite.cases[0].settings.get("patience"), suite.cases[0].given.get("patience")]


def page(*words):
    ctx = context("run", *words)
    preset = preset_of("run", Path(), os.environ)
    rows = provenance.rows("run", ctx.params, ctx.get_parameter_source, preset.configuration)
    return [row for row in rows if row.name == "patience"]


def wrong(command, *words):
    settings_for(context(command, *words), {}).require_readable()


seen = {
    "help": [context(name).get_help().count("-p, --patience N") for name in ("check", "run")],
    "order": in_order(["--patience", "-1", "-x"]) + in_order(["-qp", "4", "x"]),
    "built in": [settings_for(context("run"), {}).patience, page(), case(), line([])],
    "words": [settings_for(context("run", "-p", "7"), {}).command("run"), page("-p", "7")],
    "line": line(["-p", "7"]),
    "wrong words": told(wrong, "check", "--patience", "x"),
    "suite": [case(", patience: 6"), case(", patience: 6", "--patience", "7")],
    "wrong suite": told(case, ", patience: -1"),
    "schema": suite_schema()["properties"]["cases"]["items"]["properties"]["patience"],
}
Path("gradcheck.toml").write_text("patience = 5\\n")
seen["file"] = [settings_for(context("check"), {}).patience, page(), case(), line([])]
seen["suite over file"] = case(", patience: 6")
os.environ["GRADCHECK_PATIENCE"] = "4"
seen["variable"] = [settings_for(context("run"), {}).patience, page(), case(", patience: 6")]
seen["words over all"] = settings_for(context("run", "--patience", "7"), {}).patience
os.environ["GRADCHECK_PATIENCE"] = "x"
Path("gradcheck.toml").write_text("patience = 1.5\\n")
seen["wrong file and variable"] = told(context, "run")
print(json.dumps(seen))
"""
ACCEPTED = "takes a whole number from 0 to 9,223,372,036,854,775,807"


def looked(code, folder):
    """What a program prints, as JSON; None where it ends in a traceback."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    return json.loads(done.stdout) if done.returncode == 0 else None


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """What is seen with the row."""
    found = looked(ROW + LOOK, tmp_path_factory.mktemp("new"))
    assert found is not None
    return found


def test_without_the_row_there_is_nothing_to_see(tmp_path):
    """The look can fail."""
    assert looked(LOOK, tmp_path) is None


def test_the_option_follows(seen):
    """In the help of each command, with its value kept apart from the program."""
    assert seen["help"] == [1, 1]
    assert seen["order"] == [
        *("check", "--patience", "-1", "--", "-x"),
        *("check", "-qp", "4", "--", "x"),
    ]
    assert seen["words"] == [
        ["run", "--patience", "7"],
        [["patience", "7", "command line"]],
    ]
    assert seen["wrong words"] == (
        f"error[bad-setting]: --patience: `x` is no count\n  = help: --patience {ACCEPTED}"
    )


def test_what_is_built_in_follows(seen):
    """A case and a line say nothing of it."""
    assert seen["built in"] == [
        3,
        [["patience", "3", "built in"]],
        [None, None],
        "gradcheck x --at x=1",
    ]


def test_the_key_of_the_file_and_the_variable_follow(seen):
    """With their places in the order of precedence, and told where they are wrong."""
    assert seen["file"] == [
        5,
        [["patience", "5", "gradcheck.toml:1"]],
        [5, ["--patience", "5"]],
        "gradcheck x --at x=1 --patience 5",
    ]
    assert seen["variable"] == [
        4,
        [["patience", "4", "GRADCHECK_PATIENCE"]],
        [4, ["--patience", "4"]],
    ]
    assert seen["words over all"] == 7
    assert seen["wrong file and variable"] == (
        "error[bad-setting]: patience takes a whole number, and this is a number\n"
        " --> gradcheck.toml:1:12\n  | patience = 1.5\n  |            ^^^\n"
        "  = help: for example patience = 5\n"
        "error[bad-setting]: GRADCHECK_PATIENCE: `x` is no count\n"
        f"  = help: GRADCHECK_PATIENCE {ACCEPTED}"
    )


def test_the_key_of_a_suite_follows(seen):
    """Between the file and the command line; reader and schema."""
    assert seen["suite"] == [[6, ["--patience", "6"]], [7, ["--patience", "7"]]]
    assert seen["suite over file"] == [6, ["--patience", "6"]]
    assert seen["wrong suite"].startswith(
        "error[bad-setting]: `patience`: `-1` is no count\n --> a:3:"
    )
    assert seen["schema"] == {
        "description": "How often to ask again.",
        "anyOf": [{"type": "number"}, {"type": "string", "pattern": r"\S"}],
    }


def test_the_line_that_reproduces_a_check_follows(seen):
    """In the user's own words."""
    assert seen["line"] == "gradcheck x --at x=1 --patience 7"
