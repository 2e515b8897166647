"""Constructors of a cell, as values of a point: `torch.tensor(3.0, requires_grad=True)`."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from gradcheck_cli.dtypes import ALIASES, DTYPES
from gradcheck_cli.functions.modules import CASTING, LEAVING, RESHAPING, UNCHANGING
from gradcheck_cli.language.cells.bindings import (
    Fresh,
    Library,
    PythonValue,
    Quantity,
    Series,
    Thing,
)
from gradcheck_cli.language.cells.operations import Operations
from gradcheck_cli.language.errors import NodeError, elide
from gradcheck_cli.language.terms import Term, leaf

if TYPE_CHECKING:
    from collections.abc import Sequence

# Constructors whose dtype is that of the numbers they are given.
_BY_NUMBERS = ("tensor", "as_tensor", "array", "asarray", "full", "arange")
# What a point says by options, or does not say at all.
_LEFT_OUT = (
    "device", "generator", "order", "copy", "pin_memory", "layout", "out", "memory_format",
    "subok", "ndmin", "names", "like",
)  # fmt: skip
_DRAWN = ("rand", "randn", "normal", "uniform", "loguniform")
# Classes of torch that are called to make a tensor, with its dtype; none for torch's default.
_CLASSES = {"Tensor": "", "FloatTensor": "float32", "DoubleTensor": "float64"}
# Functions that give a tensor back, as a tensor that may require a gradient, or as one that does.
_WRAPPERS = {"Variable": False, "Parameter": True, "from_numpy": False}
_INTEGERS = (
    "int", "long", "short", "int8", "int16", "int32", "int64", "uint8", "bool", "LongTensor",
)  # fmt: skip


class Making(Operations):
    """Reads constructors."""

    def made(self, path: str, node: ast.Call) -> Thing | None:
        """The tensor that a function of a library makes; None if it makes none."""
        library, _, name = path.rpartition(".")
        root = library.partition(".")[0]
        if root not in ("torch", "numpy", "jax") or library.startswith("torch.nn."):
            return None
        if name in _WRAPPERS:
            return self._wrapped(name, node)
        if name not in self.makers and name not in _CLASSES:
            return None
        is_numpy = root != "torch"
        arguments: list[Term] = []
        said: dict[str, ast.expr] = {}
        held: list[Thing] = []
        for argument in node.args:
            held.append(self.value(argument))
            arguments.append(self.term(held[-1], argument))
        for keyword in node.keywords:
            if keyword.arg in ("dtype", "requires_grad"):
                said[keyword.arg] = keyword.value
            elif keyword.arg is None:
                raise NodeError("unsupported-syntax", "unpacking is not read", keyword.value)
            elif keyword.arg not in _LEFT_OUT:
                held.append(self.value(keyword.value))
                term = self.term(held[-1], keyword.value)
                span = self.span(keyword)
                arguments.append(Term("keyword", span, keyword.arg, (term,)))
        known = self.leaf_of(held[0]) if held else None
        given = known.made if known else held[0] if held else None
        if len(held) == 1 and isinstance(given, Fresh) and name in _BY_NUMBERS:
            whole = replace(given, is_numpy=is_numpy, requires_grad=False)
        else:
            span = self.span(node)
            word = "tensor" if name in _CLASSES else name
            maker = Term("call", span, "", (leaf(word, self.span(node.func)), *arguments))
            is_integer = name in _BY_NUMBERS and self._are_integers(held)
            usual = _CLASSES.get(name) or ("float64" if is_numpy else self.default)
            dtype = "" if is_integer else usual
            whole = Fresh(maker, dtype, is_numpy=is_numpy, is_drawn=name in _DRAWN)
        return self._with(whole, said)

    def _with(self, made: Fresh, said: dict[str, ast.expr]) -> Fresh:
        """A tensor with what its keywords say."""
        if "dtype" in said:
            made = replace(made, dtype=self.dtype(said["dtype"]))
        if "requires_grad" in said:
            made = self.requiring(made, self.flag(said["requires_grad"]), said["requires_grad"])
        return made

    def _wrapped(self, name: str, node: ast.Call) -> Thing:
        if not node.args:
            raise NodeError("arity", f"`{name}` needs a tensor", node)
        inner = self.value(node.args[0])
        held = {k.arg: k.value for k in node.keywords if k.arg == "requires_grad"}
        flag = held.get("requires_grad")
        wanted = self.flag(flag) if flag is not None else _WRAPPERS[name]
        known = self.leaf_of(inner)
        if known is not None:
            inner = known.made
        if not isinstance(inner, Fresh):
            message = f"`{name}` takes a tensor that is written out here"
            raise NodeError("unsupported-syntax", message, node, "such as `torch.tensor([1.0])`")
        return self.requiring(replace(inner, is_numpy=False), wanted, node)

    def requiring(self, made: Fresh, wanted: bool, node: ast.AST) -> Fresh:
        """A tensor that requires a gradient, or does not.

        Raises:
            NodeError: it is one of integers.
        """
        if wanted and not made.dtype:
            message = "torch lets no tensor of integers require a gradient"
            raise NodeError("bad-argument", message, node, "write `3.0` instead of `3`")
        return replace(made, requires_grad=wanted)

    def flag(self, node: ast.expr) -> bool:
        """True or False, as it is written."""
        thing = self.value(node)
        if isinstance(thing, PythonValue) and isinstance(thing.value, bool):
            return thing.value
        raise NodeError("bad-argument", "True or False is needed here", node)

    def dtype(self, node: ast.expr) -> str:
        """The dtype that an expression names; empty for one of integers."""
        thing = self.value(node)
        word = ""
        if isinstance(thing, Library):
            word = thing.path.rpartition(".")[2]
            word = _CLASSES.get(word) or word
        elif isinstance(thing, PythonValue) and isinstance(thing.value, str):
            word = thing.value
        elif isinstance(node, ast.Name):
            word = {"float": "float64"}.get(node.id, node.id)
        if isinstance(thing, Library) and thing.path.startswith("numpy") and word == "float_":
            word = "float64"
        if word in _INTEGERS or word.removesuffix("_") in _INTEGERS:
            return ""
        name = ALIASES.get(word, word)
        if name not in DTYPES:
            known = ", ".join(DTYPES)
            message = f"no dtype named `{elide(word or self.source.words(node))}`"
            raise NodeError("unknown-dtype", message, node, f"known: {known}")
        return name

    def remade(self, made: Fresh, method: str, node: ast.Call) -> Fresh | None:
        """What a method makes of a tensor that has no name yet; None for a value like any other."""
        if method == "requires_grad_":
            wanted = self.flag(node.args[0]) if node.args else True
            return self.requiring(made, wanted, node)
        if method in RESHAPING and not made.shape:
            parts = self.value(node.args[0]) if len(node.args) == 1 else None
            sizes = parts.items if isinstance(parts, Series) else map(self.value, node.args)
            numbers = [size.value for size in sizes if isinstance(size, PythonValue)]
            if numbers and all(isinstance(size, int) for size in numbers):
                return replace(made, shape=tuple(numbers))
        if method in CASTING:
            return replace(made, dtype=ALIASES.get(method, method))
        if method in LEAVING and method not in ("item", "tolist"):
            return replace(made, is_numpy=True)
        if method not in UNCHANGING:
            return None
        return self._converted(made, node)

    def _converted(self, made: Fresh, node: ast.Call) -> Fresh:
        """A tensor in the dtype that a method names, if it names one."""
        for argument in [*node.args, *(k.value for k in node.keywords if k.arg == "dtype")]:
            if not isinstance(argument, ast.Name | ast.Attribute | ast.Constant):
                continue
            try:
                made = replace(made, dtype=self.dtype(argument))
            except NodeError:
                continue  # a device, or a tensor whose dtype it is
        return made

    def _are_integers(self, things: Sequence[Thing]) -> bool:
        """Whether nothing but integers is written in some values."""
        return all(
            self._are_integers(thing.items)
            if isinstance(thing, Series)
            else isinstance(thing, PythonValue) and isinstance(thing.value, int | None)
            if not isinstance(thing, Quantity)
            else False
            for thing in things
        )
