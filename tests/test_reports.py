"""Every report format, over one shared Report: the same bytes for the same Report, no number cut,
no text taken for markup.
"""

from __future__ import annotations

import ast
import csv
import io
import json
import re
import shlex
import subprocess
import sys
from copy import deepcopy
from dataclasses import replace
from decimal import Context, Decimal
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from clocks import HUNG
from flint import ctx
from jsonschema import Draft202012Validator
from rich.cells import cell_len
from shared_report import golden, live_report, shared_report

from gradcheck_cli import records, reports
from gradcheck_cli.records.numbers import numbers_of
from gradcheck_cli.records.outcome import OUTCOMES, Cause, Outcome
from gradcheck_cli.records.record import opinions_of
from gradcheck_cli.records.report import Report
from gradcheck_cli.reports import FORMATS, SUFFIXES, formats_in, renderer, shows_formulas
from gradcheck_cli.reports.csv import COLUMNS, MAX_REPEATED_POINT
from gradcheck_cli.reports.diff import compare_reports
from gradcheck_cli.reports.facts import MAX_EXPLAINED, groups
from gradcheck_cli.reports.format import size_of
from gradcheck_cli.reports.json import document
from gradcheck_cli.reports.markdown import code, fence, prose
from gradcheck_cli.reports.matrix import matrices
from gradcheck_cli.reports.schema import report_schema
from gradcheck_cli.reports.stored import read_report
from gradcheck_cli.reports.table import STYLES, render
from gradcheck_cli.reports.wrap import TOKEN

if TYPE_CHECKING:
    from gradcheck_cli.records.record import Record

WIDTHS = [20, 40, 60, 80, 100, 120, 200]
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def numbers(text: str) -> set[str]:
    """Every number of a text that is whole on its line."""
    return {token["number"] for token in TOKEN.finditer(text) if token["number"]}


def too_wide(text: str, width: int) -> list[str]:
    """Lines wider than asked for, those that are nothing but one number apart."""
    found = [line for line in text.splitlines() if cell_len(line) > width]
    return [line for line in found if not ((token := TOKEN.fullmatch(line)) and token["number"])]


def of(name: str) -> list[Record]:
    """The cases of the shared report that have this id, to be changed at will."""
    return deepcopy([record for record in shared_report().records if record["id"] == name])


def with_partials(record: Record, **facts: Any) -> Record:
    """A copy in which every partial says something else."""
    return record | {"partials": [partial | facts for partial in record["partials"]]}


def test_the_shared_report_meets_every_outcome() -> None:
    """Else the goldens and the schema are held against less than there is."""
    partials = [partial for record in shared_report().records for partial in record["partials"]]
    assert {partial["outcome"] for partial in partials} == set(OUTCOMES)


@pytest.mark.parametrize("bits", [30, 53, 256])
def test_the_shared_report_is_what_checks_give(bits: int) -> None:
    """Everything else about reports is tested on its JSON; whatever precision is in force."""
    with ctx.workprec(bits):
        assert renderer("json")(live_report()) == golden("json").read_text(encoding="utf-8")


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


def test_formats_are_listed_in_order() -> None:
    """A contract with users: `--help` and messages name them so."""
    assert " ".join(FORMATS) == "table json jsonl csv markdown junit github gitlab sarif tap"
    assert set(SUFFIXES.values()) == set(FORMATS) - {"github", "gitlab"}
    assert SUFFIXES[".ndjson"] == "jsonl"


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_read_of_a_format_is_what_it_says(name: str) -> None:
    """The lines are read as text; here they are imported."""
    module = import_module(f"gradcheck_cli.reports.{name}")
    assert shows_formulas(name) is getattr(module, "FORMULAS", True)
    assert tuple(FORMATS).index(name) == module.RANK - 1
    assert {suffix for suffix, known in SUFFIXES.items() if known == name} == set(module.SUFFIXES)


def test_a_format_is_a_file(tmp_path: Path) -> None:
    """One more in the folder is one more format; a file without the two lines is none."""
    for path in Path(reports.__file__).parent.glob("*.py"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert tuple(formats_in(tmp_path)) == FORMATS
    (tmp_path / "latex.py").write_text('\nRANK = 11\nSUFFIXES = (".tex", ".latex")\n', "utf-8")
    (tmp_path / "other.py").write_text('"""RANK = 12"""\n', "utf-8")
    assert tuple(formats_in(tmp_path)) == (*FORMATS, "latex")
    assert formats_in(tmp_path)["latex"] == ((".tex", ".latex"), True)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_says_whether_it_shows_formulas(name: str) -> None:
    """Of a report without them one that shows none makes the same; GitHub has them on the page of a
    job, as Markdown.
    """
    report = shared_report()
    bare = replace(report, records=list(map(without_formulas, report.records)))
    is_same = renderer(name)(bare) == renderer(name)(report)
    assert is_same is (not shows_formulas(name) or name == "github")


def without_formulas(record: Record) -> Record:
    """A record as a run makes it that shows no formulas."""
    bare = deepcopy(record)
    for partial in (*bare["partials"], *(bare["also"] or {"partials": ()})["partials"]):
        for word in ("formula", "latex", "gradient"):
            partial["analytic"].pop(word, None)
    return bare


def foreign(text: str) -> list[str]:
    """What a module imports of other rooms, types included."""
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    modules = [str(node.module) for node in nodes]
    own = re.compile(
        r"gradcheck_cli\.(?:records|reports)\b|gradcheck_cli\.language\.(?:errors|files)$"
    )
    return [name for name in modules if name.startswith("gradcheck_cli") and not own.match(name)]


def test_reports_import_records_alone() -> None:
    """And the shape of a user's mistakes, and how a file is read; records import nothing but each
    other.
    """
    for room in (reports, records):
        for path in Path(room.__file__).parent.glob("*.py"):
            found = foreign(path.read_text(encoding="utf-8"))
            # The version of this package is one that a report states.
            assert found == ["gradcheck_cli"] * (path.name == "versions.py"), path
    assert foreign("from gradcheck_cli.judge.measure import digits") == [
        "gradcheck_cli.judge.measure"
    ]
    assert foreign("def f():\n    from gradcheck_cli.language.parse import parse")


NUMERICS = ("numpy", "flint", "torch", "sympy", "mpmath")


def numerics_loaded(*words: str, before: str = "") -> list[str]:
    """The numerical libraries that a command has loaded when it ends.

    `main` leaves by os._exit, so the command line is run through Typer's app here.
    """
    program = f"""
import sys
{before}
from gradcheck_cli.cli import app
try:
    app({list(words)!r}, standalone_mode=True)
except SystemExit as end:
    assert end.code in (0, 1, 3), end.code
print(*[name for name in {NUMERICS!r} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=HUNG
    )
    assert done.stdout
    return done.stderr.split()


def test_a_stored_report_needs_no_numerics(tmp_path: Path) -> None:
    """Whatever is made of it; a library that is loaded is seen."""
    whole = tmp_path / "whole.json"
    whole.write_bytes(golden("json").read_bytes())
    exports = [f"--export={name}:{tmp_path / name}" for name in FORMATS]
    assert numerics_loaded("report", str(whole), *exports) == []
    for name in set(FORMATS) - {"table"}:  # a file has the long one
        assert (tmp_path / name).read_bytes() == golden(name).read_bytes()
    suite = tmp_path / "suite.json"
    records = [record for record in shared_report().records if record["source"] is not None]
    suite.write_text(renderer("json")(Report(records, (), shared_report().environment)), "utf-8")
    assert numerics_loaded("merge", str(suite)) == []
    for form in ("table", "json"):
        assert numerics_loaded("diff", str(whole), str(suite), "--format", form) == []
    assert numerics_loaded("diff", str(whole), str(whole), before="import numpy") == ["numpy"]


@pytest.mark.parametrize("width", WIDTHS)
def test_at_any_width_every_number_stands_in_full_if_asked_for(width: int) -> None:
    """The numbers are those of the natural width, none more (a cut number would be a new one) and
    none less.
    """
    text = render(shared_report(), width=width, verbose=True)
    blocks = [block for group in groups(shared_report()) for block in matrices(group)]
    matrix = numbers("\n".join(line for block in blocks for line in block))
    assert numbers(text) | matrix == numbers(render(shared_report(), verbose=True))
    assert too_wide(text, width) == []


def cut_numbers(text: str) -> set[str]:
    """The numbers of a text that are none of the report, and no rounding of one."""
    pool = [Decimal(number) for number in numbers(render(shared_report()))]
    left = numbers(text) - set(map(str, pool))
    return {number for number in left if not any(is_rounding(number, full) for full in pool)}


def is_rounding(text: str, full: Decimal) -> bool:
    """Whether a number is another with fewer digits; a bar or a tolerance is rounded up or to one
    digit.
    """
    short = Decimal(text)
    digits = len(short.as_tuple().digits)
    is_near = Context(prec=digits).plus(full) == short
    # A bar holds what rounding its number to one digit of it shifts.
    return is_near or (digits == 1 and full <= short <= full * Decimal("1.5"))


@pytest.mark.parametrize("width", WIDTHS)
def test_at_any_width_numbers_are_rounded_and_never_cut(width: int) -> None:
    """Each is a number of the natural width, or the nearest one of fewer digits."""
    text = render(shared_report(), width=width)
    assert cut_numbers(text) == set()
    assert too_wide(text, width) == []


def test_a_cut_number_and_a_wide_line_are_seen() -> None:
    """The checks above are fed lies."""
    text = render(shared_report(), width=80)
    cut = text.replace("0.600000023842", "0.600000023841")
    assert cut != text
    assert cut_numbers(cut) == {"0.600000023841"}
    assert too_wide(text.replace("∂f/∂x: wrong", "∂f/∂x: wrong" + " beyond" * 12), 80)
    assert not too_wide("0.12345678901234567890123", 20)
    assert too_wide("x 0.12345678901234567890", 20)


def test_a_width_that_fits_changes_nothing_and_a_narrow_one_stacks() -> None:
    """The table is kept as long as it fits; then numbers are shorter; a list is the last resort."""
    report = Report(of("nan"))
    lines = render(report).splitlines()
    widest = max(cell_len(line) for line in lines if "─" in line)
    assert next(line for line in lines if "─" in line) in render(report, width=widest).splitlines()
    for width in range(60, widest):
        assert "─" in render(report, width=width)
    stacked = render(report, width=59)
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
    (record,) = of("cancelled")
    record |= {"id": "[red]x[/red] :smile: \x1b[31m\u202e\x07"}
    record |= {"expression": "y = x[0]\ny*[2, 3] # [bold]"}
    for color in (False, True):
        text = _COLOUR.sub("", render(Report([record]), color=color))
        assert "[red]x[/red] :smile: \\x1b[31m\\u202e\\x07; at x = 100000000" in text
        assert "y = x[0]\ny*[2, 3] # [bold]\n" in text
        assert "\x1b" not in text
    assert "\x1b" not in renderer("markdown")(Report([record]))


def test_quiet_leaves_what_is_not_plainly_good_and_the_summary() -> None:
    """Nothing of the tensor, which agrees; of the grid only the kinks."""
    text = render(shared_report(), quiet=True)
    assert "tensor" not in text
    grid = text.split("\n\n")[1].splitlines()
    assert [line.split()[-1] for line in grid[2:]] == ["kink", "kink"]
    counted = "5 agree, 3 kink, 3 failing (detached, kink, agree), 2 wrong, 1 error, 1 inconclusive, 1 undefined"
    assert text.endswith(
        f"\n\n19 cases: {counted}, 1 imprecise, 1 skipped, 1 expected to fail (wrong)\n"
    )
    assert render(Report(of("tensor")), quiet=True) == "1 case: 1 agree\n"


def test_no_case_at_all() -> None:
    """Only the summary is left."""
    assert render(Report()) == "0 cases\n"
    assert renderer("markdown")(Report()) == "## 0 cases\n"


@pytest.mark.parametrize("witness", ["analytic", "numeric", "claimed"])
def test_an_opinion_that_disputes_an_agreement_is_told_even_if_quiet(witness: str) -> None:
    """An agreement beside which SymPy, or any other witness, is wrong is not plainly good."""
    (record,) = of("tensor")
    lying = deepcopy(record)
    for partial in lying["partials"]:
        partial[witness] = partial.get(witness, {}) | {"value": 0.125, "agrees": False}
    assert "reproduce: gradcheck" in render(Report([lying]), quiet=True)
    # Where the analytic column does not show the truth, the reference has a column of its own.
    head = render(Report([lying]), quiet=True).split("\n\n")[1].splitlines()[0]
    assert ("reference" in head) == (witness == "analytic")
    assert "reference" not in render(Report([record]))


def test_what_is_said_of_many_is_said_once() -> None:
    """Equal sentences share their names; a long tail is counted, and shown when asked for."""
    (record,) = of("tensor")
    kink = with_partials(record, outcome=Outcome.KINK, reason="no derivative")
    assert "∂f/∂W[0,0], ∂f/∂W[0,1], … (4 partials): kink: no derivative\n" in render(Report([kink]))
    many = Report([record | {"notes": [f"note number {i}" for i in range(12)]}])
    assert (
        f"note: note number {MAX_EXPLAINED - 1}\n… and {12 - MAX_EXPLAINED} sentences more, which --verbose shows\n"
        in render(many)
    )
    assert render(many, verbose=True).count("note: note number") == 12
    several = [deepcopy(kink) for _ in range(4)]
    for i, partial in enumerate(partial for case in several for partial in case["partials"]):
        partial["reason"] = f"reason {i}"
    assert render(Report(several[:2])).count(": kink: ") == 8
    text = render(Report(several))
    assert text.count(": kink: ") == MAX_EXPLAINED
    assert "\n0 of 16 agree; 16 kink\n" in text
    assert render(Report(several), verbose=True).count(": kink: ") == 16


def test_a_long_formula_is_shortened_between_numbers_and_whole_when_asked_for() -> None:
    """No digit of it is lost inside a number."""
    terms = " + ".join(f"{i}.25*x" for i in range(100, 140))
    reason = "the formula has no value at this point"
    analytic = {"value": None, "reason": reason, "formula": terms, "latex": "", "agrees": None}
    long = Report([with_partials(of("tensor")[0], analytic=analytic)])
    line = next(line for line in render(long).splitlines() if line.startswith("∂f/∂W[0,0] ="))
    assert len(line) <= 100
    assert line.endswith("…")
    assert numbers(line) <= numbers(terms) | {"0"}
    assert f"∂f/∂W[0,0] = {terms}\n" in render(long, verbose=True)
    assert render(long).count(f"— analytic: {reason}\n") == 1


@pytest.mark.parametrize("position", range(13))
def test_the_command_given_reproduces_the_case(position: int) -> None:
    """Read back, it asks for the same program at the same numbers, -0.0 included."""
    record = shared_report().records[position]
    words = shlex.split(record["reproduce"])
    options = dict(zip(words[2::2], words[3::2], strict=True))
    assert words[:2] == ["gradcheck", record["expression"]]
    assert options.get("--dtype", "float64") == record["dtype"]
    assert set(options) <= {"--at", "--dtype"}
    for name, value in record["at"].items():
        typed = re.search(rf"(?:^|,){name}=((?:[^,\[]|\[.*\])+)", options["--at"])
        assert typed is not None
        again = json.loads(typed[1])
        assert size_of(again) == size_of(value)
        assert [repr(float(n)) for n in numbers_of(again)] == [repr(n) for n in numbers_of(value)]


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
    report = Report([of("grid")[0] | {"id": text}])
    row = next(csv.DictReader(io.StringIO(renderer("csv")(report), newline="")))
    assert row["id"] == f"'{text}".replace("\r", "\n")
    assert row["autograd"] == "-0.5"


def test_csv_gives_a_large_point_once() -> None:
    """Else a file grows with the square of the point."""
    (record,) = of("tensor")
    for size, given in (
        (MAX_REPEATED_POINT, [True] * 4),
        (MAX_REPEATED_POINT + 1, [True, *[False] * 3]),
    ):
        report = Report([record | {"at": {"W": [[0.5] * size]}}])
        rows = list(csv.DictReader(io.StringIO(renderer("csv")(report))))
        assert [bool(row["at"]) for row in rows] == given


def test_markdown_tables_are_whole() -> None:
    """Every row of a table has as many cells as its head, whatever the user's text holds."""
    odd = of("grid")[0] | {"id": "a | b `c` \\| d"}
    text = renderer("markdown")(Report([odd, *of("grid"), *shared_report().records]))
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        counts = {len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in block.splitlines()}
        assert len(counts) == 1, block
    assert r"a \| b `c` \\\| d" in renderer("markdown")(Report([odd, *of("grid")]))


def test_markdown_escapes() -> None:
    """Code keeps its text, all else is literal; no text closes its own fence."""
    assert prose("`a*b` * c | [d](e) <f> @g `") == r"`a*b` \* c \| \[d\](e) \<f\> \@g " + r"\`"
    assert code("a`b") == "`` a`b ``"
    assert fence("```\nx", "python") == "````python\n```\nx\n````"


def with_claimed(**lies: Any) -> Report:
    """A report in which a further witness has an opinion of every second partial, and abstains from
    the others.
    """
    report = deepcopy(shared_report())
    partials = [partial for record in report.records for partial in record["partials"]]
    for k, partial in enumerate(partials):
        opinion = {"value": 0.1 + k, "agrees": True} if k % 2 else {"abstained": "no | claimed"}
        partial["claimed"] = opinion | (lies if k % 2 else {})
    return report


def test_a_further_witness_stands_in_every_format() -> None:
    """Its name is known to none of them."""
    report, names = with_claimed(), ["reference", "analytic", "autograd", "numeric", "claimed"]
    assert [name for name, _ in opinions_of(report.records[0]["partials"][0])] == names
    text = render(report)
    heads = [line.split() for line in text.splitlines() if "autograd" in line]
    assert heads
    assert all(
        head[head.index("claimed") - 1 :][:3] == ["bar", "claimed", "error"] for head in heads
    )
    values = [
        p["claimed"]["value"]
        for r in report.records
        for p in r["partials"]
        if "value" in p["claimed"]
    ]
    # A table of more than ten partials shows some of them.
    assert all(f" {value!r} " in render(report, verbose=True) for value in values)
    assert "\n— claimed: no | claimed\n" in text
    assert "\nclaimed: 1.1\n" in render(report, width=30, verbose=True)
    rows = list(csv.DictReader(io.StringIO(renderer("csv")(report))))
    assert tuple(rows[0]) == (*COLUMNS, "claimed")
    assert [float(row["claimed"]) for row in rows if row["claimed"]] == values
    markdown = renderer("markdown")(report)
    assert "| numeric ± bar | claimed | error |" in markdown
    assert "- **— claimed**: no \\| claimed\n" in markdown
    for name in set(FORMATS) - {"table", "csv", "markdown", "json", "jsonl"}:
        assert renderer(name)(report) == golden(name).read_text(encoding="utf-8")
    for name in ("json", "jsonl"):
        again = read_report(renderer(name)(report))
        assert again.records == report.records


def test_a_further_witness_is_compared() -> None:
    """What it does not say any more, or says otherwise, is a change."""
    number = sum("value" in p["claimed"] for r in with_claimed().records for p in r["partials"])
    for other, stance in (
        (with_claimed(agrees=False), "disagrees"),
        (with_claimed(agrees=None), "has no value to compare"),
        (shared_report(), "is not asked"),
    ):
        diff = compare_reports(with_claimed(), other)
        assert {change.text for change in diff.changes} == {f"claimed agreed, now {stance}"}
        assert {change.kind for change in diff.changes} == {"opinion"}
        assert 0 < len(diff.changes) <= number
        assert diff.exit_code == 0
        assert compare_reports(other, with_claimed()).changes == ()


def test_the_schema_takes_a_further_witness_and_sees_its_lies() -> None:
    """An opinion is a number or a reason; any other object is something that came later."""
    schema = Draft202012Validator(report_schema())
    schema.validate(json.loads(renderer("json")(with_claimed())))
    for opinion, fits in (
        ({"value": None, "agrees": None, "reason": "no value"}, True),
        ({"value": "nan"}, True),
        ({"of": ["any", "kind"]}, True),
        ("text", True),
        ({"value": "one"}, False),
        ({"value": 1.0, "agrees": "yes"}, False),
        ({"value": 1.0, "radius": None}, False),
        ({"abstained": ""}, False),
        ({"abstained": "no", "value": 1.0}, False),
    ):
        data = json.loads(renderer("json")(with_claimed()))
        data["cases"][0]["partials"][0]["claimed"] = opinion
        assert schema.is_valid(data) == fits, opinion
        if fits:
            report = read_report(json.dumps(data))
            assert all(renderer(name)(report) for name in FORMATS)


def test_a_name_of_a_witness_is_taken_for_nothing_else() -> None:
    """It may come from a file of someone else."""
    name = "=a|b\n\x1b[31m"
    (record,) = of("tensor")
    odd = Report([with_partials(record, **{name: {"value": 1.0, "agrees": False}})])
    for form in ("table", "markdown", "csv"):
        assert "\x1b" not in renderer(form)(odd)
    assert "numeric ± bar  =a|b \\x1b[31m  error" in render(odd)
    assert r"| =a\|b \\x1b\[31m |" in renderer("markdown")(odd)
    assert "'=a|b\n\\x1b[31m" in next(csv.reader(io.StringIO(renderer("csv")(odd), newline="")))


def test_a_remedy_stands_in_what_data_is_made_of() -> None:
    """In JSON its program and what it regains, in CSV the program; older reports have none."""
    remedy = {"program": "-x", "digits_regained": 9.3}
    record = with_partials(of("nan")[0], remedy=remedy)
    rows = list(csv.DictReader(io.StringIO(renderer("csv")(Report([record])))))
    assert [row["remedy"] for row in rows] == ["'-x"]
    line = Draft202012Validator({"$defs": report_schema()["$defs"], "$ref": "#/$defs/jsonl_line"})
    assert line.is_valid(json.loads(json.dumps(record)))
    for wrong in ({"program": "x"}, "x", {"program": "x", "digits_regained": "many"}):
        assert not line.is_valid(json.loads(json.dumps(with_partials(record, remedy=wrong))))
    for partial in record["partials"]:
        del partial["remedy"]
    assert line.is_valid(json.loads(json.dumps(record)))
    rows = list(csv.DictReader(io.StringIO(renderer("csv")(Report([record])))))
    assert [row["remedy"] for row in rows] == [""]


def test_a_cause_stands_in_what_data_is_made_of() -> None:
    """In JSON as it is, in CSV in its column, which no newer one moves; sentences say it in their
    own words.
    """
    record = with_partials(of("nan")[0], cause=Cause.NO_PATH)
    report = Report([record])
    rows = list(csv.DictReader(io.StringIO(renderer("csv")(report))))
    assert [row["cause"] for row in rows] == ["no path"]
    assert COLUMNS.index("cause") == 26
    again = read_report(renderer("jsonl")(report)).records[0]
    assert again["partials"][0]["cause"] == "no path"
    assert renderer("table")(report) == renderer("table")(Report([again]))
    line = Draft202012Validator({"$defs": report_schema()["$defs"], "$ref": "#/$defs/jsonl_line"})
    assert not line.is_valid(json.loads(json.dumps(with_partials(record, cause="fate"))))
    assert document(report)["cases"][0] is record
    other = Report([with_partials(record, cause=Cause.OVERFLOW)])
    diff = compare_reports(report, other)
    assert (diff.exit_code, [change.kind for change in diff.changes]) == (0, ["cause"])
    assert diff.changes[0].text.startswith("no path → overflow: ")
    unstated = Report([with_partials(record, cause=None)])
    assert compare_reports(unstated, report).changes == ()


def test_an_outcome_says_all_that_formats_need() -> None:
    """A new one is a row of the enumeration."""
    for outcome in Outcome:
        assert STYLES[outcome] == outcome.style
        assert import_module("gradcheck_cli.reports.sarif").RULES[outcome] == outcome.meaning
        assert import_module("gradcheck_cli.reports.gitlab").SEVERITIES[outcome] == outcome.severity
