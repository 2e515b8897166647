"""Pages of the manual on a terminal: laid out, and nothing of them lost; in a pipe as they are."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from each import each
from rich.cells import cell_len

from gradcheck_cli.cli.pages import NO_TERMINAL, explain_command
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.manual.layout import lay_out
from gradcheck_cli.manual.pages import folder, section, topics
from gradcheck_cli.records.outcome import Cause

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
FENCE = re.compile(r"^```.*?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Words of reports that a reader may not know.
ASKED_FOR = (
    "ulp", "cotangent", "subgradient", "ball", "budget", "kink", "pullback", "bar", "certified", "seeded cotangent", "remedy", "culprit",
    "unit roundoff", "vjp", "jvp", "reference", "tolerance", "one-sided derivative", "truncation error", "rounding error",
)  # fmt: skip
# What Markdown takes for itself at the beginning of a line, and a comment.
MARKS = re.compile(r"^#+ |^\|[-:|]+\|$|^\s*(?:[-*]|\d+\.) |<!--.*?-->", re.MULTILINE)
LINK = re.compile(r"\[(.+?)\]\((.+?)\)")


def words(text: str) -> list[str]:
    """The words of a text, whatever is bold, code or a cell."""
    return re.sub(r"[|│]", " ", re.sub(r"[`*\\]", "", text)).split()


def missing(text: str, page: str) -> list[str]:
    """Lines of code and words of a section that a page does not hold whole."""
    lines = {line.rstrip() for line in page.split("\n")}
    code = "".join(FENCE.findall(text)).splitlines()
    prose = MARKS.sub("", LINK.sub(r"\1 (\2)", FENCE.sub("", text)))
    shown = set(words(page))
    return [line for line in code if line and f"  {line}" not in lines] + [
        word for word in words(prose) if word not in shown
    ]


@each("topic", topics())
def test_no_word_number_or_line_of_code_is_cut(topic: str) -> None:
    """However narrow the terminal; and colour adds nothing else."""
    text = section(topic)
    for width in (20, 80):
        page = lay_out(text, width, color=False)
        assert missing(text, page) == []
        assert "\x1b" not in page
        assert COLOUR.sub("", lay_out(text, width, color=True)) == page


@each("topic", topics())
def test_prose_is_as_wide_as_the_terminal(topic: str) -> None:
    """Only code and tables may be wider."""
    text = section(topic)
    code = "".join(FENCE.findall(text))
    lines = lay_out(text, 60, color=False).split("\n")
    wide = [line for line in lines if cell_len(line) > 60 and line.strip() not in code]
    assert wide == [] or "\n|---" in text


@each("topic", topics())
def test_a_section_ends_at_a_heading(topic: str) -> None:
    """Not at a comment in an example."""
    text = section(topic)
    assert text.count("```") % 2 == 0
    assert text.startswith("#")


def test_pages_and_causes_are_topics() -> None:
    """Whoever reads a name in a report, or in the README, can ask for it."""
    for page in ("outcomes", "numerics", "language", "errors", "suites", "ci", "configuration"):
        assert section(page) == (folder() / f"{page}.md").read_text().strip() + "\n"
    assert {str(cause) for cause in Cause} < set(topics())
    assert Cause.CANCELLATION.meaning in section("cancellation")
    # A section of that name says more than the meaning of the cause.
    assert section("overflow").count("\n") > 5


@pytest.mark.parametrize(
    ("topic", "way_out"),
    [
        ("kinsk", "did you mean `kinks`?"),
        ("lanuage", "did you mean `language`?"),
        ("relu", "`relu` is a function: `gradcheck functions relu` shows it"),
        ("rtol", "`rtol` is a setting: see `gradcheck explain configuration`"),
        ("--max-memory", "`max-memory` is a setting: see `gradcheck explain configuration`"),
        ("Samples", "it is spoken of in `suites`; `gradcheck explain` lists all topics"),
        ("Walker", "it is spoken of in `sources`; `gradcheck explain` lists all topics"),
        (
            "Richardson",
            "it is spoken of in `sources`, `extrapolation`; `gradcheck explain` lists all topics",
        ),
        ("subgradeint", "did you mean `subgradient`?"),
        ("Puiseux", "did you mean `puiseux series`?"),
        ("xyzzy", "`gradcheck explain` lists all topics"),
        ("", "`gradcheck explain` lists all topics"),
    ],
)
def test_what_is_no_topic_is_found_elsewhere(topic: str, way_out: str) -> None:
    """A slip, a function, a setting, a word that stands in a section."""
    with pytest.raises(UserError) as caught:
        section(topic)
    (mistake,) = caught.value.mistakes
    assert (mistake.code, mistake.help) == ("unknown-topic", way_out)


def test_every_word_of_the_glossary_is_answered() -> None:
    """By its entry, or by the section that has its name; however its words are joined."""
    text = (folder() / "glossary.md").read_text()
    heads = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert heads == sorted(heads)
    for head in heads:
        for word in head.split(", "):
            found = section(word)
            assert found.startswith((f"## {head}\n", f"## {word}\n")), word
            assert found == section(word.upper()) == section(word.replace(" ", "-"))
    entries = {word for head in heads for word in head.split(", ")}
    assert entries >= set(ASKED_FOR)
    assert section("subgradients") == section("subgradient")


def test_the_numbers_of_the_glossary_are_those_of_the_dtypes() -> None:
    """The ulp of 1, and the unit roundoff."""
    told = dict.fromkeys(DTYPES, 0)
    for word, least in (("ulp", 4), ("unit roundoff", 2)):
        pairs = re.findall(r"`2\*\*-(\d+)`\s+in\s+(\w+)", section(word))
        assert len(pairs) == least
        for power, name in pairs:
            told[name] += 1
            one = DTYPES[name].unit_roundoff * (2 if word == "ulp" else 1)
            assert 2.0 ** -int(power) == one, (word, name)
    assert all(told.values())


def test_what_is_cut_is_seen() -> None:
    """The walk can fail."""
    text = "## a\n\nSome `polygamma` of 10,880 points.\n\n| b |\n|---|\n| cell |\n\n"
    text += "```text\nx = 1\n```\n"
    page = lay_out(text, 40, color=False)
    assert missing(text, page) == []
    for whole, cut in (
        ("polygamma", "polyga…"),
        ("10,880", "10,8\n80"),
        ("cell", "ce"),
        ("x = 1", "x =\n1"),
    ):
        assert whole in page
        assert missing(text, page.replace(whole, cut)) == [whole]


@pytest.mark.parametrize(
    ("environment", "terminal", "width", "color"),
    [
        ({}, False, None, False), ({"COLUMNS": "50"}, False, None, False), ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, None, False),
        ({"COLUMNS": "50"}, True, 50, True), ({"NO_COLOR": "1", "COLUMNS": "50"}, True, 50, False), ({"TERM": "dumb", "COLUMNS": "50"}, True, 50, False),
        ({"FORCE_COLOR": "1"}, False, NO_TERMINAL, True), ({"FORCE_COLOR": "1", "COLUMNS": "70"}, False, 70, True),
    ],
)  # fmt: skip
def test_a_terminal_gets_a_page_and_a_pipe_the_text(
    environment: dict[str, str],
    terminal: bool,
    width: int | None,
    color: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Byte for byte; colour that is forced is a terminal's."""
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    explain_command(["kinks"])
    text = section("kinks")
    page = text if width is None else lay_out(text, width, color=color)
    assert capsys.readouterr().out == page
    explain_command(None)
    assert capsys.readouterr().out == "\n".join(topics()) + "\n"


def test_a_pipe_does_not_load_what_lays_out() -> None:
    """It takes as long as the rest of the command."""
    code = """
import sys
from gradcheck_cli.cli import app
app(["explain", "kink"], standalone_mode=False)
sys.exit("rich.markdown" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == section("kink")
