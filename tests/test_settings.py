"""The table of settings, held against the options that Typer has, the page, and each order of
precedence.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest
import typer

from gradcheck_cli import cli
from gradcheck_cli.cli.context import settings_for
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.settings import provenance
from gradcheck_cli.settings.file import configuration_for, default_map
from gradcheck_cli.settings.table import (
    EXACT,
    EXPORTS,
    FLAG,
    LIST,
    NUMBER,
    PACKAGES,
    PATHS,
    ROWS,
    SETTINGS,
    WHOLE,
    settings_of,
)
from gradcheck_cli.settings.values import FLAGS, Settings, read_layer, read_variables

PAGE = (Path(__file__).parents[1] / "docs" / "configuration.md").read_text(encoding="utf-8")
COMMANDS = ("check", "run", "fn", "sweep", "hunt")
# Options that set nothing of their own.
OTHERS = {
    "check": {"show_settings"},
    "run": {"show_settings", "exitfirst"},
    "fn": {"show_settings"},
    "sweep": {"show_settings"},
    "hunt": {"show_settings"},
}
LEVELS = ("built in", "file", "variable", "command line")
# Three values for each setting: for the file, the variable and the command line. A flag is told
# apart below.
SAMPLES = {
    "suites": ("a", "b", "c"), "at": ("x=1", "x=2", "x=3"), "over": ("x=0:1", "x=-4:4:9", "x=all"), "claim": ("x=1", "x=2", "x=3"), "arg": ("x=1", "x=2", "x=3"), "spec": ("x", "x**2", "2*x"), "twin": ("a:f", "a:g", "b:f"), "backward": ("a:f", "a:g", "b:f"), "backward-spec": ("x", "x**2", "2*x"),
    "emit": ("a.py", "b.py", "c.py"), "variants": ("none", "large", "twice,large"), "repeat": ("2", "3", "4"), "wrt": ("x", "y", "x,y"), "dtype": ("float32", "float16", "bfloat16"), "device": ("all", "cuda", "cuda:1"),
    "cotangent": ("2", "3", "4"), "order": ("2", "1", "2"), "rtol": ("1e-6", "1e-5", "1e-4"), "atol": ("0", "1e-5", "2**-3"), "step": ("1e-6", "1e-5", "0.5"), "modes": ("forward", "vmap", "forward,vmap"), "format": ("json", "csv", "jsonl"),
    "export": ("a.json", "csv:b", "c.md"), "color": ("always", "never", "always"), "jobs": ("2", "3", "4"), "keyword": ("a", "b", "c"), "tag": ("a", "!b", "c"), "maxfail": ("1", "2", "3"), "durations": ("1", "0", "3"),
    "allow-import": ("a", "b", "c/"), "shard": ("1/2", "2/2", "1/3"), "timeout": ("30", "0.5", "60"), "max-memory": ("1GiB", "2GB", "3MB"), "seed": ("1", "2", "3"), "points": ("2", "3", "4"), "budget": ("10", "10s", "2000"), "cluster": ("tcp://a:1", "tcp://b:1", "tcp://c:1"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def bare(tmp_path, monkeypatch):
    """An empty working directory, and no variable of ours."""
    monkeypatch.chdir(tmp_path)
    for row in ROWS:
        monkeypatch.delenv(row.variable or "UNSET", raising=False)
    return tmp_path


@cache
def group():
    """Typer's own view of the command line."""
    return typer.main.get_command(cli.app)


def options(command):
    """The options of a command by the names of their parameters."""
    return {
        option.name: option
        for option in group().commands[command].params
        if option.param_type_name == "option"
    }


def context(command, words, environment=None):
    """What Typer makes of the words of a command, with the file of the working directory below
    them, and that file.
    """
    found = configuration_for(command, Path(), environment or {})
    return group().commands[command].make_context(
        command, list(words), default_map=default_map(found)[command]
    ), found


def rows(command, words, environment=None):
    """The rows of --show-settings by name."""
    ctx, found = context(command, words, environment)
    return {
        row.name: row
        for row in provenance.rows(command, ctx.params, ctx.get_parameter_source, found)
    }


# --- the table and the command line
# -----------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_a_row_and_every_row_an_option(command):
    """With its words, its variable, its help, and what is built in."""
    found = options(command)
    assert set(found) - OTHERS[command] == {
        row.key for row in ROWS if command in row.commands and row.words
    }
    for row in ROWS:
        if command in row.commands and row.words:
            option = found[row.key]
            assert f"--{row.name}" in option.opts
            assert [word for words in row.words for word in words.split("/")[:1]] == option.opts
            assert (option.envvar, option.help, option.metavar, option.is_flag) == (
                row.variable,
                row.help,
                row.metavar,
                row.kind is FLAG,
            )
            assert bool(option.secondary_opts) == (row.kind is FLAG)
            if option.default not in (None, ""):
                assert str(option.default).lower() == row.builtin
            else:
                assert row.builtin in (
                    "none",
                    "all",
                    "ones",
                    "computed",
                    "extrapolated",
                    "by machine",
                    "as needed",
                )


def test_a_row_for_no_option_is_an_argument():
    """`suites` is what `run` takes without a word in front."""
    assert [row.name for row in ROWS if not row.words] == ["suites"]
    assert "suites" in {parameter.name for parameter in group().commands["run"].params}
    assert SETTINGS["suites"].variable == ""


@pytest.mark.parametrize(
    ("command", "others", "names"),
    [
        ("report", set(), ["format", "export", "quiet", "verbose", "color"]),
        ("merge", set(), ["format", "export", "quiet", "verbose", "color"]),
        ("diff", {"form"}, ["color"]),
    ],
)
def test_commands_on_stored_reports_take_what_is_about_their_looks(
    command, others, names, bare, monkeypatch
):
    """From the command line and variables; no file says anything to them."""
    assert [row.name for row in settings_of(command)] == names
    assert set(options(command)) - others == set(names)
    (bare / "gradcheck.toml").write_text('color = "always"\n', encoding="utf-8")
    words = ["a.json", "b.json"][: 1 + (command != "report")]
    ctx = group().commands[command].make_context(command, list(words))
    assert settings_for(ctx, {}).color == "auto"
    monkeypatch.setenv("GRADCHECK_COLOR", "never")
    ctx = group().commands[command].make_context(command, list(words))
    assert settings_for(ctx, {}).color == "never"
    ctx = group().commands[command].make_context(command, ["--color", "always", *words])
    assert settings_for(ctx, {}).color == "always"
    monkeypatch.setenv("GRADCHECK_COLOR", "blue")
    with pytest.raises(UserError) as caught:
        settings_for(ctx, {})
    assert str(caught.value).startswith("error[unknown-color]: GRADCHECK_COLOR: no colour choice")


def test_a_command_may_have_something_else_built_in():
    """The whole of a run is wanted as JSON, and the help says so."""
    ctx = group().commands["merge"].make_context("merge", ["a.json"])
    assert options("merge")["format"].default == "json"
    assert settings_for(ctx, {"format": "json"}).format == "json"
    ctx = group().commands["merge"].make_context("merge", ["a.json", "-f", "table"])
    assert settings_for(ctx, {"format": "json"}).format == "table"


def test_names_follow_one_rule():
    """The longest word of an option is its name; its variable is that in capitals."""
    assert list(SETTINGS) == [row.name for row in ROWS]
    assert len({row.variable for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", row.name)
        if row.words:
            assert row.words[0].split("/")[0] == f"--{row.name}"
            assert row.variable == "GRADCHECK_" + row.name.upper().replace("-", "_")
    shorts = [word for row in ROWS for word in row.words if re.fullmatch("-[a-z]", word)]
    assert len(set(shorts)) == len(shorts)


# --- the page
# ---------------------------------------------------------------------------------------------------------


def lines(name):
    """The rows of one of the page's tables."""
    return (
        PAGE.split(f"<!-- {name}: begin -->\n")[1]
        .split(f"<!-- {name}: end -->")[0]
        .splitlines()[2:]
    )


def test_the_page_has_a_row_for_every_setting():
    """Word for word, in the order of the table, and none besides."""
    in_file = [
        f"| `{row.name}` | {row.kind.words}: `{row.example}` | {row.builtin} | {', '.join(row.commands)} | {row.help} |"
        for row in ROWS
        if row.example
    ]
    assert lines("settings") == in_file
    assert lines("once") == [
        f"| `--{row.name}` | {row.builtin} | {', '.join(row.commands)} | {row.help} |"
        for row in ROWS
        if not row.example
    ]


def test_the_page_shows_what_is_shown(bare, monkeypatch):
    """Its own file, one variable and one option give its own answer."""
    (bare / "pyproject.toml").write_text(
        PAGE.split("```toml\n")[1].split("```")[0], encoding="utf-8"
    )
    monkeypatch.setenv("GRADCHECK_SHARD", "1/4")
    ctx, found = context("run", ["--jobs", "2"])
    shown = provenance.settings_page(
        provenance.rows("run", ctx.params, ctx.get_parameter_source, found),
        provenance.notes(found, {"GRADCHECK_SHARD": "1/4"}),
    )
    assert shown == PAGE.split("<!-- shown -->\n```text\n")[1].split("```")[0]


# --- precedence
# -------------------------------------------------------------------------------------------------------


def said(row, level, value, folder, monkeypatch):
    """Say a setting on one level; the words for the command line."""
    if level == "file":
        bare_value = row.kind in (WHOLE, NUMBER, FLAG) or (row.kind is EXACT and "*" not in value)
        literal = (
            value
            if bare_value
            else f'["{value}"]'
            if row.kind in (LIST, PACKAGES, PATHS, EXPORTS)
            else f'"{value}"'
        )
        (folder / "gradcheck.toml").write_text(f"\n{row.name} = {literal}\n", encoding="utf-8")
    elif level == "variable":
        monkeypatch.setenv(row.variable, value)
    elif level == "command line":
        return (
            [f"--{'' if value == 'true' else 'no-'}{row.name}"]
            if row.kind is FLAG
            else [f"--{row.name}", value]
            if row.words
            else [value]
        )
    return []


def source(row, level):
    """What --show-settings says of a level."""
    return {
        "built in": "built in",
        "file": "gradcheck.toml:2",
        "variable": row.variable,
        "command line": "command line",
    }[level]


def levels(row):
    """The levels on which a setting can be said, from below."""
    return [
        level
        for level in LEVELS
        if not ((level == "file" and not row.example) or (level == "variable" and not row.variable))
    ]


@pytest.mark.parametrize(
    ("command", "row"),
    [(command, row) for row in ROWS for command in row.commands],
    ids=lambda word: getattr(word, "name", word),
)
def test_the_command_line_beats_a_variable_beats_the_file_beats_what_is_built_in(
    command, row, bare, monkeypatch
):
    """Each setting, each pair of levels; a flag both ways. The value comes as the command line
    gives it, and its source is told.
    """
    for low, high in combinations(levels(row), 2):
        with monkeypatch.context() as patch:
            beaten(command, row, low, high, bare, patch)
        (bare / "gradcheck.toml").unlink(missing_ok=True)


def beaten(command, row, low, high, bare, monkeypatch):
    """Hold that what is said on the high level counts, and not what is said on the low one."""
    cases = (
        [("true", "false"), ("false", "true")]
        if row.kind is FLAG
        else [(SAMPLES[row.name][LEVELS.index(low) - 1], SAMPLES[row.name][LEVELS.index(high) - 1])]
    )
    for below, above in cases:
        if low != "built in":
            words = said(row, low, below, bare, monkeypatch)
            assert words == []
        words = said(row, high, above, bare, monkeypatch)
        ctx, found = context(command, words)
        expected = (
            above == "true"
            if row.kind is FLAG
            else [above]
            if row.kind in (LIST, PACKAGES, PATHS, EXPORTS)
            else above
        )
        value = ctx.params[row.key]  # of a list, a tuple in some versions of Typer
        assert (list(value) if isinstance(value, tuple) else value) == expected
        shown = {
            line.name: line
            for line in provenance.rows(command, ctx.params, ctx.get_parameter_source, found)
        }[row.name]
        assert shown == (row.name, above, source(row, high))


@pytest.mark.parametrize("command", COMMANDS)
def test_what_nobody_says_is_built_in(command):
    """Each row says so, with the words of the table."""
    found = rows(command, [])
    assert found == {
        row.name: (row.name, row.builtin, "built in") for row in ROWS if command in row.commands
    }


def test_every_setting_has_samples():
    """A new one is tested for precedence, or fails here."""
    assert set(SAMPLES) == {row.name for row in ROWS if row.kind is not FLAG}
    assert all(
        len(set(samples)) == 3 or name in ("color", "order") for name, samples in SAMPLES.items()
    )


def test_what_a_suite_may_override_is_told_apart(bare, monkeypatch):
    """The file stands below a suite; variables and the command line stand above."""
    (bare / "gradcheck.toml").write_text(
        'dtype = "float32"\nrtol = 1e-6\nstrict = true\njobs = 2\n', encoding="utf-8"
    )
    monkeypatch.setenv("GRADCHECK_RTOL", "1e-5")
    ctx, _ = context("run", ["--no-strict", "--step", "0.5"])
    found = settings_for(ctx, {})
    assert found.below == {
        "dtype": ("float32", ("float32",)),
        "rtol": ("1e-6", 1e-6),
        "strict": (True, True),
        "jobs": ("2", 2),
    }
    assert found.above == {
        "rtol": ("1e-5", 1e-5),
        "strict": (False, False),
        "step": ("0.5", 0.5),
    }
    assert (found.dtype, found.rtol, found.strict, found.step, found.timeout, found.jobs) == (
        ("float32",),
        1e-5,
        False,
        0.5,
        120.0,
        2,
    )


# --- variables
# --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", [row for row in ROWS if row.variable], ids=lambda row: row.name)
def test_an_empty_variable_counts_as_unset(row, monkeypatch):
    """For our reading of it and for Typer's."""
    monkeypatch.setenv(row.variable, "")
    assert rows(row.commands[0], [], {row.variable: ""})[row.name].source == "built in"


@pytest.mark.parametrize("word", [*FLAGS, "YES", "Off"])
def test_a_flag_is_read_as_typer_reads_it(word, monkeypatch):
    """Every word that we let pass, and to the same end."""
    monkeypatch.setenv("GRADCHECK_STRICT", word)
    ctx, _ = context("check", [], {"GRADCHECK_STRICT": word})
    assert ctx.params["strict"] is FLAGS[word.lower()]


def test_a_list_is_split_at_blanks(monkeypatch):
    """Colons and commas belong to the values."""
    monkeypatch.setenv("GRADCHECK_EXPORT", " json:a.json  b,c.csv ")
    found = rows("run", [])["export"]
    assert found == ("export", "json:a.json, b,c.csv", "GRADCHECK_EXPORT")


BAD = [
    (
        "STRICT",
        "oui",
        "error[bad-setting]: GRADCHECK_STRICT: `oui` is neither yes nor no\n  = help: 1, true, yes or on; 0, false, no or off",
    ),
    (
        "DTYPE",
        "float64,int8",
        "error[unknown-dtype]: GRADCHECK_DTYPE: no dtype named `int8`\n  = help: known: float64, float32, bfloat16, float16",
    ),
    (
        "FORMAT",
        "jsno",
        "error[unknown-format]: GRADCHECK_FORMAT: no report format named `jsno`\n  = help: did you mean `json`?",
    ),
    (
        "COLOR",
        "blue",
        "error[unknown-color]: GRADCHECK_COLOR: no colour choice named `blue`\n  = help: known: auto, always, never",
    ),
    (
        "SHARD",
        "3/2",
        "error[bad-setting]: GRADCHECK_SHARD: `3/2` is no shard\n  = help: GRADCHECK_SHARD takes I/N with 1 <= I <= N <= 100,000, such as 2/4",
    ),
    (
        "RTOL",
        "-1",
        "error[bad-number]: GRADCHECK_RTOL takes a number that is not negative, and got `-1`",
    ),
]


def wrong_variables(command, environment):
    """What is wrong with the variables of a command."""
    unread = {}
    read_variables(command, environment, unread)
    return [mistake for mistakes in unread.values() for mistake in mistakes]


@pytest.mark.parametrize(("name", "value", "message"), BAD, ids=[name for name, _, _ in BAD])
def test_a_wrong_variable_is_told_by_its_name(name, value, message):
    """The user typed no option."""
    assert "\n".join(map(str, wrong_variables("run", {f"GRADCHECK_{name}": value}))) == message


def test_a_variable_of_another_command_is_left_alone():
    """`check` takes no shard."""
    assert wrong_variables("check", {"GRADCHECK_SHARD": "3/2"}) == []
    assert (
        len(
            wrong_variables(
                "run", {"GRADCHECK_SHARD": "3/2", "GRADCHECK_JOBS": "x", "GRADCHECK_SEED": "7"}
            )
        )
        == 2
    )


def test_wrong_words_are_told_at_once_by_their_options():
    """What is right is not mentioned; what cannot be read counts as unsaid."""
    unread = {}
    texts = {
        "jobs": "0",
        "shard": "1/2",
        "seed": "x",
        "strict": True,
        "format": "json",
        "tag": ["a"],
    }
    found = Settings(above=read_layer(texts, unread), unread=unread)
    with pytest.raises(UserError) as caught:
        found.require_readable()
    assert str(caught.value) == (
        "error[bad-setting]: --jobs: `0` is no number of jobs\n  = help: --jobs takes `auto` or a whole number from 1 to 4,096\n"
        "error[bad-setting]: --seed: `x` is no count\n  = help: --seed takes a whole number from 0 to 9,223,372,036,854,775,807"
    )
    assert (found.jobs, found.shard, found.seed, found.tag) == (None, (1, 2), 0, ("a",))


# --- --show-settings
# --------------------------------------------------------------------------------------------------


def test_notes_say_what_else_there_is(bare):
    """The file that was read, the one beside it, and variables that set nothing."""
    environment = {
        "GRADCHECK_TIMOUT": "3",
        "GRADCHECK_XYZZY": "",
        "GRADCHECK_SEED": "1",
        "HOME": "/",
    }
    slips = [
        "GRADCHECK_TIMOUT is no setting; did you mean `GRADCHECK_TIMEOUT`?",
        "GRADCHECK_XYZZY is no setting",
    ]
    assert provenance.notes(None, environment) == ["no configuration file was found", *slips]
    (bare / "gradcheck.toml").write_text("", encoding="utf-8")
    (bare / "pyproject.toml").write_text("[tool.gradcheck]\nstrict = true\n", encoding="utf-8")
    expected = [
        "configuration file: gradcheck.toml",
        "pyproject.toml has settings too; gradcheck.toml beside it wins",
    ]
    assert provenance.notes(configuration_for("run", Path(), {}), {}) == expected


def test_columns_are_aligned_and_nothing_acts_on_the_terminal():
    """As wide as the widest; a control character is shown as one that is not."""
    ctx, found = context("check", ["--wrt", "x\x1b[31m,y"])
    shown = provenance.settings_page(
        provenance.rows("check", ctx.params, ctx.get_parameter_source, found)
    )
    lines = shown.splitlines()
    assert "\x1b" not in shown
    assert lines[0] == "setting     value         from"
    assert lines[2] == "wrt         x\N{REPLACEMENT CHARACTER}[31m,y      command line"
    assert {
        line.index(word)
        for line, word in zip(lines, ("from", "built in", "command line"), strict=False)
    } == {lines[0].index("from")}
