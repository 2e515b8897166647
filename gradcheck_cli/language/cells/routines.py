"""Functions that a cell defines, their bodies in the place of their calls."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from gradcheck_cli.language.cells.bindings import Quantity, Routine, Thing
from gradcheck_cli.language.cells.walk import MOST_CALLS, Walk
from gradcheck_cli.language.errors import NodeError
from gradcheck_cli.language.terms import Term

if TYPE_CHECKING:
    from collections.abc import Sequence


class Routines(Walk):
    """Reads calls of a cell's own functions."""

    def routine(self, routine: Routine, node: ast.Call) -> Thing:
        """What a function of the cell answers: its body is read with its arguments as names.

        Raises:
            NodeError: it calls itself, its arguments do not fit, or it answers nothing.
        """
        if routine.node in self._open or len(self._open) >= MOST_CALLS:
            message = f"`{routine.name}` calls itself"
            if routine.node not in self._open:
                message = f"functions call each other more than {MOST_CALLS} deep"
            way_out = "write out what it comes to"
            raise NodeError("unsupported-syntax", message, node, way_out)
        given = self._given(routine, node)
        outer, last = self.names, self.last
        self.names = routine.names.new_child()
        self._open.append(routine.node)
        try:
            for parameter, thing in given.items():
                # What is computed gets the parameter's name, so that it stands once.
                self.bind(parameter, thing, node)
            if isinstance(routine.node, ast.Lambda):
                return self.value(routine.node.body)
            answer = self.answer(routine.node.body)
        finally:
            self._open.pop()
            self.names, self.last = outer, last
        if answer is None:
            message = f"`{routine.name}` returns nothing"
            raise NodeError("unsupported-syntax", message, node, "end it with `return`")
        return answer

    @property
    def _open(self) -> list[ast.AST]:
        """The functions that are being read."""
        opened: list[ast.AST] = self.__dict__.setdefault("opened", [])
        return opened

    def _given(self, routine: Routine, node: ast.Call) -> dict[str, Thing]:
        """The arguments of a call by the names of the parameters."""
        takes = routine.node.args
        if takes.vararg or takes.kwarg:
            raise NodeError("unsupported-syntax", "unpacking is not read", routine.node)
        names = [each.arg for each in (*takes.posonlyargs, *takes.args)]
        keys = [*names, *(each.arg for each in takes.kwonlyargs)]
        defaults = routine.defaults
        given: dict[str, ast.expr] = dict(zip(names, node.args, strict=False))
        for keyword in node.keywords:
            if keyword.arg not in keys or keyword.arg in given:
                message = f"`{routine.name}` has no free argument `{keyword.arg}`"
                raise NodeError("unknown-keyword", message, keyword.value)
            given[keyword.arg] = keyword.value
        missing = [key for key in keys if key not in given and key not in defaults]
        if missing or len(node.args) > len(names):
            words = f"`{routine.name}` takes {len(keys)}, {len(node.args)} are given"
            raise NodeError("arity", words, node)
        values = {key: self.value(part) for key, part in given.items()}
        return {key: values[key] if key in values else defaults[key] for key in keys}

    def answer(self, body: Sequence[ast.stmt]) -> Thing | None:
        """What statements return; None where they return nothing.

        `if c: return a` with `return b` behind it is `a if c else b`.
        """
        for k, statement in enumerate(body):
            if isinstance(statement, ast.Return):
                return None if statement.value is None else self.value(statement.value)
            if isinstance(statement, ast.If):
                return self.chosen(statement, body[k + 1 :])
            if isinstance(statement, ast.For | ast.With) and _returns(statement):
                raise self.refused(next(n for n in ast.walk(statement) if _is_return(n)))
            self.statement(statement)
        return None

    def chosen(self, node: ast.If, rest: Sequence[ast.stmt]) -> Thing:
        """`a if c else b` of an `if` whose branches return, with what stands behind it."""
        test = self.quantity(node.test).term
        outer = self.names
        terms = []
        for body in (node.body, [*node.orelse, *rest]):
            self.names = outer.new_child()
            answer = self.answer(body)
            self.names = outer
            if answer is None:
                message = "each branch of an `if` must return a value"
                way_out = "write `a if x > 0 else b`, or `where(x > 0, a, b)`"
                raise NodeError("unsupported-syntax", message, node, way_out)
            terms.append(self.term(answer, node.test))
        return Quantity(Term("if", self.span(node), "", (terms[0], test, terms[1])))


def _is_return(node: ast.AST) -> bool:
    return isinstance(node, ast.Return)


def _returns(statement: ast.stmt) -> bool:
    return any(map(_is_return, ast.walk(statement)))
