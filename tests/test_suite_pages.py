"""The examples of suite files in docs/: those of the format are read, those of mistakes say what
stands below them.
"""

from __future__ import annotations

import re

import pytest
from test_suite_file import read, said
from update_docs import ROOT, blocks

from gradcheck_cli.manual import pages
from gradcheck_cli.suites.keys import CASE, SUITE

FORMAT = (ROOT / "docs" / "suites.md").read_text(encoding="utf-8")
# Sections on mistakes that show a suite.
SECTIONS = [
    code
    for code in re.findall(
        r"^## (.*)$", (ROOT / "docs" / "errors.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    if blocks(pages.section(code), "yaml")
]


@pytest.mark.parametrize(
    "text", blocks(FORMAT, "yaml"), ids=lambda text: text.split("- ")[1].split("\n")[0]
)
def test_an_example_of_the_format_is_read(text):
    """Every block is a whole file."""
    assert read(text).cases


@pytest.mark.parametrize("code", SECTIONS)
def test_an_example_of_a_mistake_makes_it(code):
    """The whole text, as the page has it."""
    section = pages.section(code)
    (message,) = blocks(section, "text")
    (text,) = blocks(section, "yaml")
    found = said(text, "suite.gradcheck.yaml")
    assert f"{found}\n" == message
    assert f"error[{code}]" in found


def test_every_key_has_a_row():
    """Both tables name the keys there are, and no other."""
    tables = {
        "The keys of a file": SUITE,
        "The keys of a case": CASE,
    }
    for heading, record in tables.items():
        table = FORMAT.split(f"## {heading}\n")[1].split("\n## ")[0]
        told = [
            name
            for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
            for name in re.findall(r"`([\w-]+)`", row)
        ]
        assert told == [key.name for key in record.keys]


def test_what_the_page_says_of_counts_is_true():
    """Numbers of points in words."""
    counts = [
        [len(case.points) * len(case.runs) for case in read(text).cases]
        for text in blocks(FORMAT, "yaml")
    ]
    assert counts[0] == [1, 4], "the second has two points in two dtypes: four checks"
    assert counts[2] == [2, 1, 1, 1], "a function has one point"
    assert counts[3] == [15], "3 times 5 points"
