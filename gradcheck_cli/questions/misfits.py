"""Shapes that do not fit, in words: what each argument is, and what is needed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gradcheck_cli.functions import lookup
from gradcheck_cli.language.errors import mistake
from gradcheck_cli.language.program import Call, Number, Variable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.language.errors import PointError
    from gradcheck_cli.language.program import Program
    from gradcheck_cli.worlds.scalars import ShapeError

_ELEMENTS = "element by element each dimension must be equal, or 1, counted from the last"
# By what NumPy says of it.
_REASONS = {
    r"core dimension": "`@` needs as many columns on the left as there are rows on the right",
    r"enough dimensions": "`@` takes vectors and matrices, and `*` a number",
    r"remapped|cannot be broadcast to \(|non-negative": "only a dimension of 1 grows",
    r"shape mismatch|could not be broadcast": _ELEMENTS,
    r"^all input arrays": "all of them must have the same shape",
    r"number of dimensions, but": "all of them must have as many dimensions",
    r"concatenation axis": "all of them must be equal but along the dim that they are joined in",
    r"^zero-dim": "numbers are not joined but stacked: `stack([x, y])`",
    r"^axes|^axis -?\d+ is|repeated axis": "each dim must be named once",
    r"^cannot reshape": "the new shape must hold as many numbers",
    r"^too many indices": "there are fewer dimensions than indices",
    r"^index -?\d+ is out of bounds": "there is no such element",
    r"cannot be the same": "two dims that differ are needed",
    r"^diag requires": "a matrix is needed",
}


def shape_mistake(
    program: Program, error: ShapeError, inputs: Mapping[str, tuple[int, ...]]
) -> PointError:
    """What to tell of shapes that do not fit, or of a call that is refused otherwise."""
    message, way_out = str(error), ""
    if not error.code:
        message, way_out = misfit(program, error, inputs)
    span, code = program.spans.get(error.node), error.code or "shape-mismatch"
    return mistake(code, message, program.text, span, help=way_out)


def misfit(
    program: Program, error: ShapeError, inputs: Mapping[str, tuple[int, ...]]
) -> tuple[str, str]:
    """What does not fit, and what would.

    Args:
        inputs: the shape of each.
    """
    node = program.nodes[error.node]
    assert isinstance(node, Call)
    reason = next((t for p, t in _REASONS.items() if re.search(p, str(error))), str(error))
    parts = [
        f"{_words(program, i)} is {extent(shape)}"
        for i, shape in zip(node.args, error.shapes, strict=True)
        if not isinstance(program.nodes[i], Number)
    ]
    names = {program.nodes[i] for i in node.args}
    if any(Variable(name) not in names for name in inputs):
        given = ", ".join(f"{name} is {extent(shape)}" for name, shape in inputs.items())
        reason = f"{reason} (inputs: {given})"
    said = ", ".join(dict.fromkeys(parts))
    return f"shapes do not fit: {said}: {reason}", _turned(program, node, error)


def _words(program: Program, index: int) -> str:
    """An input by its name, another argument by its text."""
    node = program.nodes[index]
    return node.name if isinstance(node, Variable) else f"`{program.source(index)}`"


def extent(shape: tuple[int, ...]) -> str:
    """`2x3`, `4`, `a number`."""
    return "x".join(map(str, shape)) if shape else "a number"


def _turned(program: Program, call: Call, error: ShapeError) -> str:
    """The product of two matrices with one of them transposed, where that fits."""
    if lookup(call.function).operator != "@" or any(len(s) > 2 for s in error.shapes):
        return ""
    left, right = (_operand(program, i) for i in call.args)
    (*_, a), (b, *_) = error.shapes[0] or (0,), error.shapes[1] or (0,)
    first, last = error.shapes[0][:1], error.shapes[1][-1:]
    ways = [
        f"`{left}.T @ {right}`" if len(error.shapes[0]) == 2 and first == (b,) else "",
        f"`{left} @ {right}.T`" if len(error.shapes[1]) == 2 and last == (a,) else "",
    ]
    fitting = " or ".join(filter(None, ways))
    return f"{fitting} fits" if fitting else ""


def _operand(program: Program, index: int) -> str:
    words = program.source(index)
    return words if words.isidentifier() else f"({words})"
