"""The chain rule as a table: local partials and adjoints in columns of their own, each number under
its own fraction.
"""

from __future__ import annotations

from math import hypot
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from rich.text import Text

from gradcheck_cli.records.numbers import numbers_of
from gradcheck_cli.reports.digits import ALL_DIGITS
from gradcheck_cli.reports.format import MAX_LINE, NOTHING, inline, shape_of, torch_number
from gradcheck_cli.reports.layout import GAP, NARROWEST
from gradcheck_cli.reports.wrap import shorten, wrap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.records.numbers import JsonArray
    from gradcheck_cli.records.record import LocalRecord, Record, TraceRecord

# As many digits as are read at a glance; `--verbose` has all.
FEW_DIGITS = 6
# As many tell how large a norm is.
_NORM_DIGITS = 4
TITLES = ("", "value", "step", "local partial", "adjoint", "autograd")
TOGETHER, INPUT = "together", "(input)"
# A step and a formula are shortened to no fewer characters; below that the table becomes a list.
_STEP, _FORMULA = 12, 8
# The columns of numbers, and how many columns there always are.
NUMBERS, ALWAYS = ("value", "adjoint", "autograd"), 5


class LocalCell(NamedTuple):
    """A local partial: its fraction, its formula, its number or what stands for one."""

    fraction: str
    formula: str = ""
    value: str = ""
    between: str = " = "

    def text(self, most: int | None = None) -> str:
        """The cell, its formula no longer than `most` characters."""
        formula = self.formula if most is None else shorten(self.formula, most)
        if not self.value:
            return self.between.join(filter(None, (self.fraction, formula)))
        lead = " = ".join(filter(None, (self.fraction, formula)))
        return self.between.join(filter(None, (lead, self.value)))


class ChainLine(NamedTuple):
    """One line of the table; a name with several paths has a line for each, and one for the sum."""

    name: str
    value: str
    step: str
    local: LocalCell
    adjoint: str
    autograd: str

    def cells(self, step: int | None = None, formula: int | None = None) -> list[str]:
        """The text of each column, steps and formulas shortened."""
        words = self.step if step is None else shorten(self.step, step)
        return [
            self.name,
            self.value,
            words,
            self.local.text(formula),
            self.adjoint,
            self.autograd,
        ]


class ChainText:
    """How the numbers of one case are written.

    Args:
        verbose: all digits and all elements.
    """

    def __init__(self, record: Record, *, verbose: bool = False) -> None:
        self._dtype, self._verbose = record["dtype"], verbose
        self.trace = record["trace"] or []
        self._result = inline(self.trace[0]["name"]) if self.trace else ""

    def lines(self) -> list[ChainLine]:
        """The lines of the table."""
        return [line for traced in self.trace for line in self._of_name(traced)]

    def _of_name(self, traced: TraceRecord) -> Iterator[ChainLine]:
        name = inline(traced["name"])
        step = INPUT if traced["step"] is None else inline(traced["step"])
        local = [self._local(each, name) for each in traced["local"]] or [LocalCell("")]
        adjoint, autograd = self._adjoint(traced, name)
        head = name, self._array(traced["value"]), step
        if len(local) == 1:
            yield ChainLine(*head, local[0], adjoint, autograd)
            return
        for cell, each in zip(local, traced["local"], strict=True):
            yield ChainLine(*head, cell, self._array(each["contribution"]), "")
            head = "", "", ""
        yield ChainLine(*head, LocalCell(TOGETHER), adjoint, autograd)

    def _local(self, partial: LocalRecord, name: str) -> LocalCell:
        fraction = f"∂{inline(partial['of'])}/∂{name}"
        if partial["reason"]:
            return LocalCell(f"{fraction}: {inline(partial['reason'])}")
        formula = inline(partial["formula"] or "")
        value = partial["value"]
        if formula and partial["adjoint"]:
            formula = f"{inline(partial['adjoint'])} ↦ {formula}"
            if value is None or not self._verbose:
                return LocalCell(fraction, formula, between=": ")
            return LocalCell(f"{fraction}: {formula};", "", self._array(value), between=" ")
        if value is None:
            return LocalCell(fraction, formula or NOTHING)
        text = self._array(value)
        if self._is_summed_up(value):
            text = f"norm {self._norm(value)}"
            if shape_of(value) != shape_of(partial["contribution"]):
                text = f"{shape_of(value)}, {text}"
            return LocalCell(fraction, formula, text, between=", " if formula else ": ")
        return LocalCell(fraction, "" if _is_number(formula, value) else formula, text)

    def _adjoint(self, traced: TraceRecord, name: str) -> tuple[str, str]:
        """The adjoint, and torch's where that is another."""
        proved, torch = traced["adjoint"]["reference"], traced["adjoint"]["autograd"]
        fraction = f"∂{self._result}/∂{name}"
        if proved is None and torch is None:
            return NOTHING, ""
        is_cotangent = traced is self.trace[0] and proved != 1
        fraction = "cotangent" if is_cotangent else fraction
        text, other = self._plain(proved), "no path"
        is_same = all(number in (0, None) for number in numbers_of(proved))
        if torch is not None:
            other = self._plain(torch)
            is_same = self._rounded(proved) == self._rounded(torch)
        if self._is_summed_up(proved):
            fraction = f"‖{fraction}‖"
        return f"{fraction} = {text}", "" if is_same else other

    def _is_summed_up(self, value: JsonArray) -> bool:
        return isinstance(value, list) and not self._verbose

    def _array(self, value: JsonArray) -> str:
        """A number; of a tensor its shape and norm, or its elements."""
        if self._is_summed_up(value):
            return f"{shape_of(value)}, norm {self._norm(value)}"
        return self._plain(value)

    def _plain(self, value: JsonArray) -> str:
        """A number; of a tensor its norm, or its elements."""
        if self._is_summed_up(value):
            return self._norm(value)
        if isinstance(value, list):
            return f"[{', '.join(map(self._plain, value))}]"
        return self._number(value, ALL_DIGITS if self._verbose else FEW_DIGITS)

    def _norm(self, value: JsonArray) -> str:
        numbers = list(numbers_of(value))
        known = [float(n) for n in numbers if n is not None]
        is_known = len(known) == len(numbers)
        return self._number(hypot(*known) if is_known else None, _NORM_DIGITS)

    def _rounded(self, value: JsonArray) -> list[str]:
        """Each number as it is shown where it is."""
        digits = ALL_DIGITS if self._verbose else FEW_DIGITS
        return [self._number(number, digits) for number in numbers_of(value)]

    def _number(self, value: JsonArray, digits: int) -> str:
        if value is None:
            return NOTHING
        assert isinstance(value, int | float | str)
        # A zero has no sign here: 0 is what both mean.
        text = torch_number(float(value) + 0.0, self._dtype, digits)
        mantissa, power, exponent = text.partition("e")
        if "." in mantissa:
            mantissa = mantissa.rstrip("0").removesuffix(".")
        return f"{mantissa}{power}{exponent}"


def _is_number(formula: str, value: JsonArray) -> bool:
    """Whether a formula is the number that stands behind it."""
    try:
        return not isinstance(value, list) and value is not None and float(formula) == float(value)
    except ValueError:
        return False


def chain_rule(record: Record, width: int | None, *, verbose: bool = False) -> list[Text]:
    """The lines of a case's chain rule; a list where the terminal is too narrow for a table.

    Args:
        width: columns of the terminal; None for as many as it takes.
        verbose: all digits and elements, nothing shortened.
    """
    lines = ChainText(record, verbose=verbose).lines()
    if width is None or width >= NARROWEST:
        limits = [(None, None)] if verbose else _limits(lines, width)
        for step, formula in limits:
            rows = [line.cells(step, formula) for line in lines]
            table = _table(rows)
            if width is None or cell_len(table[1].plain) <= width:
                return table
    return [piece for text in _list(lines) for piece in wrap(text, width, 4)]


def _limits(
    lines: Sequence[ChainLine], width: int | None
) -> Iterator[tuple[int | None, int | None]]:
    """How steps and formulas give way: those that are longer than a line, then the longer of the
    two.
    """
    yield MAX_LINE, MAX_LINE
    if width is None:
        return
    step = min(width, max(len(line.step) for line in lines))
    formula = min(width, max(len(line.local.formula) for line in lines))
    while step > _STEP or formula > _FORMULA:
        if step > _STEP and (step >= formula or formula <= _FORMULA):
            step -= 1
        else:
            formula -= 1
        yield step, formula


def _table(rows: Sequence[Sequence[str]]) -> list[Text]:
    shown = [k for k in range(len(TITLES)) if k < ALWAYS or any(row[k] for row in rows)]
    widths = {k: max(cell_len(TITLES[k]), *(cell_len(row[k]) for row in rows)) for k in shown}

    def line(cells: Sequence[str]) -> Text:
        parts = []
        for k in shown:
            space = " " * (widths[k] - cell_len(cells[k]))
            parts.append(space + cells[k] if TITLES[k] in NUMBERS else cells[k] + space)
        return Text(GAP.join(parts).rstrip())

    head = line(TITLES)
    head.stylize("bold")
    return [head, Text(GAP.join("─" * widths[k] for k in shown)), *map(line, rows)]


def _list(lines: Sequence[ChainLine]) -> Iterator[Text]:
    """A block for each name, a line for each partial."""
    for line in lines:
        if line.name:
            is_input = line.step == INPUT
            head = f"{line.value} {INPUT}" if is_input else f"{line.step} = {line.value}"
            yield Text(f"{line.name} = {head}", style="bold")
        local = line.local.text()
        if local == TOGETHER or not local:
            yield Text(f"  adjoint {line.adjoint}")
        elif "∂" in line.adjoint:
            yield Text(f"  local {local}")
            yield Text(f"  adjoint {line.adjoint}")
        else:
            yield Text(f"  local {local}, contributes {line.adjoint}")
        if line.autograd:
            yield Text(f"  autograd {line.autograd}")
