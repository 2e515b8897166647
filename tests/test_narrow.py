"""Messages and pages on narrow terminals: nothing runs over the edge, nothing is lost, and a caret
stands where it belongs.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from rich.cells import cell_len
from suites import environment
from terminals import needs_a_terminal, on_a_terminal

from gradcheck_cli.functions import names
from gradcheck_cli.language.errors import Mistake, ProgramError, Span
from gradcheck_cli.language.parse import parse
from gradcheck_cli.manual.functions import listing, page

PROGRAMS = [
    "sigmod(x)",
    "sin(x) + cos(x)*tan(x) + sigmod(x)*exp(-x**2/2) + log(x + 1)*sqrt(x**2 + 1)",
    "x + " * 200 + "sigmod(x)",
    "sigmod(x)" + " + x" * 200,
    "sigmod(" + "x + " * 200 + "x)",
    "é漢字 + " * 30 + "sigmod(x)*漢字" + " + 漢" * 30,
    "sin(x, y, 2, 3)" + "*x" * 60,
]


def caught(text):
    """The mistakes in a program."""
    with pytest.raises(ProgramError) as error:
        parse(text)
    return error.value.mistakes


@pytest.mark.parametrize("width", [20, 40, 60, 200])
@pytest.mark.parametrize("text", PROGRAMS)
def test_a_message_fits_and_its_carets_stand_below_the_place(text, width):
    """Words that are wider than a line apart; all words are there."""
    for mistake in caught(text):
        lines = mistake.within(width).split("\n")
        assert "\n".join(lines).split() != []
        whole, wrapped = (
            [line for line in said.split("\n") if not line.startswith("  | ")]
            for said in (str(mistake), mistake.within(width))
        )
        assert " ".join(wrapped).split() == " ".join(whole).split()
        for line in lines:
            assert cell_len(line) <= width or max(map(cell_len, line.split())) > width - 14, line
        shown, carets = [line for line in lines if line.startswith("  | ")]
        assert cell_len(shown) <= width
        assert cell_len(carets) <= width
        # What stands above the first caret is the first sign of the place.
        start = carets.index("^")
        column, found = 0, ""
        for sign in shown:
            if column == start:
                found = sign
                break
            column += cell_len(sign)
        assert found == mistake.text[mistake.span.start]


def test_a_message_without_a_width_is_what_it_was():
    """For pipes and programs: a line is a line."""
    for text in PROGRAMS:
        for mistake in caught(text):
            assert mistake.within(None) == str(mistake)
            assert str(mistake).startswith(f"error[{mistake.code}]: {mistake.message}\n")


def test_a_word_that_is_wider_than_a_line_stays_whole():
    """A path is to be copied."""
    path = "/a" * 40
    lines = (
        Mistake("unreadable", f"`{path}` cannot be read", "x", Span(0, 1)).within(40).split("\n")
    )
    assert f"`{path}`" in [line.strip() for line in lines]


@pytest.mark.parametrize("width", [40, 60])
def test_pages_of_functions_fit(width):
    """Each of them, and the list of all; what they say is what they say without a limit. A number is
    never broken.
    """
    for made in [listing, *(lambda w, name=name: page(name, w) for name in sorted(names()))]:
        whole, narrow = made(None), made(width)
        assert "".join(narrow.split()) == "".join(whole.split())
        assert all(cell_len(line) <= width or line.isdigit() for line in narrow.splitlines())


def test_pages_that_fit_stay_as_they_are():
    """A wide terminal changes nothing."""
    assert listing(2_000) == listing()
    assert page("gelu", 500) == page("gelu")


@needs_a_terminal
@pytest.mark.parametrize("width", [40, 60])
def test_a_terminal_tells_its_width(width):
    """Stderr's own, for what is said on it; a pipe gets whole lines whatever COLUMNS is."""
    words = [PROGRAMS[1], "--at", "x=1"]
    code, said = on_a_terminal(words, width, "stderr")
    assert code == 2
    lines = said.removesuffix("\n").split("\n")
    [mistake] = caught(PROGRAMS[1])
    assert lines == mistake.within(width).split("\n")
    program = [sys.executable, "-m", "gradcheck_cli", *words]
    piped = subprocess.run(
        program, capture_output=True, text=True, check=False, env=environment(COLUMNS=str(width))
    )
    assert piped.stderr == f"{mistake}\n"
