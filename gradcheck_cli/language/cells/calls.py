"""Calls of a cell: functions and methods, modules, functions of its own, derivatives."""

from __future__ import annotations

import ast
from dataclasses import replace

from gradcheck_cli.functions.modules import (
    ADDING,
    ALIKE,
    CASTING,
    COPYING,
    CUTTING,
    IDLE,
    LEAVING,
    MEASURING,
    UNCHANGING,
    is_view,
)
from gradcheck_cli.functions.other_names import ACCEPTED
from gradcheck_cli.language.cells.bindings import (
    Affine,
    Alike,
    Extent,
    Fresh,
    Gradient,
    Library,
    ModuleStack,
    NeuralModule,
    PythonValue,
    Quantity,
    Refused,
    Routine,
    Series,
    Thing,
)
from gradcheck_cli.language.cells.deriving import GRAD
from gradcheck_cli.language.cells.libraries import spelled_prefix
from gradcheck_cli.language.cells.neural import Neural
from gradcheck_cli.language.constants import nonfinite
from gradcheck_cli.language.errors import NodeError, elide
from gradcheck_cli.language.libraries import PREFIXES
from gradcheck_cli.language.terms import Term, chain, leaf

# Libraries that show something, or measure it; what they answer is of no program.
FIGURES = (
    "matplotlib", "seaborn", "pylab", "plotly", "warnings", "logging", "tqdm", "time", "IPython",
)  # fmt: skip


class Calls(Neural):
    """Reads calls."""

    def call(self, node: ast.Call) -> Thing:
        """What a call answers."""
        func = node.func
        if isinstance(func, ast.Name) and func.id not in self.names:
            return self._bare(func, node)
        if isinstance(func, ast.Attribute):
            owner = self.value(func.value)
            if not isinstance(owner, Library | Affine):
                return self.method(owner, func, node)
            target = self.attribute_of(owner, func)
        else:
            target = self.value(func)
        match target:
            case Library(path=path):
                return self._of_library(path, node)
            case Routine():
                return self.routine(target, node)
            case NeuralModule() | Affine() | ModuleStack():
                return self.applied(target, node)
            case Refused(error=error):
                raise error
        raise NodeError("unsupported-syntax", "only a function can be called", func)

    def routine(self, routine: Routine, node: ast.Call) -> Thing:
        """What a function of the cell answers."""
        raise NotImplementedError

    def _bare(self, func: ast.Name, node: ast.Call) -> Thing:
        """A function of Python's, or of the language, by its bare name."""
        is_plain = len(node.args) == 1 and not node.keywords
        if is_plain and func.id in ("float", "len", ADDING):
            return self._builtin(func.id, self.value(node.args[0]), node)
        self.require_function(func.id, func)
        return self._function(leaf(func.id, self.span(func)), node)

    def _builtin(self, name: str, first: Thing, node: ast.Call) -> Thing:
        """A function of Python's that the language has not, or that means something else there."""
        if name == ADDING:
            return self._summed(first, node)
        if name == "len":
            term = self.term(first, node.args[0])
            return Quantity(self.size(term, leaf("0", self.span(node)), node))
        if not isinstance(first, PythonValue):
            return self.leave(first, name, node)
        is_word = isinstance(first.value, str) and nonfinite(first.value) is not None
        word = leaf(str(first.value), self.span(node))
        if is_word:
            return PythonValue(word, float(first.value))
        is_integer = type(first.value) is int
        return PythonValue(first.term, float(first.value)) if is_integer else first

    def _summed(self, first: Thing, node: ast.Call) -> Quantity:
        """Python's sum: the items of a list, or a value's along its first dimension."""
        if isinstance(first, Series) and first.items:
            places = getattr(first.node, "elts", node.args * len(first.items))
            pairs = zip(first.items, places, strict=False)
            head, *rest = (self.as_quantity(thing, place).term for thing, place in pairs)
            return Quantity(chain(head, *(("+", term) for term in rest)))
        span = self.span(node)
        value = self.as_quantity(first, node.args[0])
        dim = Term("keyword", span, "dim", (leaf("0", span),))
        return Quantity(Term("call", span, "", (leaf(ADDING, span), value.term, dim)))

    def _of_library(self, path: str, node: ast.Call) -> Thing:
        library, _, name = path.rpartition(".")
        if path == GRAD:
            return self.gradient(node)
        if path.partition(".")[0] in FIGURES:
            return Library(path)
        if library == "torch.nn":
            return self.module(name, node)
        if library == "torch" and name.startswith("set_default") and node.args:
            self.default = self.dtype(node.args[0]) or self.default
            return Gradient()
        made = self.made(path, node)
        if made is not None:
            return made
        prefix = spelled_prefix(library)
        if library and prefix not in PREFIXES and prefix not in ACCEPTED:
            raise NodeError("unknown-function", f"`{elide(path)}` is not read", node.func)
        if name in ALIKE and len(node.args) == 1:
            return Alike(ALIKE[name], self.quantity(node.args[0]).term)
        spelled = f"{prefix}.{name}" if prefix else name
        self.require_function(spelled, node.func)
        return self._function(leaf(spelled, self.span(node.func)), node, prefix == "np")

    def _function(self, head: Term, node: ast.Call, is_numpy: bool = False) -> Quantity:
        arguments = self.arguments(node)
        shares = is_view(head.text.rpartition(".")[2]) and bool(arguments)
        base = arguments[0].text if shares and arguments[0].kind == "leaf" else ""
        return Quantity(Term("call", self.span(node), "", (head, *arguments)), is_numpy, base)

    def arguments(self, node: ast.Call) -> list[Term]:
        """The arguments of a call in the language."""
        terms = [self.quantity(argument).term for argument in node.args]
        for keyword in node.keywords:
            if keyword.arg is None:
                raise NodeError("unsupported-syntax", "unpacking is not read", keyword.value)
            if keyword.arg not in IDLE:
                value = self.quantity(keyword.value).term
                terms.append(Term("keyword", self.span(keyword), keyword.arg, (value,)))
        return terms

    def method(self, owner: Thing, func: ast.Attribute, node: ast.Call) -> Thing:
        """What a method of a value answers."""
        name, span = func.attr, self.span(node)
        if isinstance(owner, Gradient):
            return owner
        if isinstance(owner, PythonValue):
            message = f"a number or text of Python's has no method `{elide(name)}` that is read"
            raise NodeError("unknown-attribute", message, func)
        known = self.leaf_of(owner)
        if known is not None and not known.requires_grad and self._casts(name, node):
            owner = known.made
        remade = self.remade(owner, name, node) if isinstance(owner, Fresh) else None
        if remade is not None:
            return remade
        value = self.as_quantity(owner, func.value)
        special = self._special(value, func, node)
        if special is not None:
            return special
        base = (value.base or value.term.text) if is_view(name) else ""
        self.require_function(f"np.{name}" if value.is_numpy else name, func)
        if value.is_numpy:
            head = leaf(f"np.{name}", span)
            parts = (head, value.term, *self.arguments(node))
            return Quantity(Term("call", span, "", parts), is_numpy=True, base=base)
        head = Term("attribute", self.span(func), name, (value.term,))
        whole = Quantity(Term("call", span, "", (head, *self.arguments(node))), base=base)
        if known is not None and name in CUTTING:
            return replace(whole, made=known.made)
        return whole

    def _special(self, value: Quantity, func: ast.Attribute, node: ast.Call) -> Thing | None:
        """What a method answers that is no function; None for one that is."""
        name = func.attr
        if name == "backward":
            return self.backward(value, node)
        if name == "requires_grad_":
            return self._require(value, func, node)
        if name in LEAVING:
            return self.leave(value, f".{name}", node)
        if name in UNCHANGING:
            if self._casts(name, node) and name != "float":
                self.said["a change of dtype within the program is not followed"] = None
            return replace(value, is_copy=True, base="") if name in COPYING else value
        if len(name) > 1 and name.endswith("_") and not name.startswith("_"):
            return self.in_place(value, func, node)
        if name == MEASURING and not node.args and not node.keywords:
            return Extent(value.term)
        return None

    def leave(self, thing: Thing, name: str, node: ast.Call) -> Thing:
        """The numbers of a value as Python or NumPy have them.

        Raises:
            NodeError: torch follows a gradient no further.
        """
        message = f"behind `{name}()` torch has no path for a gradient"
        raise NodeError("unsupported-syntax", message, node, "leave it out")

    def _casts(self, name: str, node: ast.Call) -> bool:
        """Whether a method changes the dtype."""
        parts = [*node.args, *(k.value for k in node.keywords if k.arg == "dtype")]
        return name in CASTING or (name in UNCHANGING and any(map(self._names_dtype, parts)))

    def _names_dtype(self, node: ast.expr) -> bool:
        if not isinstance(node, ast.Name | ast.Attribute | ast.Constant):
            return False
        try:
            self.dtype(node)
        except NodeError:
            return False
        return True

    def in_place(self, value: Quantity, func: ast.Attribute, node: ast.Call) -> Thing:
        """A method that changes its value."""
        raise NotImplementedError

    def _require(self, value: Quantity, func: ast.Attribute, node: ast.Call) -> Thing:
        known = self.leaf_of(value)
        wanted = self.flag(node.args[0]) if node.args else True
        if known is None and value.made is not None:
            return self.requiring(value.made, wanted, node)
        if known is None:
            message = "what is computed here is no input: its numbers are not written out"
            raise NodeError("unsupported-syntax", message, func, "such as `torch.tensor([1.0])`")
        known.made = self.requiring(known.made, wanted, node)
        known.requires_grad = wanted
        return value
