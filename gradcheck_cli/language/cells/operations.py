"""Expressions of a cell, as what they stand for."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from gradcheck_cli.functions import constants
from gradcheck_cli.language.cells.bindings import (
    Affine,
    Extent,
    Fresh,
    Gradient,
    Library,
    PythonValue,
    Quantity,
    Refused,
    Routine,
    Series,
    Thing,
)
from gradcheck_cli.language.cells.conversions import Conversions
from gradcheck_cli.language.cells.libraries import USUAL, known_path, spelled_prefix
from gradcheck_cli.language.errors import NodeError, Span, elide
from gradcheck_cli.language.libraries import ATTRIBUTES
from gradcheck_cli.language.syntax import refusal
from gradcheck_cli.language.terms import Term, chain, leaf

if TYPE_CHECKING:
    from collections.abc import Sequence

# fmt: off
_SIGNS: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@", ast.Mod: "%", ast.FloorDiv: "//", ast.BitAnd: "&", ast.BitOr: "|",
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=", ast.And: "and", ast.Or: "or",
    ast.USub: "-", ast.Not: "not", ast.Invert: "not",
}
# fmt: on


class Operations(Conversions):
    """Reads expressions.

    Attributes:
        folds: whether what is counted is written as the number that it comes to.
    """

    folds = True

    def value(self, node: ast.expr) -> Thing:
        """What an expression stands for.

        Raises:
            NodeError: it is nothing that is read.
        """
        match node:
            case ast.Constant():
                return PythonValue(leaf(self.source.words(node), self.span(node)), node.value)
            case ast.Name():
                return self.named(node)
            case ast.Attribute():
                return self.attribute(node)
            case ast.Call():
                return self.call(node)
            case ast.Subscript():
                return self.subscript(node)
            case ast.List(elts=elts) | ast.Tuple(elts=elts):
                return Series(tuple(map(self.value, elts)), node)
            case ast.Lambda():
                return self.defined("lambda", node)
            case ast.ListComp(generators=[loop]) | ast.GeneratorExp(generators=[loop]):
                if not loop.ifs and not loop.is_async:
                    return self.collected(node.elt, loop, node)
        return self._operation(node)

    def call(self, node: ast.Call) -> Thing:
        """What a call answers."""
        raise NotImplementedError

    def defined(self, name: str, node: ast.FunctionDef | ast.Lambda) -> Routine:
        """A function that is written here."""
        takes = node.args
        names = [each.arg for each in (*takes.posonlyargs, *takes.args)]
        written = dict(zip(names[::-1], takes.defaults[::-1], strict=False))
        pairs = zip(takes.kwonlyargs, takes.kw_defaults, strict=True)
        written |= {each.arg: default for each, default in pairs if default is not None}
        defaults = {key: self.value(default) for key, default in written.items()}
        return Routine(name, node, self.names, defaults)

    def collected(self, item: ast.expr, loop: ast.comprehension, node: ast.expr) -> Series:
        """What a comprehension makes."""
        raise NotImplementedError

    def _operation(self, node: ast.expr) -> Thing:
        span = self.span(node)
        match node:
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.value(operand)
            case ast.UnaryOp(op=op, operand=operand):
                inner = self.value(operand)
                term = Term("signed", span, _SIGNS[type(op)], (self.term(inner, operand),))
                if isinstance(inner, PythonValue) and isinstance(inner.value, int | float):
                    return PythonValue(term, -inner.value if isinstance(op, ast.USub) else None)
                return Quantity(term, _is_numpy(inner))
            case ast.BinOp():
                return self._binary(node)
            case ast.BoolOp(op=op, values=values):
                head, *rest = (self.quantity(value) for value in values)
                pairs = [(_SIGNS[type(op)], each.term) for each in rest]
                return Quantity(chain(head.term, *pairs), head.is_numpy)
            case ast.Compare(left=left, ops=ops, comparators=others):
                if all(type(op) in _SIGNS for op in ops):
                    head = self.quantity(left)
                    terms = [self.quantity(other).term for other in others]
                    pairs = [(_SIGNS[type(op)], t) for op, t in zip(ops, terms, strict=True)]
                    return Quantity(_apart(head.term, pairs), head.is_numpy)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                parts = tuple(self.quantity(part).term for part in (body, test, orelse))
                return Quantity(Term("if", span, "", parts))
        raise self.refused(node)

    def refused(self, node: ast.AST) -> NodeError:
        """The mistake of syntax that is not read."""
        message, instead = refusal(node)
        if isinstance(node, ast.While | ast.For):
            instead = "write out what it comes to, or loop over `range(3)` or a list"
        return NodeError("unsupported-syntax", message, node, instead)

    def _binary(self, node: ast.BinOp) -> Thing:
        """A chain of signs, which may be long, from its left end."""
        spine = [node]
        while isinstance(spine[-1].left, ast.BinOp):
            spine.append(spine[-1].left)
        first = self.value(spine[-1].left)
        result, is_numpy = self.term(first, spine[-1].left), _is_numpy(first)
        is_counted = _has_name(spine[-1].left)
        for link in reversed(spine):
            right = self.value(link.right)
            whole = _computed(link.op, first, right)
            other = self.term(right, link.right)
            if whole is not None:
                # Indices and exponents are counted in loops; what is written out stays so.
                result = chain(result, (_SIGNS[type(link.op)], other))
                is_counted = is_counted or _has_name(link.right)
                if is_counted and self.folds:
                    result = integer_term(whole, self.span(link))
                first = PythonValue(result, whole)
                continue
            if isinstance(link.op, ast.Pow):
                result = Term("raised", self.span(link), "", (result, other))
            elif type(link.op) in _SIGNS:
                result = chain(result, (_SIGNS[type(link.op)], other))
            else:
                raise self.refused(link)
            is_numpy = is_numpy or _is_numpy(right)
            first = Quantity(result, is_numpy)
        return first if isinstance(first, PythonValue) else Quantity(result, is_numpy)

    def named(self, node: ast.Name) -> Thing:
        """What a name stands for; one that nothing is assigned to is an input, or a library."""
        thing = self.names.get(node.id)
        span = self.span(node)
        if isinstance(thing, Quantity):
            term = thing.term if thing.term.kind != "leaf" else leaf(thing.term.text, span)
            return Quantity(term, thing.is_numpy, thing.base)
        if isinstance(thing, PythonValue):
            is_signed = thing.term.kind == "signed"
            inner = thing.term.parts[0] if is_signed else None
            if inner is not None:
                return PythonValue(Term("signed", span, thing.term.text, (inner,)), thing.value)
            is_leaf = thing.term.kind == "leaf"
            return PythonValue(leaf(thing.term.text, span), thing.value) if is_leaf else thing
        if thing is not None:
            return thing
        if node.id in USUAL:
            return Library(USUAL[node.id])
        self.own(node.id)
        return Quantity(leaf(node.id, span))

    def attribute(self, node: ast.Attribute) -> Thing:
        """What stands behind a dot."""
        return self.attribute_of(self.value(node.value), node)

    def attribute_of(self, owner: Thing, node: ast.Attribute) -> Thing:
        """What stands behind the dot of a thing."""
        span = self.span(node)
        match owner:
            case Library(path=path):
                whole = known_path(f"{path}.{node.attr}")
                if node.attr in constants() or node.attr in ("inf", "nan"):
                    return Quantity(leaf(f"{spelled_prefix(path)}.{node.attr}", span))
                return Library(whole)
            case Gradient():
                return owner
            case Refused(error=error):
                raise error
            case Affine(weight=weight, bias=bias) if node.attr in ("weight", "bias"):
                parameter = weight if node.attr == "weight" else bias
                return PythonValue(leaf("None", span), None) if parameter is None else parameter
        value = self.as_quantity(owner, node.value)
        if node.attr in ATTRIBUTES:
            base = value.base or value.term.text
            return Quantity(Term("attribute", span, node.attr, (value.term,)), value.is_numpy, base)
        if node.attr == "grad":
            return Gradient((value.term.text,))
        if node.attr == "shape":
            return Extent(value.term)
        if node.attr == "data":
            return Quantity(Term("call", span, "", (leaf("detach", span), value.term)))
        message = f"there is no attribute `{elide(node.attr)}`"
        way_out = "`.T` and methods such as `.sum()` are known"
        raise NodeError("unknown-attribute", message, node, way_out)

    def subscript(self, node: ast.Subscript) -> Thing:
        """An element of a list, a length, or a part of a value."""
        owner = self.value(node.value)
        match owner:
            case Gradient():
                return owner if len(owner.by) < 2 else self.gradient_among(owner, node)
            case Series(items=items):
                index = self.value(node.slice)
                place = index.value if isinstance(index, PythonValue) else None
                if isinstance(place, int) and -len(items) <= place < len(items):
                    return items[place]
            case Extent(term=term):
                return Quantity(self.size(term, self.key(node.slice), node))
        value = self.as_quantity(owner, node.value)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        keys = tuple(self.key(part) for part in parts)
        base = value.base or value.term.text
        term = Term("index", self.span(node), "", (value.term, *keys))
        return Quantity(term, value.is_numpy, base)

    def gradient_among(self, gradients: Gradient, node: ast.Subscript) -> Gradient:
        """One of several derivatives."""
        index = self.value(node.slice)
        place = index.value if isinstance(index, PythonValue) else None
        if isinstance(place, int) and -len(gradients.by) <= place < len(gradients.by):
            return Gradient((gradients.by[place],))
        return Gradient()

    def key(self, node: ast.expr) -> Term:
        """What stands in the brackets of an index."""
        if isinstance(node, ast.Slice):
            ends: Sequence[ast.expr | None] = (node.lower, node.upper)
            ends = ends if node.step is None else (*ends, node.step)
            parts = tuple(None if end is None else self.key(end) for end in ends)
            return Term("slice", self.span(node), "", parts)
        thing = self.value(node)
        if isinstance(thing, PythonValue) and isinstance(thing.value, int | None | type(...)):
            if isinstance(thing.value, int) and not isinstance(thing.value, bool):
                return integer_term(thing.value, self.span(node))
            return thing.term
        message = "an index must be a constant integer or a slice"
        way_out = "by a condition write `torch.where(c, x, 0)`, by an input `torch.gather`"
        raise NodeError("bad-index", message, node, way_out)


# What is counted in loops stays far below this.
_LARGEST = 2**31


def _computed(op: ast.operator, left: Thing, right: Thing) -> int | None:
    """A sum, difference or product of integers that are written or counted; None for others."""
    numbers = [thing.value for thing in (left, right) if isinstance(thing, PythonValue)]
    if len(numbers) < 2 or not all(type(n) is int and abs(n) < _LARGEST for n in numbers):
        return None
    a, b = numbers
    match op:
        case ast.Add():
            return int(a + b)
        case ast.Sub():
            return int(a - b)
        case ast.Mult():
            return int(a * b)
    return None


def _has_name(node: ast.expr) -> bool:
    return any(isinstance(part, ast.Name) for part in ast.walk(node))


def integer_term(number: int, span: Span) -> Term:
    """An integer as the language writes it."""
    digits = leaf(str(abs(number)), span)
    return digits if number >= 0 else Term("signed", span, "-", (digits,))


def _is_numpy(thing: Thing) -> bool:
    return isinstance(thing, Quantity | Fresh) and thing.is_numpy


def _apart(head: Term, pairs: Sequence[tuple[str, Term]]) -> Term:
    """A chain of comparisons that goes on in none before it."""
    span = head.span
    return chain(head.closed(Span(*span)) if head.kind == "chain" else head, *pairs)
