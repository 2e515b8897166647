"""Calls of a cell: functions and methods, modules, functions of its own, derivatives."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from gradcheck_cli.functions.modules import (
    ADDING,
    IDLE,
    LEAVING,
    MEASURING,
    MODULES,
    UNCHANGING,
    Applied,
)
from gradcheck_cli.language.cells.bindings import (
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
from gradcheck_cli.language.cells.libraries import spelled_prefix
from gradcheck_cli.language.cells.making import Making
from gradcheck_cli.language.errors import NodeError, did_you_mean, elide
from gradcheck_cli.language.terms import Term, chain, leaf

if TYPE_CHECKING:
    from collections.abc import Sequence

_GRAD = "torch.autograd.grad"
# Functions of Python's own that a cell may call without an import.
_BUILTIN = ("float", "len", ADDING)


class Calls(Making):
    """Reads calls."""

    def call(self, node: ast.Call) -> Thing:
        """What a call answers."""
        func = node.func
        if isinstance(func, ast.Name) and func.id not in self.names:
            return self._bare(func, node)
        if isinstance(func, ast.Attribute):
            owner = self.value(func.value)
            if not isinstance(owner, Library):
                return self.method(owner, func, node)
        target = self.value(func)
        match target:
            case Library(path=path):
                return self._of_library(path, node)
            case Routine():
                return self.routine(target, node)
            case NeuralModule() | ModuleStack():
                return self.applied(target, node)
            case Refused(error=error):
                raise error
        raise NodeError("unsupported-syntax", "only a function can be called", func)

    def routine(self, routine: Routine, node: ast.Call) -> Thing:
        """What a function of the cell answers."""
        raise NotImplementedError

    def _bare(self, func: ast.Name, node: ast.Call) -> Thing:
        """A function of Python's, or of the language, by its bare name."""
        first = self.value(node.args[0]) if node.args and func.id in _BUILTIN else None
        if func.id == "float" and len(node.args) == 1 and isinstance(first, PythonValue):
            return first
        if func.id == "len" and first is not None:
            term = self.term(first, node.args[0])
            return Quantity(self.size(term, leaf("0", self.span(node)), node))
        if func.id == ADDING and len(node.args) == 1 and not node.keywords:
            return self._summed(first, node)
        if not self.is_function(func.id):
            message = f"no function named `{elide(func.id)}`"
            way_out = did_you_mean(func.id, [n for n in self.names if n in self.names.maps[0]])
            raise NodeError("unknown-function", message, func, way_out)
        return self._function(leaf(func.id, self.span(func)), node)

    def _summed(self, first: Thing | None, node: ast.Call) -> Quantity:
        """Python's sum: the items of a list, or a value's along its first dimension."""
        if isinstance(first, Series) and first.items:
            places = getattr(first.node, "elts", node.args * len(first.items))
            pairs = zip(first.items, places, strict=False)
            head, *rest = (self.as_quantity(thing, place).term for thing, place in pairs)
            return Quantity(chain(head, *(("+", term) for term in rest)))
        span = self.span(node)
        value = self.as_quantity(first or Series((), node), node.args[0])
        dim = Term("keyword", span, "dim", (leaf("0", span),))
        return Quantity(Term("call", span, "", (leaf(ADDING, span), value.term, dim)))

    def _of_library(self, path: str, node: ast.Call) -> Thing:
        library, _, name = path.rpartition(".")
        if path == _GRAD:
            return self._gradient(node)
        if library == "torch.nn":
            return self._module(name, node)
        made = self.made(path, node)
        if made is not None:
            return made
        if not self.is_function(name) and library.partition(".")[0] not in ("torch", "numpy"):
            raise NodeError("unknown-function", f"`{elide(path)}` is not read", node.func)
        if node.args and (alike := self.alike(name, self.quantity(node.args[0]))):
            return alike
        prefix = spelled_prefix(library)
        spelled = f"{prefix}.{name}" if prefix else name
        return self._function(leaf(spelled, self.span(node.func)), node, prefix == "np")

    def _function(self, head: Term, node: ast.Call, is_numpy: bool = False) -> Quantity:
        return Quantity(Term("call", self.span(node), "", (head, *self.arguments(node))), is_numpy)

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
        if isinstance(owner, Fresh):
            remade = self.remade(owner, name, node)
            if remade is not None:
                return remade
        value = self.as_quantity(owner, func.value)
        if name == "backward":
            return self._backward(value, node)
        if name == "requires_grad_":
            return self._require(value, func, node)
        if name in LEAVING:
            message = f"behind `.{name}()` torch has no path for a gradient"
            raise NodeError("unsupported-syntax", message, node, "leave it out")
        if name in UNCHANGING:
            if any(self._names_dtype(part) for part in node.args) or name in ("double", "half"):
                self.said["a change of dtype within the program is not followed"] = None
            return value
        if len(name) > 1 and name.endswith("_") and not name.startswith("_"):
            return self.in_place(value, func, node)
        dims = self.value(node.args[0]) if node.args else None
        if name == MEASURING and not isinstance(dims, PythonValue):
            return Extent(value.term)
        base = value.base or value.term.text
        if value.is_numpy:
            head = leaf(f"np.{name}", span)
            parts = (head, value.term, *self.arguments(node))
            return Quantity(Term("call", span, "", parts), is_numpy=True, base=base)
        head = Term("attribute", self.span(func), name, (value.term,))
        return Quantity(Term("call", span, "", (head, *self.arguments(node))), base=base)

    def _names_dtype(self, node: ast.expr) -> bool:
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
        if known is None:
            message = "what is computed here is no input: its numbers are not written out"
            raise NodeError("unsupported-syntax", message, func, "such as `torch.tensor([1.0])`")
        known.made = self.requiring(known.made, wanted, node)
        known.requires_grad = wanted
        return value

    def _module(self, name: str, node: ast.Call) -> Thing:
        """A module of `torch.nn` with its settings."""
        if name == "Sequential":
            layers = [self.value(argument) for argument in node.args]
            kinds = (NeuralModule, ModuleStack)
            if not node.keywords and all(isinstance(layer, kinds) for layer in layers):
                return ModuleStack(tuple(each for each in layers if isinstance(each, kinds)))
        applied = MODULES.get(name)
        if applied is None or name == "Sequential":
            message = f"`nn.{elide(name)}` is no module that is read"
            way_out = did_you_mean(name, MODULES) or "write what it computes, its weights as inputs"
            raise NodeError("unknown-function", message, node.func, way_out)
        if len(node.args) > len(applied.settings):
            message = f"`nn.{name}` takes its settings by name here"
            raise NodeError("arity", message, node, "such as `reduction='sum'`")
        span = self.span(node)
        settings = {key: leaf(text, span) for key, text in applied.defaults.items()}
        for key, argument in zip(applied.settings, node.args, strict=False):
            settings[key] = self.quantity(argument).term
        for keyword in node.keywords:
            if keyword.arg is None:
                raise NodeError("unsupported-syntax", "unpacking is not read", keyword.value)
            if keyword.arg not in IDLE:
                settings[keyword.arg] = self.quantity(keyword.value).term
        return NeuralModule(applied, settings)

    def applied(self, module: NeuralModule | ModuleStack, node: ast.Call) -> Quantity:
        """What a module answers."""
        values = [self.quantity(argument).term for argument in node.args]
        if node.keywords:
            way_out = "give tensors by position"
            raise NodeError("unknown-keyword", "a module is called with tensors", node, way_out)
        return Quantity(self._through(module, values, node))

    def _through(
        self, module: NeuralModule | ModuleStack, values: Sequence[Term], node: ast.Call
    ) -> Term:
        if isinstance(module, ModuleStack):
            for layer in module.layers:
                values = [self._through(layer, values, node)]
            return values[0]
        applied: Applied = module.applied
        if len(values) != applied.inputs:
            message = f"this module takes {applied.inputs} tensor{'s' * (applied.inputs > 1)}"
            raise NodeError("arity", f"{message}, {len(values)} are given", node)
        if not applied.function:
            return values[0]
        span = self.span(node)
        settings = (Term("keyword", span, key, (term,)) for key, term in module.settings.items())
        head = leaf(f"F.{applied.function}", self.span(node.func))
        return Term("call", span, "", (head, *values, *settings))

    def _backward(self, value: Quantity, node: ast.Call) -> Thing:
        given = [*node.args[:1], *(k.value for k in node.keywords if k.arg == "gradient")]
        wrt = next((k.value for k in node.keywords if k.arg == "inputs"), None)
        names = None if wrt is None else self._inputs(wrt)
        self.derive(value, names, self._cotangent(given), node)
        return Gradient()

    def _gradient(self, node: ast.Call) -> Thing:
        """`torch.autograd.grad(outputs, inputs, grad_outputs)`."""
        said = {k.arg: k.value for k in node.keywords if k.arg}
        order = ("outputs", "inputs", "grad_outputs")
        said.update(zip(order, node.args, strict=False))
        if not {"outputs", "inputs"} <= said.keys():
            message = "`torch.autograd.grad` needs outputs and inputs"
            raise NodeError("arity", message, node, "`torch.autograd.grad(y, x)`")
        outputs = self._single(self.value(said["outputs"]), said["outputs"])
        value = self.as_quantity(outputs, said["outputs"])
        weights = [said["grad_outputs"]] if "grad_outputs" in said else []
        self.derive(value, self._inputs(said["inputs"]), self._cotangent(weights), node)
        return Gradient()

    def _single(self, thing: Thing, node: ast.expr) -> Thing:
        if isinstance(thing, Series):
            if len(thing.items) != 1:
                message = "one value is differentiated at a time"
                raise NodeError("unsupported-syntax", message, node, "add them up")
            return thing.items[0]
        return thing

    def _inputs(self, node: ast.expr) -> tuple[str, ...]:
        thing = self.value(node)
        names = []
        for each in thing.items if isinstance(thing, Series) else (thing,):
            known = self.leaf_of(each)
            if known is None:
                message = "this is no input of the program: its numbers are not written out"
                raise NodeError("unknown-input", message, node)
            if not known.requires_grad:
                message = f"`{known.name}` does not require a gradient"
                way_out = "make it with `requires_grad=True`"
                raise NodeError("unknown-input", message, node, way_out)
            names.append(known.name)
        return tuple(names)

    def _cotangent(self, given: Sequence[ast.expr]) -> Fresh | None:
        """The upstream gradient; None for ones."""
        if not given:
            return None
        node = given[0]
        thing = self._single(self.value(node), node)
        known = self.leaf_of(thing)
        if known is not None:
            return known.made
        match thing:
            case PythonValue(value=None) | Alike(number="1"):
                return None
            case Fresh(is_drawn=False):
                return thing
        message = "the upstream gradient is not written out"
        raise NodeError("bad-argument", message, node, "such as `torch.tensor([1.0, 0.0])`")
