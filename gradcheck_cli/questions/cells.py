"""What a text asks: a program alone, or the programs of a cell, each with its point."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.errors import Mistake, PointError, ProgramError, mistake
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.reading import read_program
from gradcheck_cli.questions.constructors import MAKERS, read_given
from gradcheck_cli.questions.naming import ranks_of
from gradcheck_cli.questions.numbers import Grid
from gradcheck_cli.questions.points import Sample, shaped
from gradcheck_cli.questions.prepared import Oversize, unroll
from gradcheck_cli.questions.roles import index_inputs
from gradcheck_cli.worlds.scalars import ShapeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gradcheck_cli.language.cells.cell import NotebookCell
    from gradcheck_cli.language.cells.derived import CellProgram, Written
    from gradcheck_cli.language.program import Program
    from gradcheck_cli.questions.numbers import Exact, Nested, NonFinite
    from gradcheck_cli.questions.points import Given

# How many lines that are not read are named.
_LINES = 5


@dataclass(frozen=True)
class TextQuestion:
    """A program, and what its text says of the question beside it.

    Attributes:
        at: the inputs that have values.
        wrt: the inputs to differentiate; none for all.
        dtype: that of the inputs; empty where the text says none.
        remarks: what is to be told of how the text was read, in sentences.
        refusal: that torch itself would ask for a cotangent.
        strangers: inputs of other programs of the text, and none of this one.
    """

    program: Program
    at: Mapping[str, Given] = field(default_factory=dict)
    wrt: tuple[str, ...] = ()
    cotangent: Nested | None = None
    dtype: str = ""
    remarks: tuple[str, ...] = ()
    refusal: str = ""
    strangers: frozenset[str] = frozenset()

    def told(self, cotangent: Nested | None, *, jacobian: bool) -> tuple[str, ...]:
        """The sentences, where that is the cotangent which is taken."""
        is_ones = cotangent is None and not jacobian and bool(self.refusal)
        return (*self.remarks, self.refusal) if is_ones else self.remarks

    def point(self, given: Mapping[str, Given]) -> dict[str, Given]:
        """The point: what somebody gives beside the text counts before what stands in it."""
        return {**self.at, **{n: v for n, v in given.items() if n not in self.strangers}}

    def inputs(self, named: Sequence[str]) -> Sequence[str]:
        """The inputs to differentiate: those that somebody names, else the text's own."""
        return [name for name in named if name not in self.strangers] or self.wrt

    def dtypes(self, settled: Sequence[str], *, is_said: bool) -> tuple[str, ...]:
        """The dtypes that are checked: those that somebody says, else the text's own.

        Args:
            settled: what the settings come to.
        """
        return (self.dtype,) if self.dtype and not is_said else tuple(settled)


def read_questions(text: str, given: Mapping[str, Given] | None = None) -> tuple[TextQuestion, ...]:
    """What a text asks; of a cell that differentiates several times each.

    Args:
        given: what somebody gives beside the text.
    Raises:
        UserError: with every mistake found, each with its place in the text.
    """
    cell = _cell(text)
    if cell is None:
        return (TextQuestion(read_program(text, ranks_of(given or {}))),)
    stated = [_stated(cell, each) for each in cell.programs]
    everything = {name for each in stated for name in each.program.variables}
    return tuple(
        replace(each, strangers=frozenset(everything - {*each.program.variables}))
        for each in stated
    )


def _cell(text: str) -> NotebookCell | None:
    """What a text asks as a cell; None where it is none.

    A program without inputs is one if numbers are assigned to names in it.
    """
    try:
        strict: Program | None = parse(text)
    except ProgramError:
        strict = None
    if strict is not None and strict.variables:
        return None
    # Most texts are programs, which need no reader of cells.
    from gradcheck_cli.language.cells.cell import is_cell, read_cell

    if strict is None:
        return read_cell(text, MAKERS) if is_cell(text, MAKERS) else None
    try:
        cell = read_cell(text, MAKERS)
    except ProgramError:
        return None
    return cell if any(each.point for each in cell.programs) else None


def _stated(cell: NotebookCell, asked: CellProgram) -> TextQuestion:
    at = {name: given_value(value) for name, value in asked.point.items()}
    weights = None if asked.cotangent is None else given_value(asked.cotangent)
    if isinstance(weights, Grid | Sample):
        message = "the upstream gradient is not written out"
        raise mistake("bad-number", message, cell.text, help="such as `torch.tensor([1.0, 0.0])`")
    dtype = next((name for name in DTYPES if name in asked.dtypes), "")
    remarks = tuple(filter(None, (_origin(asked, dtype), _drawn(asked), _unread(cell))))
    refusal = refusal_of(asked, at)
    return TextQuestion(asked.program, at, asked.wrt, weights, dtype, remarks, refusal)


def refusal_of(asked: CellProgram, at: Mapping[str, Given]) -> str:
    """That torch differentiates no value of several elements without a gradient; "" of others."""
    program = asked.program
    is_open = bool(index_inputs(program)) or not {*program.variables} <= {*at}
    if not asked.implied or is_open:
        return ""
    try:
        expansion = unroll(program, {name: _shape(at[name]) for name in program.variables})
    except ShapeError:  # which is told where the numbers are
        return ""
    count = 1 if isinstance(expansion, Oversize) else np.size(expansion.values[program.result])
    if count == 1:
        return ""
    what = f"torch refuses `{asked.implied}` of {count:,} elements without a gradient"
    return f"{what}: ones are taken, as if its sum were differentiated"


def _shape(value: Given) -> tuple[int, ...]:
    if isinstance(value, Sample):
        return value.shape
    if isinstance(value, list):
        return (len(value), *(_shape(value[0]) if value else ()))
    return ()


def given_value(value: Written) -> Given:
    """A value of the point, in the shape that it is given."""
    try:
        given = read_given(value.text)
    except PointError as error:
        raise PointError(map(value.at_home, error.mistakes)) from None
    if isinstance(given, Grid):
        given = [given[i] for i in range(len(given))]
    return _reshaped(value, given) if value.shape else given


def _reshaped(value: Written, given: Given) -> Given:
    """The same numbers in another shape; one size may be -1, whatever is left.

    Raises:
        PointError: there are more or fewer numbers.
    """
    numbers = list(_flat(given)) if not isinstance(given, Sample | Grid) else []
    count = prod(given.shape) if isinstance(given, Sample) else len(numbers)
    known = prod(size for size in value.shape if size != -1)
    left = count // known if known > 0 else 0
    shape = tuple(left if size == -1 else size for size in value.shape)
    if min(shape) < 1 or value.shape.count(-1) > 1 or prod(shape) != count:
        sizes = ", ".join(map(str, value.shape))
        wrong = Mistake("shape-mismatch", f"{count} numbers do not fit into ({sizes})")
        raise PointError([value.at_home(wrong)])
    if isinstance(given, Sample):
        return replace(given, shape=shape)
    return shaped(numbers, shape)


def _flat(given: Nested) -> Iterator[Exact | NonFinite]:
    if not isinstance(given, list):
        yield given
        return
    for item in given:
        yield from _flat(item)


def _origin(asked: CellProgram, dtype: str) -> str:
    """Where the inputs, their dtype and what is differentiated come from."""
    if not asked.point:
        return ""
    if asked.wrt:
        names = ", ".join(f"`{name}`" for name in asked.wrt)
        verb = "requires" if len(asked.wrt) == 1 else "require"
        told = f"{names} {verb} a gradient"
    else:
        told = "nothing requires a gradient, so all inputs are differentiated"
    if not dtype:
        return f"read from a cell: {told}"
    kinds = " and ".join(name for name in DTYPES if name in asked.dtypes)
    counts = ", of which the first counts" if len(asked.dtypes) > 1 else ""
    return f"read from a cell: {told}; its inputs are {kinds}{counts} (`--dtype` takes another)"


def _drawn(asked: CellProgram) -> str:
    names = [f"`{name}`" for name, value in asked.point.items() if value.is_drawn]
    if not names:
        return ""
    is_one = len(names) == 1
    numbers = f"{', '.join(names)} {'is' if is_one else 'are'} drawn: the numbers are"
    return f"{numbers} those of `--seed` here, not torch's"


def _unread(cell: NotebookCell) -> str:
    """Which lines say nothing of the program, and what else is to be told."""
    parts = list(cell.said)
    if cell.skipped:
        lines = [str(line) for line in cell.skipped[:_LINES]]
        more = f" and {len(cell.skipped) - _LINES} more" if len(cell.skipped) > _LINES else ""
        word = "line" if len(cell.skipped) == 1 else "lines"
        parts.append(f"{word} {', '.join(lines)}{more} not read")
    return "; ".join(parts)
