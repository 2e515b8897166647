"""Reports of results, for those who ask in the same process."""

from __future__ import annotations

from dataclasses import dataclass
from shutil import get_terminal_size
from typing import TYPE_CHECKING

from gradcheck_cli.checks.record import record_of
from gradcheck_cli.records.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from gradcheck_cli.checks.blocks import NestedFloats
    from gradcheck_cli.checks.result import Result

# Columns where there is no terminal, as in a notebook.
_WIDTH = 80


@dataclass(frozen=True)
class LiveReport(Report):
    """A Report that was made in this process. Its `repr` is the table of the command line, without
    colours, and in a notebook it shows itself as one.

    Attributes:
        results: all that was found out, a Result for each record.
        verbose: it shows everything in full.
        quiet: it shows only what does not agree.
    """

    results: Sequence[Result] = ()
    verbose: bool = False
    quiet: bool = False

    def __repr__(self) -> str:
        from gradcheck_cli.reports.table import render

        width = get_terminal_size((_WIDTH, 0)).columns
        text = render(self, width=width, verbose=self.verbose, quiet=self.quiet)
        return text.removesuffix("\n")

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from gradcheck_cli.language.mathml import equation
        from gradcheck_cli.reports.html import fragment

        return fragment(self, equation, verbose=self.verbose, quiet=self.quiet)

    def gradient(self, name: str, second: str | None = None) -> NestedFloats:
        """torch's gradient of an input, in the input's shape: a float for a number, nested lists of
        them for a tensor. A report of several cases has a list of these, one for each.

        An element is None where torch has no answer: no path leads to it, or torch raised an error.
        A NaN is what torch answered. Of a Jacobian, the shape is that of the value, then that of
        the input; of second derivatives that of `name`, then that of `second`.

        Args:
            second: of second derivatives the other input; the same one if None.
        Raises:
            PointError: nothing was differentiated by that input.
        """
        return self._blocks(name, second, "autograd")

    def truth(self, name: str, second: str | None = None) -> NestedFloats:
        """The proved derivative, laid out as `gradient`: the float nearest to it, or None where
        nothing is proved, as at a kink or outside the domain. No element is NaN.

        Args:
            second: as in `gradient`.
        Raises:
            PointError: nothing was differentiated by that input.
        """
        return self._blocks(name, second, "reference")

    def frame(self) -> Any:
        """A pandas DataFrame, a row for each partial: what was asked (`at.x` holds the input `x`),
        the number of each opinion, torch's error, and the outcome. A number that is not there is
        NaN, which no comparison passes; `reason` says why.

        Rows with `also` are worse under the seeded cotangent, and counted in the outcome.

        Raises:
            ImportError: pandas is not installed.
        """
        from gradcheck_cli.checks.frame import frame_of

        return frame_of(self.records)

    def _blocks(self, name: str, second: str | None, witness: str) -> NestedFloats:
        from gradcheck_cli.checks.blocks import block_of

        blocks = [block_of(record, name, second, witness) for record in self.records]
        return blocks[0] if len(blocks) == 1 else blocks


def report_of(results: Sequence[Result], *, strict: bool = False, **rest: Any) -> LiveReport:
    """The report of some results; `strict` lets `imprecise` and `kink` fail as well."""
    records = [record_of(result, strict=strict) for result in results]
    return LiveReport(records=records, results=results, **rest)
