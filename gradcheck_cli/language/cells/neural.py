"""Modules of `torch.nn`: their settings, and what they answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.functions.modules import IDLE, MODULES, Applied
from gradcheck_cli.language.cells.bindings import (
    ModuleStack,
    NeuralModule,
    Quantity,
    Thing,
)
from gradcheck_cli.language.cells.deriving import Deriving
from gradcheck_cli.language.errors import NodeError, did_you_mean, elide
from gradcheck_cli.language.terms import Term, leaf

if TYPE_CHECKING:
    import ast
    from collections.abc import Sequence


class Neural(Deriving):
    """Reads modules."""

    def module(self, name: str, node: ast.Call) -> Thing:
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
