"""The way through a script: branches as they are decided at its point, loops round by round."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from gradcheck_cli.language.cells.bindings import (
    Gradient,
    PythonValue,
    Refused,
    Routine,
    Thing,
)
from gradcheck_cli.language.cells.walk import MOST_ROUNDS, is_main
from gradcheck_cli.language.errors import NodeError
from gradcheck_cli.language.terms import leaf
from gradcheck_cli.lifting.deciding import Deciding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SEEDING = ("manual_seed", "seed")
_ROOM = "the inputs move (line {}), and a check is made at one point: later rounds are not lifted"


class _Left(Exception):
    """A loop is left, or goes on with its next round."""

    def __init__(self, *, is_over: bool) -> None:
        super().__init__()
        self.is_over = is_over


class Following(Deciding):
    """Follows statements."""

    def run(self, body: Iterable[ast.stmt]) -> None:
        """All statements of a script."""
        for statement in body:
            self.attempt(statement)
            if self.is_full:
                self.tell(statement.lineno, "there are too many statements: the rest is not read")
                return

    def attempt(self, statement: ast.stmt) -> None:
        """A statement; what is wrong with it is told, and it is passed over."""
        try:
            self.statement(statement)
        except NodeError as error:
            self.is_full = self.is_full or error.code == "too-large"
            self.tell_failure(error, statement)
        except _Left:
            self.tell(statement.lineno, "there is no loop here that could be left")

    is_full = False

    def tell_failure(self, error: NodeError, statement: ast.stmt) -> None:
        """Keep what is wrong with a statement; of a derivative under its own line."""
        for part in ast.walk(statement):
            name = getattr(part.func, "attr", "") if isinstance(part, ast.Call) else ""
            if name in ("backward", "grad") and not isinstance(statement, ast.If | ast.For):
                words = " ".join(self.source.words(part).split())
                self.tell(getattr(part, "lineno", 1), f"`{words}`: {error}")
                return
        self.tell_error(error, statement.lineno)

    def block(self, body: Iterable[ast.stmt]) -> None:
        """Statements of a block; of a function that is called for its value none may fail."""
        for statement in body:
            if self.is_valued:
                self.statement(statement)
            else:
                try:
                    self.statement(statement)
                except NodeError as error:
                    self.tell_failure(error, statement)
                    if self.is_exhausted:
                        return

    @property
    def is_valued(self) -> bool:
        """Whether statements are those of a function that is called for its value."""
        return self.depth > 0

    depth = 0

    def statement(self, node: ast.stmt) -> None:
        """One statement, as it is followed at the script's point.

        Raises:
            NodeError: it is none that is read.
        """
        match node:
            case ast.If() if not is_main(node.test):
                self._branch(node)
            case ast.While():
                self._while(node)
            case ast.For(orelse=[]):
                self._for(node)
            case ast.Break() | ast.Continue():
                raise _Left(is_over=isinstance(node, ast.Break))
            case ast.Try(body=body, finalbody=last):
                self.block([*body, *last])
            case ast.Assign(targets=[ast.Subscript() as target]) if self._is_element(target, node):
                return
            case ast.Expr(value=ast.Call() as made) if self._moves(made):
                return
            case ast.Expr(value=ast.Call(func=ast.Name(id=name)) as made) if isinstance(
                routine := self.names.get(name), Routine
            ):
                self._procedure(routine, made)
            case _:
                super().statement(node)

    def _is_element(self, target: ast.Subscript, node: ast.Assign) -> bool:
        thing = self.value(node.value)
        return not isinstance(thing, Gradient) and self.place_element(target, thing)

    def _procedure(self, routine: Routine, node: ast.Call) -> None:
        """A function that is called for what it does: what in it is not read costs no more."""
        before, self.depth = self.depth, 0
        try:
            self.routine(routine, node)
        finally:
            self.depth = before

    def routine(self, routine: Routine, node: ast.Call) -> Thing:
        """As for a cell; a function that returns nothing answers None."""
        nothing = PythonValue(leaf("None", self.span(node)), None)
        own = routine.node
        if isinstance(own, ast.FunctionDef) and not any(
            isinstance(part, ast.Return) and part.value is not None for part in ast.walk(own)
        ):
            end = ast.Return(ast.Constant(None))
            ast.copy_location(end, own.body[-1])
            ast.fix_missing_locations(end)
            whole = ast.FunctionDef(own.name, own.args, [*own.body, end], [], lineno=own.lineno)
            routine = Routine(routine.name, whole, routine.names, routine.defaults)
            super().routine(routine, node)
            return nothing
        return super().routine(routine, node)

    def value(self, node: ast.expr) -> Thing:
        """As for a cell; the body of a function that is called in an expression is one whole."""
        if not isinstance(node, ast.Call):
            return super().value(node)
        self.depth += 1
        try:
            return super().value(node)
        finally:
            self.depth -= 1

    def answer(self, body: Sequence[ast.stmt]) -> Thing | None:
        """What statements return; a branch that is decided is the only one that is read."""
        for k, statement in enumerate(body):
            match statement:
                case ast.Return(value=value):
                    return None if value is None else self.value(value)
                case ast.If(test=test, orelse=orelse) if not is_main(test):
                    said = self.said_of(test)
                    if said is not None:
                        chosen = statement.body if said else orelse
                        return self.answer([*chosen, *body[k + 1 :]])
                    if _returns(statement):
                        return self.chosen(statement, body[k + 1 :])
                case ast.For() | ast.With() | ast.While() if _returns(statement):
                    raise self.refused(statement)
            if self.is_valued:
                self.statement(statement)
            else:
                self.attempt(statement)
        return None

    # Branches and loops

    def _branch(self, node: ast.If) -> None:
        try:
            holds = self.decided(node.test)
        except NodeError:
            if self.only_shows(node):
                self.skip(node)
                return
            raise
        self.block(node.body if holds else node.orelse)

    def _for(self, node: ast.For) -> None:
        try:
            rounds, is_cut = self._bounded(node)
        except NodeError:
            if self.only_shows(node):
                self.skip(node)
                return
            raise
        for thing in rounds[:MOST_ROUNDS]:
            self.target(node.target, thing)
            if self._round(node):
                return
        if is_cut:
            message = f"of this loop the first of more than {MOST_ROUNDS} rounds is read"
            self.tell(node.lineno, message)

    def _bounded(self, node: ast.For) -> tuple[Sequence[Thing], bool]:
        """What the target stands for, in the rounds that are read; whether these are not all."""
        try:
            return self.rounds(node.iter), False
        except NodeError as error:
            if error.code != "too-large":
                raise
        first = getattr(node.iter, "args", [])[:1] if isinstance(node.iter, ast.Call) else []
        is_counted = len(getattr(node.iter, "args", [])) > 1
        begin = self.value(first[0]) if is_counted else PythonValue(leaf("0", self.span(node)), 0)
        return [begin], True

    def _while(self, node: ast.While) -> None:
        for _ in range(MOST_ROUNDS):
            if not self.decided(node.test) or self._round(node):
                return
        message = f"of this loop the first {MOST_ROUNDS} rounds are read"
        self.tell(node.lineno, message)

    def _round(self, node: ast.For | ast.While) -> bool:
        """One round of a loop; whether it is the last one that is read."""
        before = len(self.moves), len(self.derivatives)
        try:
            self.block(node.body)
        except _Left as left:
            if left.is_over:
                return True
        if self.is_exhausted:
            return True
        if len(self.moves) > before[0] and len(self.derivatives) > before[1]:
            where = self.script.place(self.moves[-1]).line
            self.tell(node.lineno, _ROOM.format(where))
            return True
        return False

    # What moves the point

    def _moves(self, node: ast.Call) -> bool:
        """Whether a statement moves inputs: a step of an optimizer, or a change of `w.data`."""
        func = node.func
        root, path = _path(func)
        if root is None or not isinstance(func, ast.Attribute):
            return False
        match node.args:
            case [ast.Constant(value=int() as seed)] if func.attr in _SEEDING:
                self.seed = max(0, seed)
        thing = self.names.get(root.id)
        if func.attr == "step" and isinstance(thing, Refused | None):
            self.move_all(node)
            return True
        changes = func.attr.endswith("_") and func.attr != "requires_grad_" and "grad" not in path
        if changes and self.is_graded(thing) and ("data" in path or self.is_cut):
            self.moved(root, node)
            return True
        return False


def _path(node: ast.expr) -> tuple[ast.Name | None, list[str]]:
    """The name that attributes are of, and these from the last to the first."""
    path = []
    while isinstance(node, ast.Attribute):
        path.append(node.attr)
        node = node.value
    return (node if isinstance(node, ast.Name) else None), path


def _returns(node: ast.stmt) -> bool:
    return any(isinstance(part, ast.Return) for part in ast.walk(node))
