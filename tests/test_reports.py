"""Every report format, over one shared Report: the same bytes for the same Report, no number cut,
no text taken for markup.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from dataclasses import replace

import pytest
from rich.cells import cell_len
from shared_report import golden, results, shared_report

from gradcheck_cli.checks.result import report_of
from gradcheck_cli.language.parse import parse
from gradcheck_cli.questions.numbers import read_points
from gradcheck_cli.questions.question import Request, cases_of
from gradcheck_cli.records.outcome import OUTCOMES
from gradcheck_cli.records.report import Report
from gradcheck_cli.reports import FORMATS, SUFFIXES, renderer
from gradcheck_cli.reports.csv import COLUMNS, MAX_REPEATED_POINT
from gradcheck_cli.reports.facts import MAX_EXPLAINED, MAX_SENTENCES
from gradcheck_cli.reports.markdown import code, fence, prose
from gradcheck_cli.reports.table import STYLES, render
from gradcheck_cli.reports.wrap import TOKEN
from gradcheck_cli.witnesses.analytic import Formula

WIDTHS = [20, 40, 60, 80, 100, 120, 200]
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def numbers(text: str) -> set[str]:
    """Every number of a text that is whole on its line."""
    return {token["number"] for token in TOKEN.finditer(text) if token["number"]}


def too_wide(text: str, width: int) -> list[str]:
    """Lines wider than asked for, those that are nothing but one number apart."""
    found = [line for line in text.splitlines() if cell_len(line) > width]
    return [line for line in found if not ((token := TOKEN.fullmatch(line)) and token["number"])]


def of(name: str | None) -> Report:
    """The part of the shared report whose cases have this id."""
    return report_of([result for result in shared_report().results if result.id == name])


def test_the_shared_report_meets_every_outcome() -> None:
    """Else the goldens and the schema are held against less than there is."""
    assert {
        verdict.outcome for result in shared_report().results for verdict in result.verdicts
    } == set(OUTCOMES)


@pytest.mark.parametrize("name", FORMATS)
def test_golden(name: str) -> None:
    """What a format makes of the shared report; `python tests/shared_report.py` writes the goldens
    anew.
    """
    assert renderer(name)(shared_report()) == golden(name).read_bytes().decode()


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_report_gives_the_same_bytes_whatever_the_environment(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """COLUMNS, colour variables and TERM are the command line's to read, not a report's."""
    before = renderer(name)(shared_report())
    for variable, value in {
        "COLUMNS": "30",
        "LINES": "5",
        "FORCE_COLOR": "1",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "GITHUB_ACTIONS": "true",
    }.items():
        monkeypatch.setenv(variable, value)
    assert renderer(name)(shared_report()) == before


def test_every_suffix_names_a_format() -> None:
    """`--export FILE` finds its format; two of them have no ending of their own."""
    assert set(SUFFIXES.values()) == set(FORMATS) - {"github", "gitlab"}


@pytest.mark.parametrize("verbose", [False, True])
@pytest.mark.parametrize("width", WIDTHS)
def test_at_any_width_every_number_stands_in_full(width: int, verbose: bool) -> None:
    """The numbers are those of the natural width, none more (a cut number would be a new one) and
    none less.
    """
    text = render(shared_report(), width=width, verbose=verbose)
    assert numbers(text) == numbers(render(shared_report(), verbose=verbose))
    assert too_wide(text, width) == []


def test_a_cut_number_and_a_wide_line_are_seen() -> None:
    """The two checks above are fed lies."""
    text = render(shared_report(), width=80)
    cut = text.replace("0.6000000238418579", "0.60000002384…")
    assert cut != text
    assert numbers(cut) != numbers(text)
    assert too_wide(text.replace("∂f/∂x: wrong", "∂f/∂x: wrong" + " beyond" * 12), 80)
    assert not too_wide("0.12345678901234567890123", 20)
    assert too_wide("x 0.12345678901234567890", 20)


def test_a_width_that_fits_changes_nothing_and_one_less_stacks() -> None:
    """The table is kept as long as it fits."""
    report = of("nan")
    lines = render(report).splitlines()
    widest = max(cell_len(line) for line in lines if "─" in line)
    assert next(line for line in lines if "─" in line) in render(report, width=widest).splitlines()
    stacked = render(report, width=widest - 1)
    assert "─" not in stacked
    assert "autograd: nan\n" in stacked


def test_without_colour_there_is_no_escape_code_and_with_it_only_colour_is_added() -> None:
    """The text is the same, and each outcome has its style."""
    for options in ({}, {"width": 60}, {"verbose": True}, {"quiet": True}):
        plain, coloured = (
            render(shared_report(), **options),
            render(shared_report(), color=True, **options),
        )
        assert "\x1b" not in plain
        assert _COLOUR.sub("", coloured) == plain
    coloured = render(shared_report(), color=True)
    codes = {"green": "32", "bold red": "1;31", "yellow": "33", "magenta": "35"}
    assert set(STYLES) > set(OUTCOMES)
    assert all(
        f"\x1b[{codes[STYLES[outcome]]}m{outcome}\x1b[0m" in coloured for outcome in OUTCOMES
    )


def test_the_users_text_is_never_taken_for_markup_or_for_escape_codes() -> None:
    """Brackets, emoji names and control characters in an id and in a program come out as they went
    in, or as visible escapes.
    """
    result = replace(results()[-1], id="[red]x[/red] :smile: \x1b[31m\u202e\x07")
    program = replace(result.evidence.case.program, text="y = x[0]\ny*[2, 3] # [bold]")
    report = report_of(
        [
            replace(
                result,
                evidence=replace(
                    result.evidence, case=replace(result.evidence.case, program=program)
                ),
            )
        ]
    )
    for color in (False, True):
        text = _COLOUR.sub("", render(report, color=color))
        assert "[red]x[/red] :smile: \\x1b[31m\\u202e\\x07; at x = 3" in text
        assert "y = x[0]\ny*[2, 3] # [bold]\n" in text
        assert "\x1b" not in text
    assert "\x1b" not in renderer("markdown")(report)


def test_quiet_leaves_what_is_not_plainly_good_and_the_summary() -> None:
    """Nothing of the tensor, which agrees; of the grid only the kinks."""
    text = render(shared_report(), quiet=True)
    assert "tensor" not in text
    grid = text.split("\n\n")[1].splitlines()
    assert [line.split()[-1] for line in grid[2:]] == ["kink", "kink"]
    counted = "6 agree (1 failing), 4 kink (1 failing), 3 wrong (1 expected to fail), 1 error, 1 inconclusive, 1 undefined, 1 detached (1 failing)"
    assert text.endswith(f"\n\n19 cases: {counted}, 1 imprecise, 1 skipped\n")
    assert render(of("tensor"), quiet=True) == "1 case: 1 agree\n"


def test_no_case_at_all() -> None:
    """Only the summary is left."""
    assert render(report_of([])) == "0 cases\n"
    assert renderer("markdown")(report_of([])) == "## 0 cases\n"


def test_an_opinion_that_disputes_an_agreement_is_told_even_if_quiet() -> None:
    """An agreement beside which SymPy is wrong is not plainly good."""
    result = of("tensor").results[0]
    answers = result.evidence.analytic
    assert isinstance(answers, tuple)
    lie = [
        replace(a, ball=a.ball + 1)
        for a in answers
        if isinstance(a, Formula) and a.ball is not None
    ]
    lying = replace(result, evidence=replace(result.evidence, analytic=tuple(lie)))
    text = render(report_of([lying]), quiet=True)
    assert "reproduce: gradcheck" in text
    # The analytic column no longer shows the truth, so the reference has a column of its own.
    assert "reference" in text.split("\n\n")[1]
    assert "reference" not in render(report_of([result]))


def test_what_is_said_of_many_is_said_once() -> None:
    """Equal sentences share their names; a long tail is counted, and shown when asked for."""
    result = of("tensor").results[0]
    kinked = replace(
        result,
        verdicts=tuple(replace(v, outcome="kink", reason="no derivative") for v in result.verdicts),
    )
    assert "∂f/∂W[0,0], ∂f/∂W[0,1], … (4 partials): kink: no derivative\n" in render(
        report_of([kinked])
    )
    many = replace(result, notes=tuple(f"note number {i}" for i in range(12)))
    assert (
        f"note: note number {MAX_EXPLAINED - 1}\n… and {12 - MAX_EXPLAINED} sentences more, which --verbose shows\n"
        in render(report_of([many]))
    )
    assert render(report_of([many]), verbose=True).count("note: note number") == 12
    several = [
        replace(kinked, verdicts=tuple(replace(v, reason=f"{i} {v.key}") for v in kinked.verdicts))
        for i in range(4)
    ]
    text = render(Report(several))
    assert text.count(": kink: ") == MAX_SENTENCES
    assert "… and 6 sentences more" in text


def test_a_long_formula_is_shortened_between_numbers_and_whole_when_asked_for() -> None:
    """No digit of it is lost inside a number."""
    result = of("tensor").results[0]
    terms = " + ".join(f"{i}.25*x" for i in range(100, 140))
    formula = Formula(terms, "", None, "the formula has no value at this point")
    long = report_of([replace(result, evidence=replace(result.evidence, analytic=(formula,) * 4))])
    line = next(line for line in render(long).splitlines() if line.startswith("∂f/∂W[0,0] ="))
    assert len(line) <= 100
    assert line.endswith("…")
    assert numbers(line) <= numbers(terms) | {"0"}
    assert f"∂f/∂W[0,0] = {terms}\n" in render(long, verbose=True)
    assert render(long).count("— analytic: the formula has no value at this point\n") == 1


@pytest.mark.parametrize("position", range(13))
def test_the_command_given_reproduces_the_case(position: int) -> None:
    """Read back, it asks for the same program at the same numbers, -0.0 included."""
    case = shared_report().results[position].evidence.case
    words = shlex.split(shared_report().records[position]["reproduce"])
    options = dict(zip(words[2::2], words[3::2], strict=True))
    again = cases_of(
        Request(
            parse(words[1]),
            read_points([options["--at"]]),
            dtypes=(options.get("--dtype", "float64"),),
        )
    )
    assert [(c.program.text, c.dtype, c.wrt) for c in again] == [
        (case.program.text, case.dtype, case.wrt)
    ]
    assert {name: array.tobytes() for name, array in again[0].at.items()} == {
        name: array.tobytes() for name, array in case.at.items()
    }


def test_csv_has_a_row_a_partial_and_numbers_stay_numbers() -> None:
    """Every cell of a number column is empty or read by `float`; `at` and `index` are JSON."""
    rows = list(csv.DictReader(io.StringIO(renderer("csv")(shared_report()))))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == sum(len(record["partials"]) or 1 for record in shared_report().records)
    for row in rows:
        for name in COLUMNS[8:20]:
            assert row[name] == "" or isinstance(float(row[name]), float)
        assert isinstance(json.loads(row["at"]), dict)
        assert (
            (isinstance(json.loads(row["index"]), list))
            if row["variable"]
            else (row["index"], row["outcome"]) in (("", "error"), ("", "skipped"))
        )
    assert {row["left"] for row in rows} >= {"-0.5", ""}


@pytest.mark.parametrize("text", ["=1+1", "+x", "-x**2", "@sum(x)", "\tx", "\rx"])
def test_csv_text_is_never_a_formula(text: str) -> None:
    """A spreadsheet would run an id such as `=HYPERLINK(...)`; a negative number is left alone."""
    report = report_of([replace(of("grid").results[0], id=text)])
    row = next(csv.DictReader(io.StringIO(renderer("csv")(report), newline="")))
    assert row["id"] == f"'{text}".replace("\r", "\n")
    assert row["autograd"] == "-0.5"


def test_csv_gives_a_large_point_once() -> None:
    """Else a file grows with the square of the point."""
    result = of("tensor").results[0]
    large = {"W": result.evidence.case.at["W"].repeat(MAX_REPEATED_POINT)}
    report = report_of(
        [
            replace(
                result,
                evidence=replace(result.evidence, case=replace(result.evidence.case, at=large)),
            )
        ]
    )
    rows = list(csv.DictReader(io.StringIO(renderer("csv")(report))))
    assert [bool(row["at"]) for row in rows] == [True, False, False, False]


def test_markdown_tables_are_whole() -> None:
    """Every row of a table has as many cells as its head, whatever the user's text holds."""
    result = replace(of("grid").results[0], id="a | b `c` \\| d")
    text = renderer("markdown")(report_of([result, *of("grid").results, *shared_report().results]))
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        counts = {len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in block.splitlines()}
        assert len(counts) == 1, block
    assert r"a \| b `c` \\\| d" in text


def test_markdown_escapes() -> None:
    """Code keeps its text, all else is literal; no text closes its own fence."""
    assert prose("`a*b` * c | [d](e) <f> @g `") == r"`a*b` \* c \| \[d\](e) \<f\> \@g " + r"\`"
    assert code("a`b") == "`` a`b ``"
    assert fence("```\nx", "python") == "````python\n```\nx\n````"
