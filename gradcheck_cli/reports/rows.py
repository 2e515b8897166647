"""What a report tells people, before any layout: rows of cells, sentences, and which cases belong under one header."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from math import isfinite
from typing import TYPE_CHECKING, Any

from gradcheck_cli.judge.evidence import analytic_agrees, numeric_agrees
from gradcheck_cli.judge.measure import FREE_ULPS, digits
from gradcheck_cli.reports.format import NOTHING, array_text, count, partial_name, printable, to_the_bar, torch_number, with_bar
from gradcheck_cli.reports.json import DIGITS, nearest, reproduce, result_shape
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.analytic import Formula
from gradcheck_cli.witnesses.autograd import Measured
from gradcheck_cli.witnesses.reference import Certified

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gradcheck_cli.judge.outcome import Verdict
    from gradcheck_cli.suite.report import Report, Result

# How much is told unless asked for more: each is a guess at what fits on a screen.
MAX_SENTENCES, MAX_EXPLAINED, MAX_FORMULAS, MAX_COMMANDS, MAX_NAMES = 10, 3, 3, 3, 3


@dataclass(frozen=True)
class Row:
    """One partial as text.

    Attributes:
        cells: by column: reference, analytic, autograd, numeric, error, tolerance.
        settled: nothing is left to be told: it agrees, and so does every other opinion.
        needed: the reference says what the analytic column does not.
        abstentions: (witness, reason) behind each dash.
    """

    result: Result
    verdict: Verdict
    cells: Mapping[str, str]
    settled: bool
    needed: bool
    abstentions: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """`∂f/∂x`."""
        return partial_name(self.verdict.key)

    @property
    def plain(self) -> bool:
        """It agrees so closely that the row says it all."""
        return self.settled and self.verdict.ulps is not None and self.verdict.ulps <= FREE_ULPS


@dataclass(frozen=True)
class Sentence:
    """Something said once of one or many partials or cases; `kind` is an outcome, `note` or the like."""

    kind: str
    text: str
    about: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """What it is about: a few names, or the first two and how many there are."""
        mark = "; " if any(", " in name for name in self.about) else ", "
        if len(self.about) <= MAX_NAMES:
            return mark.join(self.about)
        return mark.join((*self.about[:2], f"… ({count(len(self.about), 'case' if self.kind == 'note' else 'partial')})"))


@dataclass(frozen=True)
class Group:
    """Consecutive cases of one program.

    Attributes:
        shared: what all cases have in common, by field: the id, each input, dtype, device, cotangent.
        differing: the fields that tell the cases apart.
        unsettled: the cases that are not plainly good.
    """

    results: Sequence[Result]
    rows: Sequence[Row]
    shared: Mapping[str, str]
    differing: tuple[str, ...]
    unsettled: Sequence[Result]
    fields: Mapping[int, Mapping[str, str]] = field(repr=False)

    def label(self, result: Result) -> str:
        """What tells a case apart from the others: `x = 0, float32`; empty if it is alone."""
        return said(self.fields[id(result)], self.differing)

    def subject(self, row: Row) -> str:
        """`∂f/∂x`, or `∂f/∂x at x = 0, float32` among several cases."""
        label = self.label(row.result)
        return f"{row.name} at {label}" if label else row.name


def groups(report: Report, *, verbose: bool = False) -> list[Group]:
    """The cases of a report, those of one program that follow each other together."""
    return [_group(list(found), verbose) for _, found in groupby(report.results, key=lambda result: result.evidence.case.program.text)]


def _group(results: list[Result], verbose: bool) -> Group:
    fields = {id(result): _fields(result, verbose) for result in results}
    names = dict.fromkeys(name for result in results for name in fields[id(result)])
    values = {name: {fields[id(result)].get(name, "") for result in results} for name in names}
    shared = {name: found.copy().pop() for name, found in values.items() if len(found) == 1}
    rows = {id(result): rows_of(result, verbose=verbose) for result in results}
    unsettled = [result for result in results if not _settled(result, rows[id(result)])]
    differing = tuple(name for name in names if name not in shared)
    return Group(results, [row for result in results for row in rows[id(result)]], shared, differing, unsettled, fields)


def _settled(result: Result, rows: Sequence[Row]) -> bool:
    """Whether a case is plainly good: every partial agrees, and nothing is noted but numbers that were rounded."""
    return all(row.settled for row in rows) and len(result.notes) <= len(result.evidence.case.moved)


def _fields(result: Result, verbose: bool) -> dict[str, str]:
    """What was asked, as text; inputs under `name =`, so that none can be taken for another field."""
    case = result.evidence.case
    found = {"case": printable(result.id)} if result.id is not None else {}
    found |= {f"{name} =": array_text(case.at[name], whole=verbose) for name in case.program.variables}
    found |= {"dtype": case.dtype.name, "device": case.device}
    if case.cotangent is not None:
        found["cotangent"] = array_text(case.cotangent, whole=verbose)
    elif result_shape(result):
        found["cotangent"] = "ones"
    return found


def said(fields: Mapping[str, str], names: Iterable[str]) -> str:
    """Fields in a sentence: `x = 0, float32, cpu`."""
    bare = ("case", "dtype", "device")
    return ", ".join(fields[name] if name in bare else f"{name} {fields[name]}" for name in names if name in fields)


def rows_of(result: Result, *, verbose: bool = False) -> list[Row]:
    """A row for each partial of a case."""
    return [_row(result, k, verdict, verbose) for k, verdict in enumerate(result.verdicts)]


def _row(result: Result, position: int, verdict: Verdict, verbose: bool) -> Row:
    witnessed, formula, answer, difference = result.evidence.of(position)
    # Proved by the reference, or by the judge from the two sides of a boundary.
    truth = witnessed.ball if isinstance(witnessed, Certified) else verdict.truth
    derived = isinstance(formula, Formula) and formula.ball is not None
    cells = {
        "reference": NOTHING if truth is None else digits(truth, DIGITS) if verbose else repr(nearest(truth)),
        "analytic": repr(nearest(formula.ball)) if derived else NOTHING,
        "autograd": torch_number(answer.value, result.evidence.case.dtype) if isinstance(answer, Measured) else NOTHING,
        "numeric": _numeric(verdict, difference),
        "error": _error(verdict, verbose),
        "tolerance": NOTHING if verdict.tolerance is None else f"{verdict.tolerance:.2g}",
    }
    disputed = analytic_agrees(witnessed, formula) is False or numeric_agrees(witnessed, difference) is False
    settled = verdict.outcome == "agree" and not disputed
    needed = truth is not None and cells["analytic"] != repr(nearest(truth))
    return Row(result, verdict, cells, settled, needed, tuple(_abstentions(formula, difference)))


def _numeric(verdict: Verdict, difference: Any) -> str:
    if isinstance(difference, Abstention):
        return NOTHING
    if verdict.sides is None or verdict.truth is not None or not (difference.left or difference.right):
        return with_bar(difference.value, difference.radius)
    # Where the sides differ the central difference is a number without a meaning.
    sides = {"left": difference.left, "right": difference.right}
    return ", ".join(f"{name} {NOTHING if side is None else to_the_bar(side.value, side.radius)}" for name, side in sides.items())


def _error(verdict: Verdict, verbose: bool) -> str:
    if verdict.ulps is None or verdict.error is None or not isfinite(verdict.ulps):
        return NOTHING
    return f"{verdict.ulps:.4g} ulp" + (f" ({verdict.error:.2g})" if verbose else "")


def _abstentions(formula: Any, difference: Any) -> Iterable[tuple[str, str]]:
    """Only SymPy's and the numeric opinion's: what torch and the reference cannot say is the verdict's own sentence."""
    if isinstance(formula, Abstention) or formula.ball is None:
        yield "analytic", formula.reason
    if isinstance(difference, Abstention):
        yield "numeric", difference.reason


def formulas(group: Group) -> list[tuple[str, str]]:
    """(`∂f/∂x`, SymPy's formula), once for each partial."""
    found: dict[str, str] = {}
    for result in group.results:
        answers = result.evidence.analytic
        for verdict, formula in zip(result.verdicts, () if isinstance(answers, Abstention) else answers, strict=False):
            if isinstance(formula, Formula):
                found.setdefault(partial_name(verdict.key), formula.text)
    return list(found.items())


def sentences(group: Group, *, verbose: bool = False, quiet: bool = False) -> list[Sentence]:
    """What is to be said below a table: of each partial that is not plain, of each dash, of each case."""
    unsettled = _gathered((row.verdict.outcome, row.verdict.reason, group.subject(row)) for row in group.rows if not row.settled)
    explained = _gathered((row.verdict.outcome, row.verdict.reason, group.subject(row)) for row in group.rows if row.settled and (verbose or not row.plain))
    dashes = _gathered((f"{NOTHING} {witness}", reason, "") for row in group.rows for witness, reason in row.abstentions)
    notes = _gathered(("note", note, group.label(result)) for result in group.results for note in result.notes)
    if verbose:
        return unsettled + explained + dashes + notes
    parts = [(unsettled, MAX_SENTENCES), ([] if quiet else explained, MAX_EXPLAINED), (dashes, MAX_SENTENCES), (notes, MAX_EXPLAINED)]
    return [sentence for found, most in parts for sentence in _first(found, most)]


def _gathered(said_of: Iterable[tuple[str, str, str]]) -> list[Sentence]:
    """One Sentence for all that the same is said of, in the order of its first."""
    found: dict[tuple[str, str], list[str]] = {}
    for kind, text, about in said_of:
        found.setdefault((kind, text), []).append(about)
    return [Sentence(kind, printable(text), tuple(name for name in about if name)) for (kind, text), about in found.items()]


def _first(found: list[Sentence], most: int) -> list[Sentence]:
    """The first few; the rest is counted. One more than the most is told rather than counted."""
    if len(found) <= most + 1:
        return found
    return [*found[:most], Sentence("", f"… and {count(len(found) - most, 'sentence')} more, which --verbose shows")]


def commands(group: Group, *, verbose: bool = False) -> list[str]:
    """The commands that reproduce what is not plainly good."""
    return [printable(reproduce(result)) for result in (group.unsettled if verbose else group.unsettled[:MAX_COMMANDS])]


def summary(report: Report) -> str:
    """`5 cases: 4 agree, 1 kink`."""
    counted = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(report.summary.items(), key=lambda item: -item[1]))
    return count(len(report.results), "case") + (f": {counted}" if counted else "")
