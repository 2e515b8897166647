"""The pages of `--help`: everything in order and in groups, nothing cut, and what they say is so."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from textwrap import wrap

import pytest
from help_goldens import FOLDER, PAGES, help_page
from typer import Context
from typer.main import get_command

from gradcheck_cli.cli import app
from gradcheck_cli.cli.arguments import COMMANDS
from gradcheck_cli.cli.help_pages import EXITS
from gradcheck_cli.manual.pages import section
from gradcheck_cli.settings.table import GROUPS, LAST_GROUP, ROWS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GROUP = get_command(app)


def params(name):
    """What a command takes, or all of them together."""
    command = GROUP if name == "gradcheck" else GROUP.commands[name]
    return command.get_params(Context(command, info_name=name))


def descriptions(name):
    """Every sentence that a page has to hold whole."""
    texts = [param.help for param in params(name)]
    whole = GROUP.commands.values() if name == "gradcheck" else [GROUP.commands[name]]
    return [" ".join(text.split()) for text in [*texts, *(c.help for c in whole)] if text]


def cut(page, texts):
    """The texts that a page does not hold whole."""
    told = " ".join(page.split())
    return [text for text in texts if text not in told]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_it_was(tool, name):
    """`python tests/help_goldens.py` writes them anew; read the difference."""
    golden = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    assert help_page(tool, PAGES[name], 80) == golden


@pytest.mark.parametrize("width", [30, 40, 60, 80, 100, 300])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_cut_and_nothing_runs_over_the_edge(tool, name, width):
    """Examples stay whole, and so does a word that is wider than its column."""
    page = help_page(tool, PAGES[name], width)
    assert cut(page, descriptions(name)) == []
    # An example is copied as it stands; Click takes 50 columns at least for a line on usage.
    whole = ("  gradcheck ", *(("Usage: ", " " * 7) if width < 50 else ()))
    wide = [line for line in page.splitlines() if len(line) > min(width, 100)]
    assert [line for line in wide if not line.startswith(whole)] == []


def test_a_text_that_is_cut_is_seen():
    """The look can fail."""
    text = "Check the gradient of one program at a point (the default command)."
    page = "  check  " + "\n         ".join(wrap(text, 30)) + "\n"
    assert cut(page, [text]) == []
    assert cut(page.replace("command).", "..."), [text]) == [text]


def rows(page, heading):
    """The heads of the rows below a heading."""
    part = page.split(f"\n{heading}:\n")[1].split("\n\n")[0]
    return re.findall(r"^  (\S.*?)(?:  |$)", part, re.MULTILINE)


def test_commands_stand_in_order_of_use(tool):
    """That of the README."""
    page = help_page(tool, ["--help"], 80)
    assert tuple(rows(page, "Commands")) == COMMANDS
    told = re.findall(r"^\| `gradcheck (\w+)", README.split("| command |")[1], re.MULTILINE)
    assert [name if name in COMMANDS else "check" for name in told] == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_stands_in_one_group(tool, name):
    """Each once, groups in order, what belongs to none last."""
    page = help_page(tool, [name, "--help"], 80)
    options = [param for param in params(name) if param.param_type_name == "option"]
    shown = {
        heading: rows(page, heading) for heading in (*GROUPS, LAST_GROUP) if f"\n{heading}:" in page
    }
    assert list(shown) == re.findall(rf"^({'|'.join([*GROUPS, LAST_GROUP])}):$", page, re.MULTILINE)
    heads = [head for part in shown.values() for head in part]
    for param in options:
        long = next(word for word in param.opts if word.startswith("--"))
        found = [head for head in heads if re.search(rf"(?<!\S){long}(?![\w-])", head)]
        assert len(found) == 1, long
        assert set(param.opts) <= set(re.split(r"[, ]+", found[0]))


def test_every_setting_has_a_group():
    """And a group holds nothing else."""
    grouped = [name for names in GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(row.name for row in ROWS if row.words)


def test_exit_codes_are_those_of_the_readme(tool):
    """In its words; a page has those that its command may end with."""
    table = dict(
        re.findall(
            r"^\| (\d+) \| (.*) \|$", README.split("| exit code | meaning |\n")[1], re.MULTILINE
        )
    )
    assert {code: text.replace("`", "") for code, text in table.items()} == EXITS
    for name in ("gradcheck", "run"):
        assert rows(help_page(tool, PAGES[name], 80), "Exit codes") == list(EXITS)


LESSON = """{"cells": [{"cell_type": "code", "source":
"import torch\\nx = torch.tensor(3.0, requires_grad=True)\\n(x**2).backward()"}]}"""


@pytest.fixture(scope="module")
def folder(tool, tmp_path_factory):
    """A project with all that the examples ask for."""
    found = tmp_path_factory.mktemp("project")
    assert tool.run(["init", "."], folder=found).returncode == 0
    (found / "lesson.ipynb").write_text(LESSON, encoding="utf-8")
    for name in ("report", "old", "new"):
        words = ["x**2", "--at", "x=3", "--export", f"{name}.json"]
        assert tool.run(words, folder=found).returncode == 0
    for part in (1, 2):
        words = ["run", "suites", "--shard", f"{part}/2", "--export", f"shard-{part}.json"]
        assert tool.run(words, folder=found).returncode == 0
    return found


@pytest.mark.parametrize("name", PAGES)
def test_the_examples_work(tool, folder, name):
    """Each ends as expected, and in no code that its page does not name."""
    page = help_page(tool, PAGES[name], 60)
    examples = re.search(r"\nExamples?:\n((?:  .*\n)+)", page)[1].splitlines()
    assert examples
    for example in examples:
        program, *words = shlex.split(example)
        assert program == "gradcheck"
        done = tool.run(words, folder=folder)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout or name == "lint"


@pytest.mark.parametrize("name", PAGES)
def test_what_there_is_to_read_is_there(tool, name):
    """Topics of the manual, and addresses that the project states, none else."""
    page = help_page(tool, PAGES[name], 80)
    further = rows(page, "Further help")
    assert any(line.startswith("gradcheck explain") for line in further)
    for line in further:
        if (
            topic := line.removeprefix("gradcheck explain")
            .strip()
            .removeprefix("gradcheck COMMAND -h")
        ):
            assert section(topic)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    addresses = set(project.get("urls", {}).values())
    assert set(re.findall(r"https?://\S+", page)) <= addresses
    assert name != "gradcheck" or all(address in page for address in addresses)


def test_no_words_get_the_short_help(tool):
    """On stderr, with the exit code of a command that could not start."""
    done = tool.run([])
    assert (done.returncode, done.stdout) == (2, "")
    assert tuple(rows(done.stderr, "Commands")) == COMMANDS
    assert "gradcheck -h" in rows(done.stderr, "Further help")
    long = help_page(tool, ["--help"], 80)
    assert len(done.stderr.splitlines()) < len(long.splitlines())
    for heading in ("Options", "Exit codes"):
        assert f"\n{heading}:\n" in long
        assert f"\n{heading}:\n" not in done.stderr


@pytest.mark.parametrize("name", [*COMMANDS, ""])
def test_help_is_a_word_as_well(tool, name):
    """`gradcheck help run`, as git has it; a program may have an input of that name."""
    words = [name] if name else []
    assert tool.run(["help", *words]).stdout == tool.run([*words, "--help"]).stdout
    assert tool.run(["help", "--at", "help=3", "-q"]).returncode == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("x --at x=1 --fromat json", "No such option: --fromat; did you mean `--format`?"),
        ("x --at x=1 --dtpye float32", "No such option: --dtpye; did you mean `--dtype`?"),
        ("run a.yaml --jbos 4", "No such option: --jbos; did you mean `--jobs`?"),
        ("run a.yaml --no-resmue", "No such option: --no-resmue; did you mean `--no-resume`?"),
        ("--verison", "No such option: --verison; did you mean `--version`?"),
        ("diff a b --colour never", "No such option: --colour; did you mean `--color`?"),
        ("init --gitlba", "No such option: --gitlba; did you mean `--gitlab`?"),
        ("functions --qqq", "No such option: --qqq"),
        ("hunt x --over x=0:1 -j 2", "No such option: -j"),
        ("x --at x=1 -k 2", "No such option: -k"),
    ],
)
def test_a_slip_in_an_option_is_answered(tool, words, told):
    """With the nearest, and none that is far."""
    done = tool.run(words.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == f"Error: {told}"


@pytest.mark.parametrize(
    ("words", "code", "near"),
    [
        ("rnu", "unknown-command", "run"),
        ("rnu --strict", "unknown-command", "run"),
        ("lnit --color never", "unknown-command", "lint"),
        ("explain kinsk", "unknown-topic", "kinks"),
        ("explain subgradeint", "unknown-topic", "subgradient"),
        ("explain seeded cotangnet", "unknown-topic", "seeded cotangent"),
        ("functions sigmod", "unknown-function", "sigmoid"),
        ("schema sutie", "unknown-schema", "suite"),
        ("diff a.json b.json -f jsno", "unknown-format", "json"),
        ("x --at x=1 -f jsno", "unknown-format", "json"),
    ],
)
def test_a_slip_in_a_word_is_answered(tool, words, code, near):
    """Commands, topics, functions and formats."""
    done = tool.run(words.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error[{code}]: ")
    assert done.stderr.endswith(f"  = help: did you mean `{near}`?\n")


LOOK = """
import sys
from gradcheck_cli.cli import app
try:
    app({words!r})
except SystemExit:
    pass
sys.stderr.write(" ".join(sys.modules))
"""


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["run", "--help"]])
def test_a_page_loads_nothing_that_it_does_not_need(words):
    """No library that lays out or compares words, no manual, no reader of files, no completion."""
    done = subprocess.run(
        [sys.executable, "-c", LOOK.format(words=words)], capture_output=True, text=True, check=True
    )
    loaded = set(done.stderr.split())
    assert "gradcheck_cli.cli.help_pages" in loaded
    ours = ("cli.completion", "cli.shells", "cli.paths", "manual", "settings.toml", "functions")
    unwanted = {"rich", "jellyfish", "yaml", *(f"gradcheck_cli.{name}" for name in ours)}
    assert loaded & unwanted == set()
