"""First sight: seven reports as terminals of four widths show them."""

from __future__ import annotations

import re
from contextlib import closing

import pytest
from rich.cells import cell_len
from screens import COMMANDS, WIDTHS, golden, screen, stored
from terminals import needs_a_terminal, on_a_terminal
from tool import Tool

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """The seven reports."""
    folder = tmp_path_factory.mktemp("screens")
    with closing(Tool()) as tool:
        return {name: stored(tool, name, folder) for name in COMMANDS}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_screen(name, width, reports):
    """As it was looked at and found good; no line is wider than the terminal, but what must be
    copied whole.
    """
    text = screen(reports[name], width)
    assert text == golden(name, width).read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if cell_len(line) > width] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_a_partial_is_a_row_at_80_columns(name, reports):
    """Name, analytic, autograd and outcome on one line; a grid and a matrix are summed up."""
    lines = screen(reports[name], 80).splitlines()
    rows = [line for line in lines if re.search(r"∂f/∂\S+ .* (agree|wrong|imprecise|kink)$", line)]
    assert rows
    assert len(lines) <= {"failing": 140}.get(name, 45)


@needs_a_terminal
@pytest.mark.parametrize("name", COMMANDS)
def test_a_terminal_shows_it_in_colour(name, reports):
    """The text of the golden, and some of it coloured."""
    _, text = on_a_terminal(["report", str(reports[name])], 80)
    assert COLOUR.sub("", text) == golden(name, 80).read_text(encoding="utf-8")
    assert COLOUR.search(text)


@needs_a_terminal
def test_the_digits_that_leave_the_truth_are_marked():
    """The last two of twelve, and no other."""
    _, text = on_a_terminal(COMMANDS["example"], 80)
    assert COLOUR.sub("", text) == golden("example", 80).read_text(encoding="utf-8")
    assert "7.402760985\x1b[33m90\x1b[0me-4" in text
