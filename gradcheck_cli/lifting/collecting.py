"""What a script says of derivatives beside torch: values under a label, names such as `dfdx`, what
is compared with `.grad`.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gradcheck_cli.language.cells.bindings import (
    Fresh,
    Gradient,
    PythonValue,
    Quantity,
    Series,
    Thing,
)
from gradcheck_cli.language.errors import NodeError
from gradcheck_cli.lifting.following import Following
from gradcheck_cli.lifting.labels import (
    ClaimTarget,
    estimated,
    is_estimate,
    is_place,
    label_of,
    target_of,
)
from gradcheck_cli.lifting.printed import printed_parts
from gradcheck_cli.lifting.terms import uncut

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradcheck_cli.language.terms import Term

# What compares two values, its first two arguments.
_COMPARING = (
    "allclose", "isclose", "equal", "assert_close", "assert_allclose", "assert_almost_equal",
    "array_equal", "assert_equal",
)  # fmt: skip
# A step of a difference quotient is no larger: a guess.
_SMALL = 0.02


@dataclass(frozen=True)
class Stated:
    """A derivative that a script states.

    Attributes:
        line: of the source, from 1.
        words: what is stated, as it is written.
        target: what of, in the words of the script.
        value: what it is said to be.
        leaves: the leaf that each name of the script stands for there.
        name: the variable that holds it; empty where it has none.
        by: the leaf of what it is by, where a `.grad` says so.
    """

    line: int
    words: str
    target: ClaimTarget
    value: Term
    leaves: Mapping[str, str] = field(repr=False)
    name: str = ""
    by: str = ""


class Collecting(Following):
    """Collects what is stated."""

    def statement(self, node: ast.stmt) -> None:
        """One statement, and what it states."""
        super().statement(node)
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    for name in _names(target):
                        self._named_value(name, node)
                self._compared(value)
            case ast.AnnAssign(target=ast.Name() as name, value=value) if value is not None:
                self._named_value(name, node)
            case ast.Expr(value=value):
                self._compared(value)
                self._printed(value)
            case ast.Assert(test=test):
                self._compared(test)

    @property
    def stated(self) -> list[Stated]:
        """All that was stated, in order."""
        kept: list[Stated] = self.__dict__.setdefault("kept", [])
        return kept

    def leaves(self) -> dict[str, str]:
        """The leaf that each name stands for here."""
        found = {}
        for name, thing in self.names.items():
            if isinstance(thing, Quantity | PythonValue) and thing.term.kind == "leaf":
                found[name] = thing.term.text
        return found

    def _named_value(self, name: ast.Name, node: ast.Assign | ast.AnnAssign) -> None:
        leaves = self.leaves()
        target = target_of(name.id, leaves)
        thing = self.names.get(name.id)
        if not isinstance(thing, Quantity | PythonValue) or _is_text(thing):
            return  # what is not read is told as an assignment
        if target is None:
            if estimated(name.id, leaves):
                self.tell(node.lineno, f"`{name.id}` is called an estimate, and is no claim")
            return
        if isinstance(thing, PythonValue) and _is_step(name.id, thing, target):
            return
        value = node.value
        assert value is not None
        if self._is_quotient(value):
            reason = f"`{name.id}` is a difference quotient, an estimate and no formula"
            self.tell(node.lineno, reason)
            return
        words = self.source.words(node)
        self._keep(node, words, target, thing.term, leaves, name.id)

    def _keep(
        self,
        node: ast.AST,
        words: str,
        target: ClaimTarget,
        value: Term,
        leaves: dict[str, str],
        name: str = "",
        by: str = "",
    ) -> None:
        line = getattr(node, "lineno", 1)
        self.stated.append(Stated(line, " ".join(words.split()), target, value, leaves, name, by))

    # Labels

    def _printed(self, node: ast.expr) -> None:
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            return
        if node.func.id not in ("print", "display"):
            return
        label: ClaimTarget | None = None
        before = ""
        for part in printed_parts(node):
            if isinstance(part, str):
                label, before = label_of(part) or label, part
            elif label is not None:
                self._labelled(part, label, before, node)

    def _labelled(self, value: ast.expr, label: ClaimTarget, before: str, node: ast.Call) -> None:
        if is_estimate(before):
            return
        if self._is_quotient(value):
            reason = "a difference quotient is an estimate and no formula"
            self.tell(value.lineno, f"`{_fraction(label)}`: {reason}")
            return
        leaves = self.leaves()
        try:
            thing = self.things(value)
            if isinstance(thing, Gradient) or _is_text(thing):
                return
            term = self.as_quantity(thing, value).term
        except NodeError as error:
            self.tell(value.lineno, f"the value beside `{_fraction(label)}`: {error}")
            return
        if uncut(term).text in self.inputs and (isinstance(value, ast.Name) or is_place(before)):
            return  # the point
        words = f"{_fraction(label)}: {self.source.words(value)}"
        self._keep(node, words, label, term, leaves)

    # Comparisons

    def _compared(self, node: ast.expr) -> None:
        for first, second in _pairs(node):
            sides = [self._side(first), self._side(second)]
            for (mine, _), (other, where) in (sides, sides[::-1]):
                if isinstance(mine, Gradient) and not isinstance(other, Gradient | None):
                    self._against(mine, other, where, node)

    def _side(self, node: ast.expr) -> tuple[Thing | None, ast.expr]:
        try:
            return self.things(node), node
        except NodeError:
            return None, node

    def _against(self, gradient: Gradient, thing: Thing, where: ast.expr, node: ast.expr) -> None:
        if isinstance(where, ast.Name):
            target = target_of(where.id, self.leaves())
            if target is not None and target.by:
                return  # stated where it was computed
        if len(gradient.by) != 1 or not isinstance(thing, Quantity | PythonValue | Fresh | Series):
            return
        if isinstance(thing, PythonValue) and not isinstance(thing.value, int | float):
            return
        try:
            term = self.as_quantity(thing, where).term
        except NodeError as error:
            self.tell_error(error, where.lineno)
            return
        words = f"compared with .grad: {self.source.words(where)}"
        self._keep(node, words, ClaimTarget("", ""), term, self.leaves(), by=gradient.by[0])

    def _is_quotient(self, node: ast.expr) -> bool:
        """Whether an expression divides a difference by a small number."""
        while isinstance(node, ast.Call) and len(node.args) == 1:
            node = node.args[0]
        if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)):
            return False
        if not (isinstance(node.left, ast.BinOp) and isinstance(node.left.op, ast.Sub)):
            return False
        try:
            numbers = self.worth(self.as_quantity(self.things(node.right), node).term, node)
        except NodeError:
            return False
        return numbers.size == 1 and 0 < abs(float(numbers.reshape(-1)[0])) <= _SMALL


def _names(target: ast.expr) -> Iterator[ast.Name]:
    if isinstance(target, ast.Name):
        yield target
    elif isinstance(target, ast.Tuple | ast.List):
        for part in target.elts:
            yield from _names(part)


def _is_step(name: str, thing: PythonValue, target: ClaimTarget) -> bool:
    """Whether a number under a name such as `dx` is a step rather than a derivative."""
    return not target.of and name == f"d{target.by}" and 0 < abs(thing.value) <= _SMALL


def _is_text(thing: Thing) -> bool:
    return isinstance(thing, PythonValue) and not isinstance(thing.value, int | float)


def _fraction(target: ClaimTarget) -> str:
    return f"d{target.of}/d{target.by}"


def _pairs(node: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Pairs of expressions that are compared within one."""
    for part in ast.walk(node):
        match part:
            case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
                yield left, right
            case ast.Call(func=func, args=[first, second, *_]) if _called(func) in _COMPARING:
                yield first, second
            case ast.Call(func=func, args=args) if not _called(func).endswith("_"):
                owner = [func.value] if isinstance(func, ast.Attribute) else []
                for inner in (*args, *owner):
                    if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Sub):
                        yield inner.left, inner.right


def _called(func: ast.expr) -> str:
    return getattr(func, "attr", getattr(func, "id", ""))
