"""What a cell differentiates: `y.backward()`, `torch.autograd.grad(y, x)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck_cli.language.cells.bindings import (
    Alike,
    Fresh,
    Gradient,
    PythonValue,
    Quantity,
    Series,
    Thing,
)
from gradcheck_cli.language.cells.making import Making
from gradcheck_cli.language.errors import NodeError

if TYPE_CHECKING:
    import ast
    from collections.abc import Sequence

GRAD = "torch.autograd.grad"


class Deriving(Making):
    """Reads derivatives."""

    def backward(self, value: Quantity, node: ast.Call) -> Thing:
        """`y.backward(gradient, inputs=...)`."""
        given = [*node.args[:1], *(k.value for k in node.keywords if k.arg == "gradient")]
        wrt = next((k.value for k in node.keywords if k.arg == "inputs"), None)
        names = None if wrt is None else self._inputs(wrt)
        self.derive(value, names, self._cotangent(given), node, "" if given else "backward()")
        return Gradient(names or ())

    def gradient(self, node: ast.Call) -> Thing:
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
        names, cotangent = self._inputs(said["inputs"]), self._cotangent(weights)
        self.derive(value, names, cotangent, node, "" if weights else "grad()")
        return Gradient(names)

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
        return self.weights(thing, node)

    def weights(self, thing: Thing, node: ast.expr) -> Fresh:
        """An upstream gradient that is computed.

        Raises:
            NodeError: it is not known what it comes to.
        """
        message = "the upstream gradient is not written out"
        raise NodeError("bad-argument", message, node, "such as `torch.tensor([1.0, 0.0])`")
