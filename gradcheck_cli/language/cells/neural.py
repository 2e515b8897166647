"""Modules of `torch.nn`: their settings, and what they answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.functions.modules import IDLE, MODULES, Applied
from gradcheck_cli.language.cells.bindings import (
    Affine,
    Fresh,
    ModuleStack,
    NeuralModule,
    PythonValue,
    Quantity,
    Thing,
)
from gradcheck_cli.language.cells.deriving import Deriving
from gradcheck_cli.language.errors import NodeError, did_you_mean, elide
from gradcheck_cli.language.terms import Term, chain, leaf

if TYPE_CHECKING:
    import ast
    from collections.abc import Sequence


class Neural(Deriving):
    """Reads modules."""

    def module(self, name: str, node: ast.Call) -> Thing:
        """A module of `torch.nn` with its settings."""
        if name == "Linear":
            return self._affine(node)
        if name == "Sequential":
            layers = [self.value(argument) for argument in node.args]
            kinds = (NeuralModule, Affine, ModuleStack)
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

    def _affine(self, node: ast.Call) -> Affine:
        """`nn.Linear(in_features, out_features, bias=True)`, drawn as torch draws it."""
        said = dict(zip(("in_features", "out_features", "bias"), node.args, strict=False))
        said |= {k.arg: k.value for k in node.keywords if k.arg}
        sizes = [self.value(said[k]) for k in ("in_features", "out_features") if k in said]
        numbers = [size.value for size in sizes if isinstance(size, PythonValue)]
        if len(numbers) != 2 or not all(type(n) is int and n > 0 for n in numbers):
            message = "`nn.Linear` takes how many numbers go in and out, as positive integers"
            raise NodeError("bad-argument", message, node)
        has_bias = "bias" not in said or self.flag(said["bias"])
        inward, outward = numbers
        weight = self._parameter("weight", f"({outward}, {inward})", inward, node)
        bias = self._parameter("bias", f"({outward},)", inward, node) if has_bias else None
        return Affine(weight, bias)

    def _parameter(self, name: str, size: str, inward: int, node: ast.Call) -> Quantity:
        """A parameter as torch draws it: evenly between plus and minus 1/sqrt(inward)."""
        span = self.span(node)
        keyword = Term("keyword", span, "size", (leaf(size, span),))
        ends = (leaf(f"{sign}1/sqrt({inward})", span) for sign in ("-", ""))
        maker = Term("call", span, "", (leaf("uniform", span), *ends, keyword))
        return self.input(name, Fresh(maker, self.default, requires_grad=True, is_drawn=True), span)

    def applied(self, module: NeuralModule | Affine | ModuleStack, node: ast.Call) -> Quantity:
        """What a module answers."""
        values = [self.quantity(argument).term for argument in node.args]
        if node.keywords:
            way_out = "give tensors by position"
            raise NodeError("unknown-keyword", "a module is called with tensors", node, way_out)
        return Quantity(self._through(module, values, node))

    def _through(
        self, module: NeuralModule | Affine | ModuleStack, values: Sequence[Term], node: ast.Call
    ) -> Term:
        if isinstance(module, ModuleStack):
            for layer in module.layers:
                values = [self._through(layer, values, node)]
            return values[0]
        inputs = 1 if isinstance(module, Affine) else module.applied.inputs
        if len(values) != inputs:
            message = f"this module takes {inputs} tensor{'s' * (inputs > 1)}"
            raise NodeError("arity", f"{message}, {len(values)} are given", node)
        span = self.span(node)
        if isinstance(module, Affine):
            turned = Term("attribute", span, "T", (module.weight.term,))
            product = chain(values[0], ("@", turned))
            return product if module.bias is None else chain(product, ("+", module.bias.term))
        applied: Applied = module.applied
        if not applied.function:
            return values[0]
        settings = (Term("keyword", span, key, (term,)) for key, term in module.settings.items())
        head = leaf(f"F.{applied.function}", self.span(node.func))
        return Term("call", span, "", (head, *values, *settings))
