"""Backwards that are one kernel without a formula of its own: what is recorded of them is the
derivative of their forward.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gradcheck_cli.calculus.formulas import Lowering
from gradcheck_cli.calculus.reverse import adjoints
from gradcheck_cli.language.elements import elements_of
from gradcheck_cli.language.program import Builder, Program, fold
from gradcheck_cli.recording.operation import tensors_in

if TYPE_CHECKING:
    from gradcheck_cli.recording.operation import Operation
    from gradcheck_cli.recording.tape import Nodes

# The cotangent of a forward: no name of an argument.
_UPSTREAM = "upstream"


def _derivative_of(name: str, *wanted: str) -> Any:
    """A rule: the derivative of this forward by these arguments, or by those that a mask names."""

    def rule(op: Operation) -> tuple[Nodes, ...]:
        forward = getattr(torch.ops.aten, name).default
        args = {a.name: op[a.name] for a in forward._schema.arguments}
        given = [n for n, v in args.items() if isinstance(v, torch.Tensor)]
        inputs = [n for n in given if args[n].is_floating_point()]
        recorder = op.again()
        for key in inputs:
            args[key] = args[key].detach().clone()
            recorder.input(key, args[key])
        with recorder:
            value = forward(**args)
        (first, *_) = tensors_in([value])
        made = recorder.shadows.read(first).reshape(-1).tolist()
        mask = zip(inputs, op.get("output_mask", ()), strict=False)
        asked = list(wanted) or [n for n, is_asked in mask if is_asked]
        found = _adjoints(recorder.tape.builder, made, {n: tuple(args[n].shape) for n in asked})
        nodes = {name: op.floats(name) for name in inputs} | {
            _UPSTREAM: op.floats("grad_output").reshape(-1)
        }
        bound = {
            element: node
            for name, array in nodes.items()
            for element, node in zip(elements_of(name, array.shape), array.flat, strict=True)
        }
        flat = np.array(
            op.tape.builder.include(found, {k: int(i) for k, i in bound.items()}), dtype=np.int64
        )
        sizes = np.cumsum([args[n].numel() for n in asked])[:-1]
        parts = zip(np.split(op.tape.made(flat), sizes), asked, strict=True)
        return tuple(part.reshape(tuple(args[name].shape)) for part, name in parts)

    return rule


def _adjoints(builder: Builder, outputs: list[int], wanted: dict[str, tuple[int, ...]]) -> Program:
    """The derivatives of outputs under a cotangent, one after the other."""
    lowered = Builder()
    places = fold(Program(tuple(builder.nodes), ()), Lowering(lowered), {})
    upstream = [lowered.variable(e) for e in elements_of(_UPSTREAM, (len(outputs),))]
    total = lowered.number(0)
    for g, i in zip(upstream, outputs, strict=True):
        total = lowered.call("add", total, lowered.call("mul", g, places[i]))
    elements = [e for name, shape in wanted.items() for e in elements_of(name, shape)]
    found = adjoints(lowered, total, frozenset(elements))
    zero, variable = lowered.number(0), lowered.variable
    return lowered.program(*[found.get(variable(e), zero) for e in elements])


OPERATORS: dict[str, Any] = {
    "grid_sampler_2d_backward": _derivative_of("grid_sampler_2d"),
    "multi_margin_loss_backward": _derivative_of("multi_margin_loss", "self"),
    "multilabel_margin_loss_backward": _derivative_of("multilabel_margin_loss_forward", "self"),
}
