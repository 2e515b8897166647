"""What `over` holds: for each input that is swept its range, in the place of a point."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.errors import Mistake, PointError, Span, UserError
from gradcheck_cli.questions.numbers import Exact, NonFinite
from gradcheck_cli.questions.points import Listed
from gradcheck_cli.questions.question import question_of
from gradcheck_cli.questions.ranges import read_range
from gradcheck_cli.reports.format import count_of
from gradcheck_cli.settings.table import ROWS, SETTINGS
from gradcheck_cli.settings.values import Said
from gradcheck_cli.suites.at import PointMapping
from gradcheck_cli.suites.document import ScalarNode
from gradcheck_cli.suites.kinds import SOME, Kind, is_text
from gradcheck_cli.suites.mappings import NameMap
from gradcheck_cli.sweeps.asked import USUAL_POINTS, Sweep, SweepQuestion

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from gradcheck_cli.questions.ranges import Range
    from gradcheck_cli.records.json_schema import Schema
    from gradcheck_cli.suites.document import Document, YamlNode
    from gradcheck_cli.suites.fit import Fit
    from gradcheck_cli.suites.kinds import Entry
    from gradcheck_cli.suites.spec import SuiteCase

# What a point is asked and a sweep is not, by the keys of a suite, and by the names of settings.
_NOT_SWEPT = ("tol", "step", "jacobian", "claim", "modes", "order")
_UNREAD = tuple(row for row in ROWS if row.suite in _NOT_SWEPT)
_SELECTED = "leave it out, or the cases that sweep: `-k` and `-t` select others"
_NARROWER = "leave it out: suites say it in `defaults`, or case by case"
# What is expected at a point and not over a range.
_NOT_EXPECTED = ("value", "partials")


@dataclass(frozen=True)
class RangeKind(Kind):
    """The range of one input."""

    words: str = 'a range such as "-4:4", "0:1:1000" or "all"'

    def schema(self) -> Schema:
        """A string that is not blank."""
        return {"type": "string", "pattern": SOME}

    def read(self, node: YamlNode, where: str, document: Document) -> Range | None:
        """The range."""
        if not isinstance(node, ScalarNode) or not is_text(node):
            self.refuse(node, where, document)
            return None
        try:
            return read_range(node.text, Span(0, len(node.text)))
        except UserError as error:
            document.add_from(error.mistakes, node)
            return None


OVER = NameMap(RangeKind(), "a mapping of inputs to ranges")


def pointed(mappings: Sequence[PointMapping], fit: Fit) -> Sequence[PointMapping]:
    """The mappings of `at` with the inputs that are swept among them, so that each input has what
    it takes.
    """
    over = fit.settings.entry("over")
    if over is None or over.value is None:
        return mappings
    swept: dict[str, Entry] = over.value
    return [replace(m, entries={**swept, **m.entries}) for m in mappings] or [
        PointMapping(over.node, swept)
    ]


def with_sweep(case: SuiteCase, fit: Fit, mappings: Sequence[PointMapping]) -> SuiteCase:
    """A case of what is swept; mistakes are told."""
    settings = fit.settings
    over = settings.entry("over")
    assert over is not None, "asked of a case that is swept"
    if over.value is None:
        return case
    for name in _NOT_SWEPT:
        if _asks(settings.entry(name), name):
            message = f"`over` sweeps, which `{name}` has no part in"
            fit.add_misfit(
                "conflicting-options", message, over.key, "leave one of them out", "over"
            )
    _expectation(fit)
    fit.numbers(mappings, () if case.skip else case.runs)
    fixed = _fixed(mappings, fit, over.value)
    ranges = {name: entry.value for name, entry in over.value.items() if entry.value is not None}
    names = fit.wrt() if settings["wrt"] else tuple(ranges)
    if not fit.good or len(ranges) < len(over.value):
        return case
    sweep = Sweep(ranges, fixed, None, settings["seed"] or 0)
    try:
        sweep.require_counts("give one of all of them, such as `{x: 0:1:100, y: 0:1:50}`")
        asked = list(_asked(case, fit, sweep, names))
    except UserError as error:
        _add(error, fit, over, "over")
        return case
    weights = settings.entry("cotangent")
    try:
        for question in asked:
            question.require_numbers()
    except UserError as error:
        _add(error, fit, weights or over, "cotangent" if weights else "over")
    return replace(case, program=fit.program, wrt=names, over=sweep)


def _asks(entry: Entry | None, key: str) -> bool:
    """Whether a key of the file asks for anything but what is built in."""
    said = None if entry is None else entry.value
    if isinstance(said, Said):
        return bool(said.value != SETTINGS[key].unsaid)
    return said is not None


def require_swept_as_asked(cases: Iterable[SuiteCase], above: Container[str]) -> None:
    """Nothing, if no option and no configuration asks of cases that are swept what a sweep has no
    part in; of one that is skipped nothing is asked.

    Args:
        above: the settings of the command line; the file itself was refused where it asks.
    Raises:
        UserError: with a mistake for each setting that asks.
    """
    mistakes: list[Mistake] = []
    swept = [case for case in cases if case.over is not None and case.skip is None]
    for row in _UNREAD:
        asked = [case for case in swept if case.settings.get(row.name, row.unsaid) != row.unsaid]
        if asked:
            name, way_out = f"`{row.name}` of the configuration", _NARROWER
            if row.name in above:
                name, way_out = f"`--{row.name}`", _SELECTED
            others = f" ({count_of(len(asked), 'such case')})" if len(asked) > 1 else ""
            message = f"`{asked[0].id}` sweeps, which {name} has no part in{others}"
            place = str(asked[0].place)
            mistakes.append(Mistake("conflicting-options", message, help=way_out, place=place))
    if mistakes:
        raise PointError(mistakes)


def _asked(
    case: SuiteCase, fit: Fit, sweep: Sweep, names: Sequence[str]
) -> Iterator[SweepQuestion]:
    """What is asked of each partial, in each run.

    Raises:
        UserError: it cannot be swept.
    """
    way_out = f'say how many of which range: `{sweep.moving}: "-4:4:{USUAL_POINTS}"`'
    for name in names:
        question = question_of(fit.program, sweep.names, (name,), cotangent=case.cotangent)
        for dtype, device in case.runs:
            sweep.track(dtype, way_out)
            asked = SweepQuestion(question, sweep, DTYPES[dtype], device)
            asked.require_sweepable()
            yield asked


def _add(error: UserError, fit: Fit, entry: Entry, key: str) -> None:
    for mistake in error.mistakes:
        fit.add_misfit(mistake.code, mistake.message, entry.node, mistake.way_out, key)


def _expectation(fit: Fit) -> None:
    """Tell of numbers that are expected, which are those of one point."""
    expect = fit.settings.entry("expect")
    said = expect.value if expect is not None and isinstance(expect.value, dict) else {}
    for name in _NOT_EXPECTED:
        if name in said:
            message = f"`over` sweeps, and `{name}` is expected at one point"
            way_out = "expect an outcome, or check a point: `at` in the place of `over`"
            fit.add_misfit("conflicting-options", message, said[name].key, way_out, "expect")


def _fixed(
    mappings: Sequence[PointMapping], fit: Fit, swept: Mapping[str, Any]
) -> dict[str, Exact]:
    """The one number of each other input."""
    found: dict[str, Exact] = {}
    for mapping in mappings[1:]:
        fit.add_misfit("bad-point", "a sweep has one point beside it", mapping.node, key="at")
    for name, entry in mappings[0].entries.items() if mappings else ():
        if name in swept:
            way_out = "`over` gives it a range, and `at` a number: leave one of them out"
            fit.add_misfit(
                "duplicate-value", f"`{name}` is swept and fixed", entry.key, way_out, "at"
            )
            continue
        values = entry.value.values if isinstance(entry.value, Listed) else ()
        if len(values) == 1 and isinstance(values[0], Exact):
            found[name] = values[0]
        elif len(values) == 1 and isinstance(values[0], NonFinite):
            message = f"`{name}` is fixed in a sweep: {values[0].text} is no finite number"
            fit.add_misfit("not-finite", message, entry.node, key="at")
        else:
            message = f"`{name}` is fixed in a sweep: it takes one number"
            fit.add_misfit("bad-point", message, entry.node, "ranges stand under `over`", "at")
    if mappings and mappings[0].joint is not None:
        message = "inputs are fixed in a sweep: they take a number each"
        fit.add_misfit("bad-point", message, mappings[0].node, "ranges stand under `over`", "at")
    return found
