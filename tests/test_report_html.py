"""A report as a piece of a page: what it shows, that nothing in it acts, and that it can be read on
light and on dark.
"""

from __future__ import annotations

import json
import re
from copy import deepcopy
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from shared_report import shared_report
from test_report_hostile import ACTS, FREE, HOSTILE, SMALL, put

from gradcheck_cli import check
from gradcheck_cli.language.mathml import equation
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.reports.html import BADGES, MAX_LISTED, MAX_PROGRAMS, fragment
from gradcheck_cli.reports.stored import read_report

HTML = {"div", "pre", "code", "span", "table", "tr", "th", "td"}
MATHML = {"math", "mrow", "mfrac", "msup", "msub", "msqrt", "mi", "mn", "mo", "mtext", "mspace"}
ATTRIBUTES = {"class", "style", "displaystyle", "width"}


class Reader(HTMLParser):
    """Elements, attributes and texts of a page, and whether it is well formed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts, self.open = set(), [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += attributes
        if tag != "mspace":
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def handle_comment(self, data):
        raise AssertionError("a comment")

    handle_decl = handle_pi = unknown_decl = handle_comment

    @property
    def text(self):
        return "".join(self.texts)


def harmless(text):
    """The page, read, if nothing in it acts on anything."""
    page = Reader(text)
    assert page.tags <= HTML | MATHML
    assert {name for name, _ in page.attributes} <= ATTRIBUTES
    for name, value in page.attributes:
        if name == "style":
            assert not re.search(r"url|expression|import|[\\@<>]|//", value), value
    assert ACTS.sub("", page.text).replace("\N{FUNCTION APPLICATION}", "") == page.text.replace(
        "\N{FUNCTION APPLICATION}", ""
    )
    return page


def page_of(report, **options):
    return harmless(fragment(report, equation, **options))


def test_a_page_shows_what_the_table_shows():
    """Program, point, value, drawn formula, every number, outcome and sentence."""
    report = check("sigmoid(x**2)+tanh(x**3)", {"x": 3})
    page = harmless(report._repr_html_())
    partial = report.records[0]["partials"][0]
    for text in (
        "sigmoid(x**2)+tanh(x**3)",
        "x = 3, float64, cpu",
        repr(partial["analytic"]["value"]),
        repr(partial["autograd"]["value"]),
        f"{partial['autograd']['ulps']:.4g} ulp",
        "agree",
        "mostly at tanh(x**3)",
    ):
        assert text in page.text, text
    assert {"math", "msup", "mfrac", "table"} <= page.tags


def test_the_value_of_torch_stands_there_and_the_true_one_where_it_differs():
    """None where there is none."""
    assert "f = 9" in page_of(check("x**2", {"x": 3})).text
    assert "true" not in page_of(check("x**2", {"x": 3})).text
    both = page_of(check("sigmoid(x**2)+tanh(x**3)", {"x": 3})).text
    assert "f = 1.9998766054240136 (true: 1.9998766054240138)" in both
    assert "f = inf" in page_of(check("1/x", {"x": 0})).text
    assert "None" not in page_of(check("1/x", {"x": [0, 1]})).text


@pytest.mark.parametrize("verbose", [False, True])
@pytest.mark.parametrize("quiet", [False, True])
def test_every_report_has_a_page(verbose, quiet):
    """That of all outcomes too."""
    page = page_of(shared_report(), verbose=verbose, quiet=quiet)
    assert {str(outcome) for outcome in shared_report().summary} - {"agree", "skipped"} <= set(
        page.texts
    )


def test_a_hostile_program_does_nothing():
    """Of the language's texts a comment may hold anything."""
    report = check("x**2 # <script>alert(1)</script><img src=x onerror=y()>&\u202e", {"x": 3})
    assert "<script>alert(1)</script><img src=x onerror=y()>&\\u202e" in page_of(report).text


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_report_does_nothing(name):
    """One that is hostile at each place where any text may stand."""
    for path in FREE:
        page_of(read_report(json.dumps(put(deepcopy(SMALL), path, HOSTILE[name]))), verbose=True)


@pytest.mark.parametrize(
    "lie",
    ["<script>", "<p onclick='a()'>", "<div style='background:url(a)'>", "<a href='b'>", "<div>", "<!-- a -->", "\u202e"],
)  # fmt: skip
def test_harm_is_seen(lie):
    """The reader above can fail."""
    with pytest.raises(AssertionError):
        harmless(f"<div>{lie}</div>")


def luminance(colour):
    """As WCAG 2.2 defines it, of `#rgb` or `#rrggbb`."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    parts = [int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    """Of two colours, 1 to 21."""
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def test_it_can_be_read_on_light_and_on_dark():
    """Whatever sets a colour of its own sets that behind it as well, with enough contrast (WCAG
    AA); the rest has the colour of the page.
    """
    page = page_of(shared_report(), verbose=True)
    badges = 0
    for style in {value for name, value in page.attributes if name == "style"}:
        own = dict(part.split(":") for part in style.split(";"))
        if own.get("color", "inherit") != "inherit":
            badges += 1
            assert contrast(own["color"], own["background"]) >= 4.5
        else:
            assert own.get("background", "transparent") == "transparent"
        for rule in re.findall(r"border-bottom:1px solid (#\w+)", style):
            assert min(contrast(rule, "#fff"), contrast(rule, "#111")) >= 3
    assert badges >= 4
    assert round(contrast("#fff", "#000")) == 21
    assert contrast("#777777", "#fff") < 4.5


def test_every_outcome_has_a_colour():
    """One that is added is not forgotten here."""
    assert {outcome.style for outcome in Outcome} == set(BADGES)


def test_a_large_report_has_a_small_page():
    """The worst partials first, the rest counted; a program each up to a number; all if asked."""
    grid = check("relu(x)", {"x": f"-50:50:{2 * MAX_LISTED + 1}"})
    page = page_of(grid)
    assert page.text.count("kink") >= 2
    assert page.text.count("∂f/∂x") < 2 * MAX_LISTED
    assert f"… and {MAX_LISTED + 1} partials more" in page.text
    assert page_of(grid, verbose=True).text.count("outcome") == 1
    assert f"{MAX_LISTED + 1} partials" not in page_of(grid, verbose=True).text
    records = [{**grid.records[0], "expression": f"relu(x) + {k}"} for k in range(MAX_PROGRAMS + 3)]
    text = page_of(replace(grid, records=records)).text
    assert text.count("relu(x) + ") == MAX_PROGRAMS
    assert "… and 3 programs more" in text


def test_a_formula_without_a_drawing_is_text():
    """And is cut as in the table, whole if asked."""
    report = check("x", {"x": 1})
    text = harmless(fragment(report, lambda name, formula: None)).text
    assert "∂f/∂x = 1" in text
