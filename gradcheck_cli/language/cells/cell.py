"""A cell as a whole: its programs, each with its point, as texts in the words of the language."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck_cli.language.cells.bindings import Refused
from gradcheck_cli.language.cells.derived import CellProgram, cell_program, spelled_program
from gradcheck_cli.language.cells.prompts import bare, without_magics
from gradcheck_cli.language.cells.routines import Routines
from gradcheck_cli.language.errors import Mistake, ProgramError
from gradcheck_cli.language.parse import MAX_LENGTH, parse
from gradcheck_cli.language.source import Source
from gradcheck_cli.language.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True)
class NotebookCell:
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


def read_cell(text: str, makers: Collection[str]) -> NotebookCell:
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
        programs = [cell_program(reading, derivative) for derivative in reading.derivatives]
    except RecursionError:
        message = "the cell is nested too deeply"
        way_out = "name parts of it: `y = ...; f(y)`"
        raise ProgramError([Mistake("too-deep", message, help=way_out)]) from None
    magics = without_magics(bare(text))[1] if source.text != bare(text) else ()
    skipped = tuple(sorted({*magics, *reading.skipped}))
    return NotebookCell(source.text, tuple(_distinct(programs)), skipped, tuple(reading.said))


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
        return bool(parse(spelled_program(reading.derivatives[0]).text).variables)
    except ProgramError:
        return True


def _distinct(programs: list[CellProgram]) -> list[CellProgram]:
    """Each program once, however often it is differentiated."""
    seen: dict[object, CellProgram] = {}
    for each in programs:
        weights = each.cotangent.text if each.cotangent else None
        point = tuple((name, value.text, value.shape) for name, value in each.point.items())
        program = (each.program.nodes, each.program.outputs)
        seen.setdefault((program, each.wrt, weights, point), each)
    return list(seen.values())
