"""The lines of a script: torch's own calls at a point, and the same function in mpmath."""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING, Any

from gradcheck_cli.language.program import Call, steps
from gradcheck_cli.worlds.code import Code, MpmathCode, TorchCode, Unwritable, float_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.language.program import Program
    from gradcheck_cli.questions.batch import Point

# Scalar operations that are written down, and characters of one that goes on one line.
_MOST_STEPS, _WIDE = 2_000, 72
# Names that a script has for itself.
_TAKEN = ("torch", "mp", "mpf", "mpmath", "sys", "platform", "value", "gradient", "main", "float")


def torch_lines(point: Point, element: str) -> list[str]:
    """The body of a function that gives torch's derivative by an element.

    Raises:
        Unwritable: a call has no line that stands alone.
    """
    import torch

    names = {name: python_name(name) for name in point.at}
    dtype = getattr(torch, point.dtype.name)
    options = f"dtype=torch.{point.dtype.name}"
    if point.device != "cpu":
        options += f', device="{point.device}"'
    like = torch.empty((), dtype=dtype, device=point.device)
    program = point.specification
    lines, inputs = list[str](), dict[str, Code]()
    for name in program.variables:
        numbers = point.at[name]
        made = torch.tensor(numbers.tolist(), device=point.device)
        is_real = numbers.dtype.kind == "f"
        inputs[name] = Code(names[name], value=made.to(dtype) if is_real else made)
        said = options if is_real else options.partition(", ")[2]
        grad = "requires_grad=True" if name in point.question.wrt else ""
        written = ", ".join(filter(None, (numbers_text(numbers.tolist()), said, grad)))
        lines.append(f"{names[name]} = torch.tensor({written})")
    taken = {*names.values()}
    values = _named(program, TorchCode(point.dtype.round, like, options), inputs, lines, taken)
    result = values[program.result]
    if not isinstance(result, Code):
        raise Unwritable("the value rests on no input")
    own = result.text
    if not own.isidentifier():
        own = _free("y", taken)
        lines.append(f"{own} = {result.text}")
    weights = point.batch.cotangent
    text = "" if result.value.dim() == 0 else f"torch.ones_like({own})"
    if weights is not None:
        text = f"torch.tensor({numbers_text(weights.tolist())}, {options})"
    lines.append(f"{own}.backward({text})")
    name, _, index = element.partition("[")
    lines.append(f"return {names[name]}.grad" if not index else _part(names[name], index))
    return lines


def _named(
    program: Program,
    world: TorchCode | MpmathCode,
    inputs: Mapping[str, Code],
    lines: list[str],
    taken: set[str],
) -> list[Any]:
    """The values of a program's nodes; one that has a name, is used twice or is long has a line."""
    uses = _uses(program)
    values = list[Any]()
    for i, value in enumerate(steps(program, world, inputs)):
        is_new = isinstance(value, Code) and not any(value is other for other in values)
        values.append(value)
        name = program.names.get(i, "")
        if not is_new or not isinstance(program.nodes[i], Call):
            continue
        if name or uses[i] > 1 or (len(value.text) > _WIDE and i != program.result):
            own = _free(python_name(name or "t"), taken)
            lines.append(f"{own} = {value.text}")
            value.text, value.level = own, Code("").level
    return values


def _part(name: str, index: str) -> str:
    return f"return None if {name}.grad is None else {name}.grad[{index}"


def numbers_text(value: Any) -> str:
    """Nested lists of numbers as Python writes them."""
    if isinstance(value, list):
        return f"[{', '.join(map(numbers_text, value))}]"
    return float_text(value) if isinstance(value, float) else repr(value)


def mpmath_lines(point: Point, element: str) -> list[str]:
    """The body of a function of an element that gives what is differentiated.

    Raises:
        Unwritable: it is too large, or holds what mpmath has not.
    """
    program = point.prepared.gradient.forward_program
    if len(program.nodes) > _MOST_STEPS:
        raise Unwritable(f"it comes to more than {_MOST_STEPS:,} scalar operations")
    inputs = {name: Code(python_name(name)) for name in program.variables}
    lines = [
        f"{inputs[name].text} = mpf({float_text(point.scalars[name])})"
        for name in program.variables
        if name != element
    ]
    taken = {each.text for each in inputs.values()}
    values = _named(program, MpmathCode(point.dtype.round), inputs, lines, taken)
    return [*lines, f"return {values[program.result].text}"]


def _uses(program: Program) -> list[int]:
    """How often each node is an argument."""
    uses = [0] * len(program.nodes)
    for node in program.nodes:
        if isinstance(node, Call):
            for j in node.args:
                uses[j] += 1
    return uses


def python_name(name: str) -> str:
    """A name of a script for an input, or for an element of one."""
    plain = name.replace("[", "_").replace(",", "_").replace("]", "")
    return f"{plain}_" if keyword.iskeyword(plain) or plain in _TAKEN else plain


def _free(name: str, taken: set[str]) -> str:
    own, number = name, 1
    while own in taken:
        number += 1
        own = f"{name}{number}"
    taken.add(own)
    return own
