"""Derivatives of scalar programs in balls: exact, as torch's backward forms them, and as plain
differences of the value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcheck_cli.calculus.reverse import adjoints
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.functions.arithmetic import OFF
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import Program, Variable
from gradcheck_cli.worlds import balls
from gradcheck_cli.worlds.backward import torch_backward
from gradcheck_cli.worlds.scalars import expand

from .points import enclose, inputs_of

if TYPE_CHECKING:
    from collections.abc import Mapping

BITS = 800
# A step of 2**-200 leaves an error of 2**-400 f''' in a central difference and 2**-200 f'' in a
# one-sided one.
STEP_EXPONENT = -200


def gradient_program(text: str, *, as_torch: bool = False) -> tuple[Program, dict[str, int]]:
    """A scalar program with the partials of `ybar * value`, and the node of each; -1 for one that
    is identically zero.
    """
    program, names = parse(text), inputs_of(text)
    keep = "pullbacks" if as_torch else "primitives"
    expansion = expand(program, dict.fromkeys(names, ()), keep)
    builder, result = expansion.builder, expansion.values[program.result]
    assert isinstance(result, int)
    objective = builder.call("mul", builder.variable("ybar"), result)
    if as_torch:
        expansion.origin += [program.result] * (len(builder.nodes) - len(expansion.origin))
        backward = torch_backward(program, expansion, objective, tuple(names))
        builder, partials = backward.expansion.builder, backward.partials
    else:
        found = adjoints(builder, objective, frozenset(names))
        partials = [found.get(builder.index[Variable(name)], -1) for name in names]
    return Program(tuple(builder.nodes), (objective,)), dict(zip(names, partials, strict=True))


def gradient(
    text: str,
    at: Mapping[str, float],
    *,
    ybar: float = 1.0,
    as_torch: bool = False,
    bits: int = BITS,
) -> dict[str, Any]:
    """The ball of each partial of `ybar * value`."""
    program, nodes = gradient_program(text, as_torch=as_torch)
    values = balls.Machine(program).run({**at, "ybar": ybar}, bits, DTYPES["float64"].round)
    return {name: balls.plain(values[node] if node >= 0 else OFF) for name, node in nodes.items()}


def beside(text: str, at: Mapping[str, float], name: str, direction: int) -> Any:
    """The ball of the value one small step beside the point."""
    from flint import arb, ctx

    with ctx.workprec(BITS):
        moved = arb(at[name]) + direction * arb(2) ** STEP_EXPONENT
    return enclose(text, {**at, name: moved}, BITS)


def central(text: str, at: Mapping[str, float], name: str) -> Any:
    """A central difference of the ball function: no derivative, no SymPy, nothing of the rows but
    their value.
    """
    from flint import arb, ctx

    with ctx.workprec(BITS):
        return (beside(text, at, name, 1) - beside(text, at, name, -1)) / (
            2 * arb(2) ** STEP_EXPONENT
        )


def one_sided(text: str, at: Mapping[str, float], name: str) -> tuple[Any, Any]:
    """Left and right differences of the ball function."""
    from flint import arb, ctx

    centre = enclose(text, at, BITS)
    with ctx.workprec(BITS):
        step = arb(2) ** STEP_EXPONENT
        return (centre - beside(text, at, name, -1)) / step, (
            beside(text, at, name, 1) - centre
        ) / step


def close(a: Any, b: Any, bits: int) -> bool:
    """Whether two balls are finite and equal to about `bits` bits."""
    from flint import arb, ctx

    with ctx.workprec(BITS):
        return bool(
            a.is_finite() and b.is_finite() and abs(a - b) <= arb(2) ** -bits * (1 + abs(a))
        )
