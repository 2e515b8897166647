"""What a call of `print` shows: texts and values, in order."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from gradcheck_cli.functions.modules import ROUNDING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# A field of `%` and one of `format`.
_PERCENT = re.compile(r"%[-+ #0]*[\d.*]*[a-zA-Z]")
_FIELD = re.compile(r"\{[^{}]*\}")


def printed_parts(node: ast.Call) -> Iterator[str | ast.expr]:
    """The texts and the values that stand between them, as they are shown."""
    for argument in node.args:
        yield from _parts(argument)


def _parts(node: ast.expr) -> Iterator[str | ast.expr]:
    match node:
        case ast.Constant(value=str() as text):
            yield text
        case ast.JoinedStr(values=values):
            for value in values:
                if isinstance(value, ast.FormattedValue):
                    yield value.value
                else:
                    yield from _parts(value)
        case ast.BinOp(left=ast.Constant(value=str() as text), op=ast.Mod(), right=right):
            given = right.elts if isinstance(right, ast.Tuple) else [right]
            yield from _filled(_PERCENT.split(text.replace("%%", "")), given)
        case ast.BinOp(op=ast.Add(), left=left, right=right) if _is_text(left) or _is_text(right):
            yield from _parts(left)
            yield from _parts(right)
        case ast.Call(func=ast.Attribute(attr="format", value=ast.Constant(value=str() as text))):
            yield from _filled(_FIELD.split(text), node.args)
        case ast.Call(func=ast.Name(id="str" | "repr" | "format"), args=[first, *_]):
            yield first
        case ast.Call(func=ast.Name(id=name), args=[first, ast.Constant()]) if name == ROUNDING:
            yield first
        case _:
            yield node


def _filled(texts: Sequence[str], values: Sequence[ast.expr]) -> Iterator[str | ast.expr]:
    """Texts with values between them."""
    for k, text in enumerate(texts):
        yield text
        if k < len(values):
            yield values[k]


def _is_text(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=str()) | ast.JoinedStr():
            return True
        case ast.Call(func=ast.Name(id="str" | "repr")):
            return True
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return _is_text(left) or _is_text(right)
    return False
