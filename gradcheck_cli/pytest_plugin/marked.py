"""Functions of test files that are marked as checks of themselves:
`@pytest.mark.gradcheck(at={"x": "randn(3)"}, spec="x*sigmoid(x)")`. Their parameters are no
fixtures, but what `at` gives.
"""

from __future__ import annotations

from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradcheck_cli.language.errors import Mistake, UserError, did_you_mean
from gradcheck_cli.pytest_plugin.failures import CaseFailure, CheckItem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest

# Another name for the arguments, by which suites call them.
_ARGUMENTS = "args"


def marked_items(
    collector: pytest.Collector, name: str, marks: Sequence[pytest.Mark]
) -> list[MarkedItem]:
    """An item for each mark: each has arguments of its own."""
    # As pytest itself has it: of a method the bound one.
    holder = collector.obj  # type: ignore[attr-defined]  # collectors of Python have it
    found = getattr(holder() if isinstance(holder, type) else holder, name)
    # The mark that stands above the others is the last.
    names = [name] if len(marks) == 1 else [f"{name}[{k}]" for k in range(len(marks))]
    return [
        MarkedItem.from_parent(collector, name=each, found=found, mark=mark)
        for each, mark in zip(names, marks, strict=True)
    ]


class MarkedItem(CheckItem):
    """The gradient of a function, in this process: pytest has imported it already."""

    def __init__(self, *, found: Callable[..., Any], mark: pytest.Mark, **rest: Any) -> None:
        super().__init__(**rest)
        self.obj, self.mark = found, mark
        code = getattr(found, "__func__", found).__code__
        self.place = code.co_filename, code.co_firstlineno
        self.own_markers += found.pytestmark  # type: ignore[attr-defined]  # it is marked
        self.keywords.update({each.name: each for each in self.own_markers})

    def runtest(self) -> None:
        """Nothing, if the gradient is right.

        Raises:
            CaseFailure: with the report, or with what is wrong with the mark.
        """
        from gradcheck_cli.api import check
        from gradcheck_cli.reports.findings import lines_of
        from gradcheck_cli.reports.table import render

        try:
            at, options = _asked(self.mark, check)
            report = check(self.obj, at, **options)
        except UserError as error:
            raise CaseFailure(str(error), error.mistakes[0].message) from None
        if report.exit_code:
            worst = max(report.records, key=lambda record: record["status"] != "pass")
            raise CaseFailure(render(report).rstrip("\n"), lines_of(worst)[0])

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the function stands; pytest counts lines from 0."""
        return Path(self.place[0]), self.place[1] - 1, self.name


def _asked(mark: pytest.Mark, check: Callable[..., Any]) -> tuple[Any, dict[str, Any]]:
    """The arguments of a mark's function, and the options of `check`.

    Raises:
        UserError: it has others.
    """
    options = dict(mark.kwargs)
    given = [*mark.args, *(options.pop(name) for name in ("at", _ARGUMENTS) if name in options)]
    if len(given) != 1:
        message = f"the mark gives arguments {len(given)} times"
        hint = 'write `@pytest.mark.gradcheck(at={"x": "randn(3)"})`'
        raise UserError([Mistake("bad-mark", message, help=hint)])
    _, _, *known = signature(check).parameters
    unknown = [name for name in options if name not in known]
    if unknown:
        hint = did_you_mean(unknown[0], known) or f"known: {', '.join(known)}"
        message = f"the mark has no option `{unknown[0]}`"
        raise UserError([Mistake("bad-mark", message, help=hint)])
    return given[0], options
