"""A cell as a whole: its programs, each with its point, as texts in the words of the language."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gradcheck_cli.language.cells.bindings import Refused
from gradcheck_cli.language.cells.prompts import bare, without_magics
from gradcheck_cli.language.cells.renaming import without_numbers
from gradcheck_cli.language.cells.routines import Routines
from gradcheck_cli.language.cells.scope import place_in
from gradcheck_cli.language.errors import Mistake, ProgramError, Span
from gradcheck_cli.language.parse import MAX_LENGTH, parse
from gradcheck_cli.language.source import Source
from gradcheck_cli.language.syntax import tree
from gradcheck_cli.language.terms import Spelling, spelled

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gradcheck_cli.language.cells.bindings import Fresh
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
    """

    program: Program
    point: Mapping[str, Written]
    wrt: tuple[str, ...]
    cotangent: Written | None
    dtypes: tuple[str, ...]
    implied: str = ""


@dataclass(frozen=True)
class Cell:
    """What a cell asks.

    Attributes:
        skipped: numbers of the lines that say nothing of a program.
        said: what else is to be told, in sentences.
    """

    text: str
    programs: tuple[CellProgram, ...]
    skipped: tuple[int, ...]
    said: tuple[str, ...]


def is_cell(text: str, makers: Collection[str]) -> bool:
    """Whether a text that is no program may be a cell: it is Python, and does what a formula does
    not: it imports, makes tensors, defines functions, differentiates.
    """
    try:
        _, body = _python(text)
    except ProgramError:
        return False
    signs = 0
    for statement in body:
        match statement:
            case ast.Import() | ast.ImportFrom() | ast.FunctionDef() | ast.For() | ast.With():
                signs += 1
            case ast.AugAssign() | ast.AnnAssign() | ast.If() | ast.ClassDef() | ast.While():
                signs += 1
            case ast.Assign(targets=[ast.Name()], value=value):
                signs += isinstance(value, ast.Lambda) or _makes(value, makers) or _builds(value)
            case ast.Assign():
                signs += 1
            case ast.Expr(value=value):
                signs += _makes(value, ()) or _shows(value) or _builds(value)
    return signs > 0 and (len(body) > 1 or _makes(body[0], ()) or _builds(body[0]))


def read_cell(text: str, makers: Collection[str]) -> Cell:
    """What a cell asks.

    Args:
        makers: names of the constructors that a point knows.
    Raises:
        ProgramError: with every mistake found, each with its place in the cell.
    """
    if len(text) > MAX_LENGTH:
        message = f"the cell has {len(text):,} characters; {MAX_LENGTH:,} are accepted"
        raise ProgramError([Mistake("too-long", message)])
    source, body = _python(text)
    try:
        reading = _read(source, body, makers, are_inputs=False)
        if not reading.inputs and not reading.mistakes and not _leaves(reading):
            reading = _read(source, body, makers, are_inputs=True)
        if reading.mistakes:
            raise ProgramError(reading.mistakes)
        programs = [_program(reading, derivative) for derivative in reading.derivatives]
    except RecursionError:
        message = "the cell is nested too deeply"
        way_out = "name parts of it: `y = ...; f(y)`"
        raise ProgramError([Mistake("too-deep", message, help=way_out)]) from None
    magics = without_magics(bare(text))[1] if source.text != bare(text) else ()
    skipped = tuple(sorted({*magics, *reading.skipped}))
    return Cell(source.text, tuple(_distinct(programs)), skipped, tuple(reading.said))


def _python(text: str) -> tuple[Source, list[ast.stmt]]:
    """The Python of a cell and its syntax tree.

    Raises:
        ProgramError: it is not Python.
    """
    source = Source(bare(text))
    try:
        return source, tree(source).body
    except ProgramError:
        plain, magics = without_magics(source.text)
        if not magics:
            raise
        source = Source(plain)
        return source, tree(source).body


def _makes(node: ast.AST, makers: Collection[str]) -> bool:
    """Whether an expression makes a tensor by one of these functions, or differentiates."""
    for part in ast.walk(node):
        if isinstance(part, ast.keyword) and part.arg == "requires_grad":
            return True
        if isinstance(part, ast.Call):
            name = getattr(part.func, "attr", getattr(part.func, "id", ""))
            if name in makers or name in ("backward", "requires_grad_"):
                return True
            if isinstance(part.func, ast.Attribute) and name == "grad":
                return True
    return False


def _builds(node: ast.AST) -> bool:
    """Whether a module is built and applied at once: `nn.ReLU()(x)`."""
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Call):
            func = part.func.func
            if getattr(func, "attr", getattr(func, "id", ""))[:1].isupper():
                return True
    return False


def _shows(node: ast.expr) -> bool:
    func = node.func if isinstance(node, ast.Call) else None
    return isinstance(func, ast.Name) and func.id in ("print", "display")


def _read(
    source: Source, body: list[ast.stmt], makers: Collection[str], *, are_inputs: bool
) -> Routines:
    words = {part.id for each in body for part in ast.walk(each) if isinstance(part, ast.Name)}
    reading = Routines(source, makers, words, are_inputs=are_inputs)
    reading.run(body)
    if not reading.mistakes and not reading.derivatives:
        if isinstance(reading.last, Refused):
            reading.keep(reading.last.error)
        elif reading.last is not None:
            reading.derive(reading.last, None, None, None)
    if not reading.mistakes and not reading.derivatives:
        message = "the cell computes nothing that is differentiated"
        way_out = "end it with the value, or with `y.backward()`"
        reading.mistakes.append(Mistake("empty", message, help=way_out))
    return reading


def _leaves(reading: Routines) -> bool:
    """Whether a program has inputs that the cell gives no values."""
    if not reading.derivatives:
        return True
    try:
        return bool(parse(_spelled(reading.derivatives[0]).text).variables)
    except ProgramError:
        return True


def _spelled(derivative: Derivative) -> Spelling:
    statements = list(derivative.statements)
    result = derivative.result
    is_last = bool(statements) and result.kind == "leaf" and result.text == statements[-1].text
    lines = statements if is_last else [*statements, result]
    return spelled(lines, ["\n"] * len(lines))


def _program(reading: Routines, derivative: Derivative) -> CellProgram:
    """A derivative in the language.

    Raises:
        ProgramError: with the mistakes of the program.
    """
    derivative, named = without_numbers(derivative, reading.wanted)
    text, spelling = reading.source.text, _spelled(derivative)
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
    point = {name: _written(each.made, text) for name, each in inputs.items()}
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
    weights = None if given is None else _written(given, text)
    dtypes = tuple(dict.fromkeys(value.dtype for value in point.values() if value.dtype))
    return CellProgram(program, point, wrt, weights, dtypes, derivative.implied)


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


def _written(made: Fresh, cell: str) -> Written:
    spelling = Spelling()
    spelling.term(made.maker)
    return Written(spelling, cell, made.shape, made.dtype, made.is_drawn)


def _placed(mistake: Mistake, spelling: Spelling, span: Span, cell: str) -> Mistake:
    """A mistake of a spelled text at its place in the cell."""
    home = spelling.source(span)
    return replace(mistake, text=cell, span=home, place=place_in(cell, home))


def _distinct(programs: list[CellProgram]) -> list[CellProgram]:
    """Each program once, however often it is differentiated."""
    seen: dict[object, CellProgram] = {}
    for each in programs:
        weights = each.cotangent.text if each.cotangent else None
        point = tuple((name, value.text, value.shape) for name, value in each.point.items())
        program = (each.program.nodes, each.program.outputs)
        seen.setdefault((program, each.wrt, weights, point), each)
    return list(seen.values())
