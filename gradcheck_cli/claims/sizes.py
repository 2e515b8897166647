"""What course code says of sizes and of memory, in terms of the language: `x.shape[0]`, `len(x)`,
`zeros_like(x)`, `x.copy()`.
"""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions.sizes import COUNT_ATTRIBUTE, COUNTS, FILLED, LIKE, SAME_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Mapping

# Deeper trees are left as they are; the reader of programs answers them.
_LENGTH = 10_000


def without_sizes(text: str, shapes: Mapping[str, tuple[int, ...]]) -> str:
    """The text of an expression with numbers for sizes of what is known; the text itself where
    there is none, or where it is no expression of Python.
    """
    if len(text) > _LENGTH or not any(
        sign in text for sign in (".", "len", "_like", "zeros", "ones")
    ):
        return text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text, mode="eval")
        sizes = _Sizes(shapes)
        found = sizes.visit(tree)
        return ast.unparse(found) if sizes.changed else text
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text


class _Sizes(ast.NodeTransformer):
    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self.shapes, self.changed = shapes, False

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        match node:
            case ast.Subscript(
                value=ast.Attribute(value=ast.Name(id=name), attr="shape"), slice=key
            ) if name in self.shapes:
                return self._size(self.shapes[name], key, node)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> Any:
        match node:
            case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=name)]) if name in self.shapes:
                return self._size(self.shapes[name], ast.Constant(0), node)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr), args=[key]) if (
                attr == COUNT_ATTRIBUTE and name in self.shapes
            ):
                return self._size(self.shapes[name], key, node)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr), args=[]) if (
                attr in COUNTS and name in self.shapes
            ):
                return self._number(_product(self.shapes[name]))
            case ast.Call(func=ast.Attribute(value=value, attr=attr), args=[]) if (
                attr in SAME_NUMBERS
            ):
                self.changed = True
                return self.visit(value)
        return self._call_of_library(node)

    def _call_of_library(self, node: ast.Call) -> Any:
        """`np.zeros_like(x)`, `torch.ones((2, 3))`, `np.float64(c)`."""
        name = (
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        )
        is_plain = isinstance(node.func, ast.Name) or isinstance(
            getattr(node.func, "value", None), ast.Name
        )
        match node.args:
            case [ast.Name(id=of)] if name in LIKE and of in self.shapes:
                return self._filled(FILLED[name], self.shapes[of])
            case [ast.Attribute(value=ast.Name(id=of), attr="shape")] if (
                name in FILLED and name not in LIKE and of in self.shapes
            ):
                return self._filled(FILLED[name], self.shapes[of])
            case [value] if is_plain and name in SAME_NUMBERS and not node.keywords:
                self.changed = True
                return self.visit(value)
        return self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if (
                attr == COUNT_ATTRIBUTE and name in self.shapes
            ):
                return self._number(_product(self.shapes[name]))
        return self.generic_visit(node)

    def _size(self, shape: tuple[int, ...], key: Any, node: Any) -> Any:
        match key:
            case ast.Constant(value=int(place)):
                pass
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(size))):
                place = -size
            case _:
                return node
        return self._number(shape[place]) if -len(shape) <= place < len(shape) else node

    def _number(self, value: int) -> Any:
        self.changed = True
        return ast.Constant(value)

    def _filled(self, value: int, shape: tuple[int, ...]) -> Any:
        self.changed = True
        sizes = ast.Tuple([ast.Constant(size) for size in shape], ast.Load())
        call = ast.Call(ast.Name("broadcast_to"), [ast.Constant(value), sizes], [])
        return call if shape else ast.Constant(value)


def _product(shape: tuple[int, ...]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total
