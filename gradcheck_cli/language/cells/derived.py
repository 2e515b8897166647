"""What a cell differentiates, in the language: a program, its point, and what is asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gradcheck_cli.language.cells.renaming import without_numbers
from gradcheck_cli.language.cells.scope import place_in
from gradcheck_cli.language.errors import Mistake, ProgramError, Span
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.terms import Spelling, spelled

if TYPE_CHECKING:
    import ast
    from collections.abc import Mapping

    from gradcheck_cli.language.cells.bindings import Fresh
    from gradcheck_cli.language.cells.routines import Routines
    from gradcheck_cli.language.cells.scope import Derivative
    from gradcheck_cli.language.program import Program


@dataclass(frozen=True)
class Written:
    """A value of a point in the words of one, and where it stands in the cell.

    Attributes:
        shape: sizes that it is given; none where it has those of its constructor.
        dtype: empty for integers.
    """

    spelling: Spelling
    cell: str
    shape: tuple[int, ...] = ()
    dtype: str = ""
    is_drawn: bool = False

    @property
    def text(self) -> str:
        """The value."""
        return self.spelling.text

    def at_home(self, mistake: Mistake) -> Mistake:
        """A mistake in the value at its place in the cell."""
        span = Span(0, len(self.text)) if mistake.span is None else mistake.span
        return _placed(mistake, self.spelling, span, self.cell)


@dataclass(frozen=True)
class CellProgram:
    """One derivative of a cell.

    Attributes:
        point: the inputs that have values.
        wrt: the inputs to differentiate; none for all.
        cotangent: the upstream gradient; None for ones.
        dtypes: those of the inputs of numbers, each once.
        implied: what torch asks for the derivative with, where that gives no cotangent.
        named: what names of the reading are called in the program, where that is something else.
    """

    program: Program
    point: Mapping[str, Written]
    wrt: tuple[str, ...]
    cotangent: Written | None
    dtypes: tuple[str, ...]
    implied: str = ""
    named: Mapping[str, str] = field(default_factory=dict)


def spelled_program(derivative: Derivative) -> Spelling:
    """The text of a derivative's program, and where its pieces come from."""
    statements = list(derivative.statements)
    result = derivative.result
    is_last = bool(statements) and result.kind == "leaf" and result.text == statements[-1].text
    lines = statements if is_last else [*statements, result]
    return spelled(lines, ["\n"] * len(lines))


def cell_program(reading: Routines, derivative: Derivative) -> CellProgram:
    """A derivative in the language.

    Raises:
        ProgramError: with the mistakes of the program.
    """
    derivative, named = without_numbers(derivative, reading.wanted)
    text, spelling = reading.source.text, spelled_program(derivative)
    try:
        program = replace(parse(spelling.text), written=text.strip("\n"))
    except ProgramError as error:
        homed = [
            m if m.span is None else _placed(m, spelling, m.span, text) for m in error.mistakes
        ]
        raise ProgramError(dict.fromkeys(homed)) from None
    known = {named.get(name, name): each for name, each in reading.inputs.items()}
    known |= {name: reading.inputs[own] for own, name in named.items() if own in reading.inputs}
    inputs = {name: known[name] for name in program.variables if name in known}
    point = {name: written_value(each.made, text) for name, each in inputs.items()}
    wrt = derivative.wrt
    if wrt is None:
        wrt = tuple(name for name, each in inputs.items() if each.requires_grad)
        free = [name for name in program.variables if name not in inputs]
        if not wrt and derivative.place is not None and not free:
            raise ProgramError([_ungraded(reading, derivative.place)])
    absent = [name for name in wrt if name not in program.variables]
    if absent and derivative.place is not None:
        message = f"`{absent[0]}` is no input of what is differentiated"
        raise ProgramError([_mistake("unknown-input", message, reading, derivative.place)])
    given = derivative.cotangent
    weights = None if given is None else written_value(given, text)
    dtypes = tuple(dict.fromkeys(value.dtype for value in point.values() if value.dtype))
    return CellProgram(program, point, wrt, weights, dtypes, derivative.implied, named)


def _ungraded(reading: Routines, place: ast.AST) -> Mistake:
    """What is wrong where torch would find nothing to differentiate."""
    message = "nothing that this is computed from requires a gradient: torch's backward would fail"
    way_out = "make an input with `requires_grad=True`"
    return _mistake("no-input", message, reading, place, way_out)


def _mistake(
    code: str, message: str, reading: Routines, node: ast.AST, way_out: str = ""
) -> Mistake:
    text, span = reading.source.text, reading.span(node)
    return Mistake(code, message, text, span, way_out, place_in(text, span))


def written_value(made: Fresh, cell: str) -> Written:
    """What a constructor makes, as a value of a point."""
    spelling = Spelling()
    spelling.term(made.maker)
    return Written(spelling, cell, made.shape, made.dtype, made.is_drawn)


def _placed(mistake: Mistake, spelling: Spelling, span: Span, cell: str) -> Mistake:
    """A mistake of a spelled text at its place in the cell."""
    home = spelling.source(span)
    return replace(mistake, text=cell, span=home, place=place_in(cell, home))
