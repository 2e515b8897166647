"""What a script states of derivatives, as claims of its checks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.language.claiming import read_claim
from gradcheck_cli.language.errors import NodeError, UserError
from gradcheck_cli.language.reading import read_program
from gradcheck_cli.lifting.checks import checks_of
from gradcheck_cli.lifting.naming import ProgramNames
from gradcheck_cli.lifting.terms import text_of
from gradcheck_cli.lifting.worth import Worthless, array_of, worths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradcheck_cli.language.terms import Term
    from gradcheck_cli.lifting.checks import Check
    from gradcheck_cli.lifting.collecting import Collecting, Stated
    from gradcheck_cli.lifting.worth import Numbers

# Significant digits of a number that was worked out at the point: as many as an input that is
# rounded to the dtype leaves of it.
_DIGITS = {"float64": 12, "float32": 5, "bfloat16": 2, "float16": 2, "": 12}
_DECIMAL = re.compile(r"-?\d*\.\d+")


@dataclass(frozen=True)
class _Line:
    """A line of a backward program."""

    left: str
    right: str
    of: str
    by: str
    comment: str

    def __str__(self) -> str:
        return f"{self.left} = {self.right}  # {self.comment}"


def lifted_checks(reading: Collecting) -> list[Check]:
    """The checks of a script with what is claimed of each; what is of none is told."""
    checks, makers = checks_of(reading)
    namings = [ProgramNames(reading, check, makers) for check in checks]
    chosen: dict[int, list[tuple[Stated, str, str]]] = {}
    for stated in reading.stated:
        found = _subject(stated, namings)
        if found is not None:
            k, of, by = found
            chosen.setdefault(k, []).append((stated, of, by))
        elif checks and (stated.target.by in stated.leaves or not stated.name):
            what = f"d{stated.target.of or 'f'}/d{stated.target.by}"
            reason = f"`{stated.words}` is taken for {what}, which is of no check here"
            reading.tell(stated.line, reason)
    for k, claims in chosen.items():
        _Writer(reading, namings[k]).write(claims)
    return checks


def _subject(stated: Stated, namings: Sequence[ProgramNames]) -> tuple[int, str, str] | None:
    """The check that a statement is about, and what of it by what; None of none."""
    found = []
    for k, naming in enumerate(namings):
        try:
            fit = _fit(stated, naming)
        except (UserError, Worthless):
            continue
        if fit is not None:
            of, by, rank = fit
            line = naming.check.line
            # The last before it, else the first behind it.
            near = (1, line) if line <= stated.line else (0, -line)
            found.append(((rank, near), k, of, by))
    if not found:
        return None
    _, k, of, by = max(found, key=lambda each: each[0])
    return k, of, by


def _fit(stated: Stated, naming: ProgramNames) -> tuple[str, str, float] | None:
    """What is stated in the names of a check: of what (empty for its value), by what, and how well
    that fits.
    """
    target, rank = stated.target, 3.0
    if stated.by or not target.by:
        wrt = naming.check.program.wrt
        by = naming.finals.get(stated.by, "") if stated.by else wrt[0] if len(wrt) == 1 else ""
        if by not in naming.known or not (stated.by or naming.is_about(stated.value)):
            return None
    else:
        by, rank = naming.named(target.by, stated.leaves)
        if not by:
            return None
    if not target.of:
        return "", by, rank
    of, sure = naming.named(target.of, stated.leaves)
    if not target.by and (not of or of != naming.result):
        return None  # the slope of some function, by whatever that is of
    if not of:
        if target.of in stated.leaves and target.of not in naming.check.words:
            return None
        return "", by, min(rank, 1.5)
    return ("" if of == naming.result else of), by, min(rank, sure)


class _Writer:
    """Writes the claims of a check."""

    def __init__(self, reading: Collecting, naming: ProgramNames) -> None:
        self.reading, self.naming, self.check = reading, naming, naming.check
        self.emitted: dict[str, str] = {}
        self.lines: list[_Line] = []

    def write(self, claims: Sequence[tuple[Stated, str, str]]) -> None:
        """The lines of a check; those that cannot be written are told."""
        seen = set()
        for stated, of, by in claims:
            key = (of, by, stated.value.text if stated.value.kind == "leaf" else stated.words)
            if key in seen:
                continue
            seen.add(key)
            try:
                self._write(stated, of, by)
            except (NodeError, UserError, Worthless) as error:
                words = error.mistakes[0].message if isinstance(error, UserError) else error
                self.reading.tell(stated.line, f"`{stated.words}`: {words}")
        self.check.claims = [str(line) for line in self.lines]

    def _write(self, stated: Stated, of: str, by: str) -> None:
        term = stated.value
        word = term.text if term.kind == "leaf" else ""
        own = self.naming.definition(word) if word and stated.name else None
        term = own or term
        comment = str(self.reading.script.place(stated.line))
        if self.naming.is_of_the_point(term, self.emitted):
            number = self._number(term, stated, of, by)
            if number:
                self._add(stated, number, of, by, comment, word)
            return
        right = text_of(self.naming.canonical(term, self.emitted))
        self._add(stated, right, of, by, comment, word)

    def _add(self, stated: Stated, right: str, of: str, by: str, comment: str, word: str) -> None:
        fraction = f"d{of or self._value_name}/d{by}"
        # A name, by which later lines know it, or a claim of its own.
        names = [stated.name, f"d{of or self._value_name}_d{by}"] if stated.name else []
        for left in (*names, fraction):
            line = _Line(left, right, of, by, comment)
            if any(each.left == left for each in self.lines) and left != fraction:
                continue
            if self._reads(line):
                self.lines.append(line)
                if left != fraction and word:
                    self.emitted[word] = left
                return
        self.reading.tell(stated.line, f"`{stated.words}` is no claim that is read")

    @property
    def _value_name(self) -> str:
        """What the value is called in a fraction."""
        naming = self.naming
        return naming.result or next(n for n in ("f", "L", "J", "value") if n not in naming.known)

    def _reads(self, line: _Line) -> bool:
        """Whether a line, behind those before it, claims what it is to claim."""
        lines = [*self.lines, line]
        text = "\n".join(map(str, lines))
        try:
            read = read_claim(text, self.naming.known, self.naming.result)
            program = read_program(line.right)
        except UserError:
            return False
        known = {*self.naming.known, *self.emitted.values()}
        if not {*program.variables} <= known or len(read) != len(lines):
            return False
        result = self.naming.result
        return all(
            statement.by == each.by and statement.of in {each.of, result * (not each.of)}
            for statement, each in zip(read, lines, strict=True)
        )

    # Numbers at the point

    def _number(self, term: Term, stated: Stated, of: str, by: str) -> str:
        """A number as a decimal; "" of an array, which is expected instead."""
        literal = text_of(self.reading.settled(term))
        if _DECIMAL.fullmatch(literal):
            return literal
        numbers = self._worth(term)
        digits = _DIGITS[self.check.dtype]
        if numbers.size == 1 and numbers.ndim == 0:
            return decimal_of(float(numbers), digits)
        shape = np.shape(array_of(self.check.at[by])) if by in self.check.at else None
        if of or shape != numbers.shape or by not in (self.check.program.wrt or (by,)):
            raise Worthless("numbers of several elements are held against a whole input alone")
        self.check.expected[by] = _intervals(
            numbers, digits, _written(self.naming.canonical(term, {}))
        )
        return ""

    def _worth(self, term: Term) -> Numbers:
        """What a term comes to at the point."""
        text = text_of(self.naming.canonical(term, {}))
        at = {name: array_of(value) for name, value in self.check.at.items()}
        found = worths(self.naming.followed_by(text), at).get("")
        if found is None:
            raise Worthless("it has no value here")
        return found


def decimal_of(value: float, digits: int) -> str:
    """A number with so many significant digits, as a decimal with a point."""
    text = f"{value:.{digits - 1}e}"
    mantissa, _, exponent = text.partition("e")
    places = digits - 1 - int(exponent)
    if 0 < places < 20:
        return f"{value:.{places}f}"
    return f"{mantissa if '.' in mantissa else f'{mantissa}.0'}e{int(exponent)}"


def _written(term: Term) -> Any:
    """The decimals of nested lists as they are written; None of anything else."""
    if term.kind in ("list", "tuple"):
        return [_written(part) for part in term.parts if part is not None]
    text = text_of(term)
    return text if _DECIMAL.fullmatch(text) else None


def _intervals(numbers: Numbers, digits: int, written: Any) -> str:
    """Nested lists of intervals, each of what rounds to a number as it is written, or to so many
    digits.
    """
    if numbers.ndim:
        texts = written if isinstance(written, list) else [None] * len(numbers)
        rows = (_intervals(row, digits, text) for row, text in zip(numbers, texts, strict=True))
        return f"[{', '.join(rows)}]"
    text = written if isinstance(written, str) else decimal_of(float(numbers), digits)
    value = Decimal(text)
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    half = Decimal(5).scaleb(exponent - 1)
    return f"{{interval: [{value - half}, {value + half}]}}"
