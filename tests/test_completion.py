"""What shells are told that ask how a word may go on: as Typer's scripts ask, and by the shells
themselves where they are installed.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import pytest
from clocks import HUNG
from suites import environment
from typer._completion_shared import get_completion_script
from typer.main import get_command

from gradcheck_cli.cli import app
from gradcheck_cli.cli.arguments import COMMANDS
from gradcheck_cli.cli.completion import candidates
from gradcheck_cli.cli.stored import DIFF_FORMATS
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.functions import names
from gradcheck_cli.manual.pages import topics
from gradcheck_cli.records.record import MODES
from gradcheck_cli.reports import FORMATS
from gradcheck_cli.settings.table import COLORS, ROWS

ROOT = Path(__file__).parents[1]
FILES = ("suites/a.gradcheck.yaml", "suites/b.yml", "report.json", "lines.jsonl", "program.txt", "prose.txt", "my dir/c.yaml", ".hidden.yaml")  # fmt: skip
SHELLS = ("bash", "zsh", "fish", "powershell")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files to complete, and a program `gradcheck` to ask."""
    found = tmp_path_factory.mktemp("files")
    for name in FILES:
        (found / name).parent.mkdir(exist_ok=True)
        (found / name).touch()
    program = tmp_path_factory.mktemp("programs") / "gradcheck"
    program.write_text(
        f'#!/bin/sh\nexec {sys.executable} -m gradcheck_cli "$@"\n', encoding="utf-8"
    )
    program.chmod(0o755)
    return found, program.parent


def answered(before, word=""):
    """The words that may stand where the cursor is, here."""
    return [row.word for row in candidates(get_command(app), before, word)]


def pieces(line):
    """The words of a line as bash hands them over, cut at its `COMP_WORDBREAKS`."""
    words = line.split(" ")
    return [piece for word in words for piece in re.findall(r"[=:@]|[^=:@]+", word) or [""]]


def asked(tool, folder, shell, line):
    """What Typer's script of a shell gets for a line, the cursor at its end: words, as many as stand
    in the shell's answer.
    """
    variables = {"_GRADCHECK_COMPLETE": f"complete_{shell}"}
    if shell == "bash":
        words = pieces(line)
        variables |= {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
    else:
        variables |= {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
        variables["_TYPER_COMPLETE_WORD_TO_COMPLETE"] = line.rpartition(" ")[2]
    done = tool.run([], folder=folder, environment=variables)
    assert (done.returncode, done.stderr) == (0, "")
    text = done.stdout.removesuffix("\n")
    if shell == "zsh":
        return re.findall(r'^(?:_arguments .*\(\()?"(.*?)"', text, re.MULTILINE)
    return [row.split("\t")[0].split(":::")[0] for row in text.splitlines()]


# (line, what is offered first and how much of the last word bash has already)
LINES = {
    "gradcheck r": ["run", "report"],
    "gradcheck explain kink": [t for t in topics() if t.startswith("kink") and " " not in t] + ["kink-within-rounding"],
    "gradcheck functions sigm": ["sigmoid"],
    "gradcheck schema ": ["report", "suite", "sweep"],
    "gradcheck x --dtype ": list(DTYPES),
    "gradcheck check x --dtype b": ["bfloat16"],
    "gradcheck --dtype float32,float6": ["float32,float64"],
    "gradcheck x --at x=1 -f js": ["json", "jsonl"],
    "gradcheck x -qf jso": ["json", "jsonl"],
    "gradcheck run a.yaml --format sa": ["sarif"],
    "gradcheck x --color a": ["auto", "always"],
    "gradcheck x --device cu": ["cuda"],
    "gradcheck x --modes forward,c": ["forward,create_graph"],
    "gradcheck diff a b -f ": list(DIFF_FORMATS),
    "gradcheck x --colo": ["--color"],
    "gradcheck --dty": ["--dtype"],
    "gradcheck x --no-str": ["--no-strict"],
    "gradcheck run --last": ["--last-failed"],
    "gradcheck help ru": ["run"],
    "gradcheck run su": ["suites/", "suites/a.gradcheck.yaml", "suites/b.yml"],
    "gradcheck lint suites/a": ["suites/a.gradcheck.yaml"],
    "gradcheck report ": ["lines.jsonl", "my dir/", "report.json", "suites/"],
    "gradcheck diff report.json li": ["lines.jsonl"],
    "gradcheck merge report.json li": ["lines.jsonl"],
    "gradcheck init su": ["suites/"],
    "gradcheck @pro": ["@program.txt", "@prose.txt"],
    "gradcheck --at x=1 @prog": ["@program.txt"],
    "gradcheck check @prog": ["@program.txt"],
    "gradcheck x --export json:rep": ["json:report.json"],
    "gradcheck x --dtype=b": ["--dtype=bfloat16"],
    "gradcheck x --dtype=": [f"--dtype={name}" for name in DTYPES],
}  # fmt: skip


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("line", LINES)
def test_a_line_goes_on(tool, folder, shell, line):
    """As each shell takes it: bash gets what follows the last `=`, `:` or `@` alone."""
    if (shell, line) == ("powershell", "gradcheck x --dtype="):
        pytest.skip("it gives the word, which ends with the sign")
    wanted = sorted(LINES[line])
    if shell == "bash":
        last = line.rpartition(" ")[2]
        kept = re.match(r"(?:.*[=:@])?", last)[0]
        wanted = sorted(word.removeprefix(kept).replace(" ", "\\ ") for word in wanted)
    got = asked(tool, folder[0], shell, line)
    if shell == "zsh":
        got = [word.replace("\\\\:", ":") for word in got]
    assert sorted(got) == wanted


def test_every_value_that_can_be_listed_is_offered():
    """Of every option that takes one out of a list, behind either kind of command."""
    lists = {
        "dtype": DTYPES,
        "format": FORMATS,
        "color": COLORS,
        "modes": MODES,
        "device": ("cpu", "cuda", "all"),
    }
    assert {row.name for row in ROWS if row.choices} == set(lists)
    for name, words in lists.items():
        for before in ([], ["check"], ["x"], ["check", "x"], ["run"], ["run", "a.yaml"]):
            assert answered([*before, f"--{name}"]) == list(words)
        row = next(row for row in ROWS if row.name == name)
        for word in row.choices:
            assert row.read(word, name)


def test_topics_functions_and_commands_are_offered():
    """All of them, and each is known to its command."""
    assert set(answered(["explain"])) == {topic.replace(" ", "-") for topic in topics()}
    assert set(answered(["functions"])) == set(names())
    assert answered([])[: len(COMMANDS)] == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_offered(name):
    """The long ones; nothing behind `--`, where words are no options."""
    params = get_command(app).commands[name].params
    words = [word for param in params for word in param.opts if word.startswith("--")]
    assert set(words) <= set(answered([name], "--"))
    assert [word for word in answered([name, "--"], "--") if word in words] == []


def test_the_default_command_is_as_good_as_its_name():
    """Whatever stands before the word."""
    for words in (["x"], ["x", "--at", "x=1"], ["-x**2", "-q"], ["--at", "x=1"], ["-", "--strict"]):
        for word in ("", "-", "--d", "@", "--dtype=f"):
            assert answered(words, word) == answered(["check", *words], word), (words, word)


@pytest.mark.parametrize(
    ("before", "word"),
    [
        (["rnu"], ""), (["rnu"], "--"), (["explain", "xyzzy"], "qq"), (["functions", "sin"], "x"), (["x"], "y"), (["--version"], ""),
        (["run", "--timeout"], ""), (["x", "--at"], "x="), (["doctor"], "x"), (["x", "--dtype"], "floaty"), (["x"], "--dtype=floaty"),
    ],
)  # fmt: skip
def test_nothing_is_offered_where_nothing_is_known(before, word):
    """A slip, an argument too many, a value that is free."""
    assert answered(before, word) == []


def test_files_are_those_of_the_kind(folder, monkeypatch):
    """Hidden ones where they are asked for, folders everywhere; a folder that is not there holds
    none, and a name that no shell could show is left out.
    """
    place, _ = folder
    monkeypatch.chdir(place)
    assert answered(["run"]) == ["my dir/", "suites/"]
    assert answered(["run"], ".h") == [".hidden.yaml"]
    assert answered(["run"], "no/such/") == answered(["run"], "\0") == []
    assert answered(["run"], "suites/") == [
        f"suites/{name}" for name in ("a.gradcheck.yaml", "b.yml")
    ]
    absolute = answered(["run"], f"{place}/suites/a")
    assert absolute == [f"{place}/suites/a.gradcheck.yaml"]
    odd = place / "odd"
    odd.mkdir()
    (odd / "a\nb.yaml").touch()
    assert answered(["run"], "odd/") == []
    monkeypatch.setenv("HOME", str(place))
    assert answered(["run"], "~/suites/b") == ["~/suites/b.yml"]


def test_fish_is_told_whether_there_is_anything(tool, folder):
    """It lists files where there is nothing."""
    for line, code in (
        ("gradcheck x --dtype f", 0),
        ("gradcheck x --dtype q", 1),
        ("gradcheck x --at ", 1),
    ):
        variables = {
            "_GRADCHECK_COMPLETE": "complete_fish",
            "_TYPER_COMPLETE_FISH_ACTION": "is-args",
            "_TYPER_COMPLETE_ARGS": line,
        }
        done = tool.run([], folder=folder[0], environment=variables)
        assert (done.returncode, done.stdout.strip()) == (code, "")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "gradcheck",
        "gradcheck 'x",
        'gradcheck "x + ',
        "gradcheck x\\",
        "gradcheck \\\n",
        "gradcheck '' ",
        "a b c",
    ],
)
@pytest.mark.parametrize("shell", SHELLS)
def test_an_odd_line_is_no_traceback(tool, folder, shell, line):
    """An open quote, no words, a program of another name."""
    asked(tool, folder[0], shell, line)


def test_another_shell_is_left_to_typer(tool):
    """Which says that it knows none of that name."""
    done = tool.run([], environment={"_GRADCHECK_COMPLETE": "complete_ksh"})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Shell ksh not supported.\n"


# --- the shells themselves


def shell_says(folder, words, **variables):
    """What a shell prints in the folder, where `gradcheck` is this one."""
    place, programs = folder
    path = os.pathsep.join((str(programs), os.environ["PATH"]))
    done = subprocess.run(
        words,
        cwd=place,
        env=environment(PATH=path, PYTHONPATH=str(ROOT), **variables),
        capture_output=True,
        text=True,
        timeout=HUNG,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def script(shell):
    """Typer's script for a shell, as `--install-completion` writes it."""
    variable = "_GRADCHECK_COMPLETE"
    return get_completion_script(prog_name="gradcheck", complete_var=variable, shell=shell)


ASKED = {
    "gradcheck x --dtype f": ["float64", "float32", "float16"],
    "gradcheck run su": LINES["gradcheck run su"],
    "gradcheck run m": ["my\\ dir/", "my\\ dir/c.yaml"],
    "gradcheck @pro": ["program.txt", "prose.txt"],
    "gradcheck explain subg": ["subgradient"],
    "gradcheck x --dtype=b": ["bfloat16"],
    'gradcheck "x**2" --export json:rep': ["report.json"],
}


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash here")
@pytest.mark.parametrize("line", ASKED)
def test_bash(folder, line):
    """The script's own function, called as bash calls it."""
    words = shlex.join(pieces(line))
    code = f"""
{script("bash")}
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_gradcheck_completion gradcheck
printf "%s\\n" "${{COMPREPLY[@]}}"
"""
    assert shell_says(folder, ["bash", "--norc", "-c", code]) == ASKED[line]


@pytest.mark.skipif(not shutil.which("fish"), reason="there is no fish here")
@pytest.mark.parametrize("line", ASKED)
def test_fish(folder, line):
    """`complete -C` says what the key would offer."""
    code = f"{script('fish')}\ncomplete -C {shlex.quote(line)}"
    found = [row.split("\t")[0] for row in shell_says(folder, ["fish", "--no-config", "-c", code])]
    assert sorted(found) == sorted(answered_in(folder, line))


@pytest.mark.skipif(not shutil.which("zsh"), reason="there is no zsh here")
@pytest.mark.parametrize("line", [*ASKED, "gradcheck "])
def test_zsh(folder, line):
    """The script's own function; what it would hand to the menu is printed."""
    heard = 'compdef() { : }; _files() { print files }; _arguments() { print -r -- "$1" }'
    words = " ".join(shlex.quote(word) for word in line.split(" "))
    code = f"{heard}\n{script('zsh')}\nwords=({words}); CURRENT=$#words; _gradcheck_completion"
    text = "\n".join(shell_says(folder, ["zsh", "-f", "-c", code]))
    assert text.startswith("*: :((")
    found = re.findall(r'(?:\(\(|\s)"(.*?)"', text)
    assert set(answered_in(folder, line)) <= {word.replace("\\", "") for word in found}


def answered_in(folder, line):
    """The words that may stand at the end of a line, in the folder."""
    *words, word = line.split(" ")[1:]
    with chdir(folder[0]):
        return answered(words, word)
