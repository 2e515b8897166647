"""Things of a cell as values of the program."""

from __future__ import annotations

import ast

from gradcheck_cli.language.cells.bindings import (
    Alike,
    Fresh,
    Gradient,
    PythonValue,
    Quantity,
    Refused,
    Series,
    Thing,
)
from gradcheck_cli.language.cells.scope import Scope
from gradcheck_cli.language.errors import NodeError, elide
from gradcheck_cli.language.libraries import callee
from gradcheck_cli.language.terms import Term, leaf

# A list that holds itself many times over has no end that is worth reading.
_MOST_ITEMS = 20_000


class Conversions(Scope):
    """Makes values of the program of what names stand for."""

    def value(self, node: ast.expr) -> Thing:
        """What an expression stands for.

        Raises:
            NodeError: it is nothing that is read.
        """
        raise NotImplementedError

    def quantity(self, node: ast.expr) -> Quantity:
        """The value of the program that an expression is."""
        return self.as_quantity(self.value(node), node)

    def term(self, thing: Thing, node: ast.expr) -> Term:
        """As `as_quantity`, its term alone."""
        return self.as_quantity(thing, node).term

    def as_quantity(self, thing: Thing, node: ast.expr) -> Quantity:
        """A thing as a value of the program.

        Raises:
            NodeError: it is none.
        """
        match thing:
            case Quantity():
                return thing
            case PythonValue(term=term):
                return Quantity(term)
            case Fresh():
                return self._constant(thing, node)
            case Alike(number=number, like=like):
                span = self.span(node)
                name = leaf("broadcast_like", span)
                return Quantity(Term("call", span, "", (name, leaf(number, span), like)))
            case Series():
                return Quantity(self._listed(thing, node))
            case Refused(error=error):
                raise error
            case Gradient():
                message = "a gradient is what is checked, and is no part of the program"
                way_out = "a second derivative is checked with `--order 2`"
                raise NodeError("unsupported-syntax", message, node, way_out)
        words = elide(self.source.words(node))
        raise NodeError("unsupported-syntax", f"`{words}` is no value of the program", node)

    def _constant(self, made: Fresh, node: ast.expr) -> Quantity:
        """A tensor that has no name: its numbers where they are written, else an input."""
        head, *arguments = made.maker.parts
        assert head is not None
        is_written = len(arguments) == 1 and head.text in ("tensor", "array") and not made.shape
        if is_written and not made.requires_grad and arguments[0] is not None:
            return Quantity(arguments[0], made.is_numpy)
        return self.input("constant", made, self.span(node))

    def _listed(self, series: Series, node: ast.expr) -> Term:
        """A list of the language."""
        budget = [_MOST_ITEMS]

        def term(thing: Thing, at: ast.expr) -> Term:
            budget[0] -= 1
            if budget[0] < 0:
                message = f"a list has at most {_MOST_ITEMS:,} items"
                raise NodeError("too-large", message, node)
            if not isinstance(thing, Series):
                return self.term(thing, at)
            places = getattr(thing.node, "elts", [])
            inner = zip(thing.items, places or [at] * len(thing.items), strict=False)
            kind = "tuple" if isinstance(thing.node, ast.Tuple) else "list"
            return Term(kind, self.span(at), "", tuple(term(*pair) for pair in inner))

        return term(series, node)

    def size(self, term: Term, key: Term | None, node: ast.AST) -> Term:
        """How long a value is along a dimension; how many numbers it has, if none is named."""
        span = self.span(node)
        dim = () if key is None else (Term("keyword", span, "dim", (key,)),)
        return Term("call", span, "", (leaf("size", span), term, *dim))

    def require_function(self, spelled: str, node: ast.expr) -> None:
        """Nothing, if the language knows a function by that name, with its prefix.

        Raises:
            NodeError: it does not.
        """
        *links, name = spelled.split(".")
        func: ast.expr = ast.copy_location(ast.Name((links or [name])[0]), node)
        for link in [*links[1:], name] if links else []:
            func = ast.copy_location(ast.Attribute(func, link), node)
        callee(ast.copy_location(ast.Call(func, [], []), node), ())
