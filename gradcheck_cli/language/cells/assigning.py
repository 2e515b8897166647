"""Assignments of a cell."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from gradcheck_cli.language.cells.bindings import (
    Fresh,
    Gradient,
    Library,
    Quantity,
    Refused,
    Series,
    Thing,
)
from gradcheck_cli.language.cells.calls import Calls
from gradcheck_cli.language.errors import NodeError
from gradcheck_cli.language.terms import Term, leaf

if TYPE_CHECKING:
    from collections.abc import Sequence

# Functions that do something else than compute, however they are called.
ACTING = ("open", "eval", "exec", "compile", "input", "exit", "quit", "breakpoint", "getattr")


class Assigning(Calls):
    """Reads assignments."""

    def assignment(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> None:
        """An assignment of any kind; a name that is only declared is none."""
        match node:
            case ast.Assign(targets=targets, value=value):
                self._assign(targets, value)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                self._assign([target], value)
            case ast.AugAssign():
                self._augmented(node)

    def _assign(self, targets: Sequence[ast.expr], value: ast.expr) -> None:
        for target in targets:
            if isinstance(target, ast.Attribute) and self._flagged(target, value):
                return
        thing = self.tried(value)
        if isinstance(thing, Fresh | Quantity) and len(targets) > 1:
            first = next((t for t in targets if isinstance(t, ast.Name)), None)
            if first is not None:
                self.bind(first.id, thing, first)
                thing = self.named(first)
        for target in targets:
            self.target(target, thing)

    def tried(self, node: ast.expr) -> Thing:
        """What an expression stands for; what is not read is refused where it is needed."""
        before = len(self.derivatives)
        try:
            return self.value(node)
        except NodeError as error:
            if len(self.derivatives) > before or error.code == "too-large" or _is_acting(node):
                raise
            return Refused(error)

    def target(self, target: ast.expr, thing: Thing) -> None:
        """A thing under the names of a target."""
        match target:
            case ast.Name(id=name):
                self.bind(name, thing, target)
            case ast.Tuple(elts=elts) | ast.List(elts=elts):
                things = self._unpacked(thing, len(elts), target)
                for part, item in zip(elts, things, strict=True):
                    self.target(part, item)
            case ast.Attribute(attr="grad"):
                self.skipped.append(target.lineno)
            case ast.Subscript() if isinstance(thing, Gradient):
                self.skipped.append(target.lineno)
            case ast.Attribute(attr="data", value=ast.Name() as name):
                self.moved(name, target)
            case _:
                message = "an assignment to a part of a value is not read"
                way_out = "build the whole value: `torch.stack([a, b])`, `torch.where(c, a, b)`"
                raise NodeError("unsupported-syntax", message, target, way_out)

    def is_graded(self, thing: Thing | None) -> bool:
        """Whether a thing is an input that requires a gradient."""
        known = None if thing is None else self.leaf_of(thing)
        return known is not None and known.requires_grad

    def moved(self, name: ast.Name, node: ast.AST) -> None:
        """An input that is moved from here on, as a step of a descent does: it is refused where it
        is needed again.
        """
        message = f"`{name.id}` is moved here, and a check is made at one point"
        way_out = "give the cell up to `backward()`"
        error = NodeError("unsupported-syntax", message, node, way_out)
        self.names[name.id] = Refused(error)
        self.skipped.append(getattr(node, "lineno", 1))

    def _unpacked(self, thing: Thing, count: int, node: ast.expr) -> Sequence[Thing]:
        match thing:
            case Series(items=items) if len(items) == count:
                # All are computed before the first is assigned, as in `x, y = y, x`.
                return items
            case Gradient(by=by) if len(by) == count:
                return [Gradient((name,)) for name in by]
            case Gradient() | Refused() | Library():
                return [thing] * count
            case Quantity(term=Term(kind="leaf") as whole):
                span = self.span(node)
                picks = (Term("index", span, "", (whole, leaf(str(k), span))) for k in range(count))
                return [Quantity(pick, thing.is_numpy) for pick in picks]
        message = f"this has not {count} values"
        raise NodeError("unsupported-syntax", message, node)

    def _flagged(self, target: ast.Attribute, value: ast.expr) -> bool:
        """Whether an assignment was that of `x.requires_grad`."""
        if target.attr != "requires_grad":
            return False
        known = self.leaf_of(self.value(target.value))
        wanted = self.flag(value)
        if known is None:
            message = "what is computed here is no input: its numbers are not written out"
            raise NodeError("unsupported-syntax", message, target)
        known.made = self.requiring(known.made, wanted, target)
        known.requires_grad = wanted
        return True

    def _augmented(self, node: ast.AugAssign) -> None:
        if not isinstance(node.target, ast.Name):
            self.target(node.target, Gradient())
            return
        thing = self.names.get(node.target.id)
        if self.is_cut and self.is_graded(thing):
            self.moved(node.target, node)
            return
        whole = ast.copy_location(ast.BinOp(node.target, node.op, node.value), node)
        result = self.tried(whole)
        if isinstance(thing, Quantity):
            self._require_alone(thing, node.target)
        self.bind(node.target.id, result, node.target)

    def _require_alone(self, value: Quantity, node: ast.Name) -> None:
        """Nothing, if a value may be changed in place: it is no leaf, and nothing shares it.

        Raises:
            NodeError: it may not.
        """
        known = self.leaf_of(value)
        way_out = f"give it a new name: `{node.id}2 = ...`"
        if known is not None and known.requires_grad:
            message = f"torch lets nobody change `{node.id}` in place, which requires a gradient"
            raise NodeError("unsupported-syntax", message, node, way_out)
        for other in self.others_of(value, node.id):
            message = f"this changes `{other}` as well, which shares its numbers"
            raise NodeError("unsupported-syntax", message, node, way_out)

    def in_place(self, value: Quantity, func: ast.Attribute, node: ast.Call) -> Thing:
        """A method that changes its value: the name stands for the new one from here on."""
        if not isinstance(func.value, ast.Name):
            message = f"`.{func.attr}()` changes what has no name of its own"
            raise NodeError("unsupported-syntax", message, node, "assign it first")
        self._require_alone(value, func.value)
        head = Term("attribute", self.span(func), func.attr[:-1], (value.term,))
        parts = (head, *self.arguments(node))
        self.bind(func.value.id, Quantity(Term("call", self.span(node), "", parts)), func.value)
        return self.named(func.value)


def _is_acting(node: ast.expr) -> bool:
    """Whether an expression would do something beside computing a value."""
    words = (part.id if isinstance(part, ast.Name) else "" for part in ast.walk(node))
    return any(word in ACTING or word.startswith("__") for word in words)
