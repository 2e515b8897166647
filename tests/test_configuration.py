"""The configuration file: which one counts, what it sets, and every mistake in it told at once with
its place.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from clocks import HUNG
from each import each

from gradcheck_cli.language.errors import UserError
from gradcheck_cli.settings.file import (
    OWN,
    SHARED,
    configuration_for,
    default_map,
    find,
    read,
    shadowed_file,
)
from gradcheck_cli.settings.table import ROWS

TABLE = "[tool.gradcheck]\n"
KNOWN = ", ".join(row.name for row in ROWS if row.example)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the files of a test go: the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(path, text=""):
    """The path of a new file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def told(path):
    """What is printed of the mistakes in a file."""
    with pytest.raises(UserError) as caught:
        read(path)
    return str(caught.value)


# --- which file
# -------------------------------------------------------------------------------------------------------


def test_the_nearest_file_counts(folder):
    """In the folder itself, or in the nearest above; a project's file without the table is passed
    by.
    """
    deep = folder / "a" / "b"
    deep.mkdir(parents=True)
    assert find(deep) is None
    top = put(folder / SHARED, TABLE)
    assert find(deep) == find(folder) == top
    put(folder / "a" / SHARED, "[project]\nname = 'a'\ndependencies = ['gradcheck-cli']\n")
    assert find(deep) == top
    middle = put(folder / "a" / OWN)
    assert find(deep) == middle
    near = put(deep / SHARED, "[tool]\ngradcheck.strict = true\n")
    assert find(deep) == near
    assert find(folder) == top


def test_a_file_of_its_own_counts_before_the_projects(folder):
    """And the project's is known to be overlooked, if it sets anything."""
    own, shared = (
        put(folder / OWN, 'dtype = "float32"\n'),
        put(folder / SHARED, f'{TABLE}dtype = "float16"\n'),
    )
    assert find(folder) == own
    assert shadowed_file(read(own)) == shared
    assert shadowed_file(read(shared)) is None
    put(shared, "[project]\n")
    assert shadowed_file(read(own)) is None
    put(shared, "gradcheck = [\n")
    assert shadowed_file(read(own)) is None
    shared.unlink()
    assert shadowed_file(read(own)) is None


def test_what_is_no_file_is_passed_by(folder):
    """A folder of that name, and a working directory that has been removed."""
    (folder / OWN).mkdir()
    (folder / SHARED).mkdir()
    assert find(folder) is None
    gone = folder / "gone"
    gone.mkdir()
    code = "import os, sys; from pathlib import Path; os.rmdir(os.getcwd()); from gradcheck_cli.settings.file import configuration_for; sys.exit(configuration_for('run', Path(), {}) is not None)"
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=gone, check=False, timeout=HUNG).returncode
        == 0
    )


def test_a_relative_start_is_the_working_directory(folder):
    """As the command line asks."""
    assert find(Path()) is None
    assert find(Path()) != put(folder / OWN)
    assert find(Path()) == folder / OWN


def test_a_broken_project_file_is_told_only_where_it_might_set_something(folder):
    """One that never names the tool is somebody else's trouble."""
    put(folder / SHARED, "[project\n")
    assert find(folder) is None
    put(folder / SHARED, "[tool.gradcheck\n")
    with pytest.raises(UserError) as caught:
        find(folder)
    message = "error[bad-toml]: `pyproject.toml` is not TOML: Expected ']' at the end of a table declaration"
    assert (
        str(caught.value)
        == f"{message}\n --> pyproject.toml:1:16\n  | [tool.gradcheck\n  |                ^"
    )


# --- what it sets
# -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    ["[tool.gradcheck]\n", "tool.gradcheck.", '["tool" . gradcheck]\n'],
    ids=["table", "dotted", "quoted"],
)
def test_both_files_set_the_same(head, folder):
    """However the table is written."""
    own, shared = (
        put(folder / OWN, "timeout = 2.50\n"),
        put(folder / SHARED, f"{head}timeout = 2.50\n"),
    )
    assert read(own).values == read(shared).values == {"timeout": "2.50"}


def test_values_come_as_their_options_take_them(folder):
    """Numbers as they are written, lists of names with commas, lists as lists."""
    text = 'dtype = ["float64", "float32"]\nwrt = "x"\nrtol = 1_0e-06\natol = 0\nstep = "2**-20"\nstrict = true\njobs = 4\nmaxfail = 3\ntag = ["a", "!b"]\nmax-memory = "2GiB"\n'
    assert read(put(folder / OWN, text)).values == {
        "dtype": "float64,float32", "wrt": "x", "rtol": "10e-06", "atol": "0", "step": "2**-20", "strict": True, "jobs": "4", "maxfail": "3", "tag": ["a", "!b"], "max-memory": "2GiB",
    }  # fmt: skip


def test_paths_are_relative_to_the_file(folder, monkeypatch):
    """And come as they are seen from the working directory; those in full stay."""
    path = put(
        folder / OWN,
        'suites = ["suites", "/all"]\nexport = ["r.json", "markdown:sub/r.txt", "csv:sub/../r", "c:r.csv"]\n',
    )
    assert read(path).values == {
        "suites": ["suites", "/all"],
        "export": ["r.json", "markdown:sub/r.txt", "csv:r", "c:r.csv"],
    }
    (folder / "sub").mkdir()
    monkeypatch.chdir(folder / "sub")
    assert read(path).values == {
        "suites": ["../suites", "/all"],
        "export": ["../r.json", "markdown:r.txt", "csv:../r", "../c:r.csv"],
    }


@pytest.mark.parametrize(
    "word",
    [
        "../r.json",
        "sub/../../r.json",
        "csv:../r",
        "/r.json",
        "json:/dev/stdout",
        "json:link",
        "out/r.json",
        "json:r\\u0000",
    ],
)
@pytest.mark.parametrize("heading", ["", TABLE])
def test_a_file_has_nothing_written_outside_its_folder(folder, word, heading):
    """Whatever way it names it, by a link too: told with its place; what is inside is written."""
    home = folder / "home"
    (home / "sub").mkdir(parents=True)
    (home / "link").symlink_to(folder / "elsewhere")
    (home / "out").symlink_to(folder)
    path = put(home / (SHARED if heading else OWN), f'{heading}export = ["a.md", "{word}"]\n')
    said = told(path)
    named = (word.partition(":")[2] or word).replace("\\u0000", "\ufffd")
    assert said.startswith(
        f"error[outside-project]: `{named}` is not a path below `{home}`, the folder of this file\n"
        f" --> {path.relative_to(folder)}:"
    )
    assert said.splitlines()[-1] == (
        "  = help: a report goes elsewhere by --export on the command line, or GRADCHECK_EXPORT"
    )


def test_what_a_file_above_names_below_itself_is_written(folder, monkeypatch):
    """A link inside the folder that stays inside it is fine."""
    (folder / "build").mkdir()
    (folder / "out").symlink_to("build")
    path = put(folder / OWN, 'export = ["out/r.json", "sub/../r.md"]\n')
    (folder / "sub").mkdir()
    monkeypatch.chdir(folder / "sub")
    assert read(path).values == {"export": ["../out/r.json", "../r.md"]}


def test_each_command_gets_what_it_takes(folder):
    """By the names that Typer knows."""
    found = read(
        put(folder / OWN, 'format = "json"\njobs = 2\nsuites = ["s"]\nmax-memory = "1GiB"\n')
    )
    assert default_map(found) == {
        "check": {"format": "json", "max_memory": "1GiB"},
        "fn": {"format": "json", "max_memory": "1GiB"},
        "hunt": {"format": "json", "max_memory": "1GiB"},
        "lint": {"suites": ["s"]},
        "run": {"suites": ["s"], "format": "json", "jobs": "2", "max_memory": "1GiB"},
        "sweep": {"format": "json", "jobs": "2", "max_memory": "1GiB"},
    }
    assert default_map(None) == {
        name: {} for name in ("check", "fn", "hunt", "lint", "run", "sweep")
    }


def test_every_line_is_known(folder, monkeypatch):
    """Also from a folder below, and in a table written in one line."""
    own, shared = (
        put(folder / OWN, "\njobs = 2 # c\nseed = 1\n"),
        put(folder / SHARED, "[tool]\n\ngradcheck = {jobs = 2, seed = 1}\n"),
    )
    assert [read(own).source(name) for name in ("jobs", "seed")] == [
        "gradcheck.toml:2",
        "gradcheck.toml:3",
    ]
    assert read(shared).source("seed") == "pyproject.toml:3 [tool.gradcheck]"
    (folder / "sub").mkdir()
    monkeypatch.chdir(folder / "sub")
    assert read(shared).source("jobs") == "../pyproject.toml:3 [tool.gradcheck]"


@each("row", [row for row in ROWS if row.example], ids=lambda row: row.name)
def test_the_example_of_each_setting_can_be_read(row, folder):
    """The page and the messages show it."""
    assert set(read(put(folder / OWN, f"{row.name} = {row.example}\n")).values) == {row.name}


def test_reading_loads_no_library(folder):
    """Not even the reader of TOML where there is no file."""
    code = "import sys; from pathlib import Path; from gradcheck_cli.settings.file import configuration_for; configuration_for('run', Path(), {}); print(*sorted({'tomllib', 'torch', 'sympy', 'flint', 'numpy', 'yaml', 'typer'} & set(sys.modules)))"
    run = [sys.executable, "-c", code]
    assert (
        subprocess.run(
            run, capture_output=True, text=True, check=True, cwd=folder, timeout=HUNG
        ).stdout
        == "\n"
    )
    put(folder / OWN, "\n".join(f"{row.name} = {row.example}" for row in ROWS if row.example))
    assert (
        subprocess.run(
            run, capture_output=True, text=True, check=True, cwd=folder, timeout=HUNG
        ).stdout
        == "tomllib\n"
    )


# --- mistakes
# ---------------------------------------------------------------------------------------------------------


def test_all_mistakes_are_told_at_once_with_their_places(folder):
    """Those of the file in its order, then those of the variables."""
    put(
        folder / SHARED,
        '[project]\n[tool.gradcheck]\ndtype = ["float64", "flaot32"] # c\n strict = "yes"\nmax_memory = "2GiB"\nrtol = -1\nshard = "1/2"\n',
    )
    with pytest.raises(UserError) as caught:
        configuration_for("run", folder, {"GRADCHECK_JOBS": "0", "GRADCHECK_STRICT": "oui"})
    assert (
        str(caught.value)
        == """\
error[unknown-dtype]: no dtype named `flaot32`
 --> pyproject.toml:3:21
  | dtype = ["float64", "flaot32"] # c
  |                     ^^^^^^^^^
  = help: did you mean `float32`?
error[bad-setting]: strict takes true or false, and this is a string
 --> pyproject.toml:4:11
  |  strict = "yes"
  |           ^^^^^
  = help: for example strict = true
error[unknown-setting]: no setting named `max_memory`
 --> pyproject.toml:5:1
  | max_memory = "2GiB"
  | ^^^^^^^^^^
  = help: did you mean `max-memory`?
error[bad-number]: rtol takes a number that is not negative, and got `-1`
 --> pyproject.toml:6:8
  | rtol = -1
  |        ^^
error[misplaced-setting]: `shard` is not set in a file: it is for one command alone
 --> pyproject.toml:7:1
  | shard = "1/2"
  | ^^^^^
  = help: use --shard or GRADCHECK_SHARD
error[bad-setting]: GRADCHECK_STRICT: `oui` is neither yes nor no
  = help: 1, true, yes or on; 0, false, no or off
error[bad-setting]: GRADCHECK_JOBS: `0` is no number of jobs
  = help: GRADCHECK_JOBS takes `auto` or a whole number from 1 to 4,096"""
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", f"error[unknown-setting]: no setting named `x`\n --> gradcheck.toml:1:1\n  | x = 1\n  | ^\n  = help: known: {KNOWN}"),
        ("[tool.gradcheck]\njobs = 1", "error[unknown-setting]: no setting named `tool`\n --> gradcheck.toml:1:2\n  | [tool.gradcheck]\n  |  ^^^^\n  = help: in gradcheck.toml the settings stand at the top, without [tool.gradcheck]"),
        ("[run]\njobs = 1", "error[unknown-setting]: no setting named `run`\n --> gradcheck.toml:1:2\n  | [run]\n  |  ^^^\n  = help: the settings of all commands stand in one table"),
        ("[jobs]\na = 1", 'error[bad-setting]: jobs takes a whole number or "auto", and this is a table\n --> gradcheck.toml:1:1\n  | [jobs]\n  | ^^^^^^\n  = help: for example jobs = 4'),
        ("jobs.a = 1", 'error[bad-setting]: jobs takes a whole number or "auto", and this is a table\n --> gradcheck.toml:1:1\n  | jobs.a = 1\n  | ^^^^\n  = help: for example jobs = 4'),
        ("jobs = true", 'error[bad-setting]: jobs takes a whole number or "auto", and this is true or false\n --> gradcheck.toml:1:8\n  | jobs = true\n  |        ^^^^\n  = help: for example jobs = 4'),
        ("maxfail = 1.5", "error[bad-setting]: maxfail takes a whole number, and this is a number\n --> gradcheck.toml:1:11\n  | maxfail = 1.5\n  |           ^^^\n  = help: for example maxfail = 10"),
        ("timeout = 2020-01-01", "error[bad-setting]: timeout takes a number, and this is a date or a time\n --> gradcheck.toml:1:11\n  | timeout = 2020-01-01\n  |           ^^^^^^^^^^\n  = help: for example timeout = 30"),
        ("timeout = inf", "error[bad-setting]: timeout: `inf` is no number of seconds\n --> gradcheck.toml:1:11\n  | timeout = inf\n  |           ^^^\n  = help: timeout takes a number above 0 and up to 31,536,000, such as 30 or 0.5"),
        ("max-memory = 5", 'error[bad-setting]: max-memory takes a string, and this is a whole number\n --> gradcheck.toml:1:14\n  | max-memory = 5\n  |              ^\n  = help: for example max-memory = "2GiB"'),
        ('export = "r.json"', 'error[bad-setting]: export takes an array of [FORMAT:]FILE, and this is a string\n --> gradcheck.toml:1:10\n  | export = "r.json"\n  |          ^^^^^^^^\n  = help: for example export = ["report.json", "markdown:summary.txt"]'),
        ("suites = [\n  'a',\n  1,\n]", 'error[bad-setting]: suites takes strings, and this is a whole number\n --> gradcheck.toml:3:3\n  |   1,\n  |   ^\n  = help: for example suites = ["suites", "more.gradcheck.yaml"]'),
        ("dtype = []", "error[unknown-dtype]: no dtype named ``\n --> gradcheck.toml:1:9\n  | dtype = []\n  |         ^^\n  = help: known: float64, float32, bfloat16, float16"),
        ('color = "red"', 'error[unknown-color]: no colour choice named `red`\n --> gradcheck.toml:1:9\n  | color = "red"\n  |         ^^^^^\n  = help: known: auto, always, never'),
        ('format = "jsno"', 'error[unknown-format]: no report format named `jsno`\n --> gradcheck.toml:1:10\n  | format = "jsno"\n  |          ^^^^^^\n  = help: did you mean `json`?'),
        (f"seed = 0x{'f' * 5_000}", f"error[bad-setting]: seed: `0x{'f' * 57}…` is no count\n --> gradcheck.toml:1:8\n  | seed = 0x{'f' * 178}…\n  |        {'^' * 120}\n  = help: seed takes a whole number from 0 to 9,223,372,036,854,775,807"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_what_would_be_accepted(text, message, folder):
    """Each kind of mistake, in full."""
    assert told(put(folder / OWN, text)) == message


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[tool]\ngradcheck = 3\n", "2:1\n  | gradcheck = 3\n  | ^^^^^^^^^"),
        ("[[tool.gradcheck]]\n", "1:8\n  | [[tool.gradcheck]]\n  |        ^^^^^^^^^"),
    ],
)
def test_what_is_no_table_sets_nothing(text, place, folder):
    """It is found, and told."""
    path = put(folder / SHARED, text)
    assert find(folder) == path
    assert (
        told(path)
        == f"error[bad-setting]: [tool.gradcheck] must be a table of settings\n --> pyproject.toml:{place}"
    )


@each(
    "value",
    [
        "1",
        "1.5",
        "true",
        '"x y"',
        "[]",
        "[1]",
        '["a"]',
        "{a = 1}",
        "2020-01-01",
        "[[1]]",
        "nan",
        '""',
        '["", ""]',
    ],
)
@each("row", ROWS, ids=lambda row: row.name)
def test_no_value_of_any_type_ends_in_a_traceback(row, value, folder):
    """It is read, or told as a mistake of the file."""
    path = put(folder / OWN, f"{row.name} = {value}\n")
    try:
        assert set(read(path).values) == {row.name}
    except UserError as error:
        assert all(mistake.place.startswith("gradcheck.toml:1:") for mistake in error.mistakes)
