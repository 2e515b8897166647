"""Conditions of a script, as they are at its own point."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from gradcheck_cli.language.cells.bindings import Gradient, PythonValue, Thing
from gradcheck_cli.language.errors import NodeError
from gradcheck_cli.language.terms import Term, call, leaf
from gradcheck_cli.lifting.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Callable

_COMPARED: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.Is: lambda a, b: a is b,
    ast.IsNot: lambda a, b: a is not b,
}


class Deciding(Reading):
    """Decides conditions."""

    def decided(self, test: ast.expr) -> bool:
        """Whether a condition holds at the script's point.

        Raises:
            NodeError: that is not known.
        """
        said = self.said_of(test)
        if said is not None:
            return said
        match test:
            case ast.BoolOp(op=op, values=values):
                parts = map(self.decided, values)
                return all(parts) if isinstance(op, ast.And) else any(parts)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self.decided(operand)
        span = self.span(test)
        term = self.as_quantity(self.things(test), test).term
        zero, one = leaf("0", span), leaf("1", span)
        if not isinstance(test, ast.Compare):
            term = Term("chain", span, "", (term, zero), ("!=",))
        return bool(self.worth(call("where", span, term, one, zero), test))

    def said_of(self, test: ast.expr) -> bool | None:
        """Whether a condition of Python's own values holds; None of another."""
        match test:
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARED:
                things = [self.known_thing(left), self.known_thing(right)]
                if isinstance(op, ast.Is | ast.IsNot):
                    if isinstance(things[1], PythonValue) and things[1].value is None:
                        first = things[0]
                        is_none = isinstance(first, PythonValue) and first.value is None
                        if isinstance(first, Gradient):
                            is_none = not self.derivatives
                        return is_none == isinstance(op, ast.Is)
                    return None
                values = [each.value for each in things if isinstance(each, PythonValue)]
                if len(values) == 2 and (None not in values):
                    return bool(_COMPARED[type(op)](*values))
                return None
            case ast.Constant() | ast.Name():
                thing = self.known_thing(test)
                if isinstance(thing, PythonValue) and thing.value is not None:
                    return bool(thing.value)
        return None

    def known_thing(self, node: ast.expr) -> Thing | None:
        """What an expression stands for; None where it is not read, or not known to the script."""
        if isinstance(node, ast.Name) and node.id not in self.names:
            return None
        try:
            return self.things(node)
        except NodeError:
            return None
