"""A call in Python's syntax tree, matched with the row it means: arguments, keywords, settings."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from gradcheck_cli.functions import constants
from gradcheck_cli.language.constants import constant
from gradcheck_cli.language.errors import NodeError, did_you_mean, elide
from gradcheck_cli.language.libraries import (
    SYNONYMS,
    Callee,
    binary_row,
    callee,
    links,
    unknown_prefix,
)
from gradcheck_cli.language.placing import arity_error, count_of_arguments, further_row, placed

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from gradcheck_cli.functions.row import Function, SettingValue

# numpy and torch hold indices and integer settings in 64 bits.
_INTEGER_BITS = 63
# Settings that may be written number by number, as in `x.permute(1, 0)`.
_SEVERAL = ("dims", "shape", "repeats")


@dataclass
class Binding:
    """A row's name with its arguments in order, the defaults that follow, and its settings."""

    function: str
    args: list[ast.expr]
    defaults: list[SettingValue] = field(default_factory=list)
    settings: dict[str, SettingValue] = field(default_factory=dict)
    fold: bool = False


def bind(node: ast.Call, words: Callable[[ast.AST], str], assigned: Container[str]) -> Binding:
    """The row that a call means, with its arguments and settings in place.

    Args:
        words: gives the text of a node.
        assigned: names that are no library's prefix here, because the program assigns them.
    Raises:
        NodeError: unknown name, wrong arity, unknown or doubled keyword, a setting that is not
            constant.
    """
    call = callee(node, assigned)
    try:
        return _bound(call, node, words)
    except NodeError as error:
        path = links(node.func)
        if len(path) == 2 and path[0] not in assigned and _is_function_of(call, node, words):
            raise unknown_prefix(node.func, path, str(error)) from error
        raise


def _is_function_of(call: Callee, node: ast.Call, words: Callable[[ast.AST], str]) -> bool:
    """Whether what is no method call is a call of the function under a prefix, as `jnp.sin(x)`."""
    try:
        _bound(call._replace(receiver=()), node, words)
    except NodeError:
        return False
    return bool(call.receiver)


def _bound(call: Callee, node: ast.Call, words: Callable[[ast.AST], str]) -> Binding:
    positional, keywords = [*call.receiver, *node.args], node.keywords
    call = call._replace(row=further_row(call.row, positional, keywords))
    row = call.row
    if call.elsewhere.scalars:
        positional = [_scalar(part) for part in positional]
    if row.places:
        positional, keywords = placed(row, positional, keywords, node)
    folds = binary_row(call, node, positional)
    if folds:
        return Binding(folds, positional, fold=True)
    signature = row.parsed
    if not (signature.settings or signature.variadic or keywords) and (
        len(positional) == len(signature.args)
    ):
        return Binding(row.name, positional)
    if signature.variadic:
        if call.receiver and any(isinstance(part, ast.List | ast.Tuple) for part in node.args):
            raise arity_error(row, node, "is no method of a tensor")
        positional, keywords = _spread(row, positional, keywords, node)
    args, rest = _split(row, positional, node)
    for parameter in signature.settings[: len(rest)]:
        if parameter.name in call.elsewhere.named:
            message = (
                f"behind its arguments `{call.prefix}.{row.name}` does not take `{parameter.name}`"
            )
            raise NodeError("foreign-meaning", f"{message}: write {parameter.name}=...", node)
    stated = dict(zip([p.name for p in signature.settings], rest, strict=False))
    slots = {} if signature.variadic else dict(zip(signature.names, args, strict=False))
    for keyword in keywords:
        _keyword(row, keyword, slots, stated)
    settings = _settings(call, node, stated, words)
    if signature.variadic:
        return Binding(row.name, args, [], settings)
    return Binding(row.name, *_slots(row, slots, node), settings=settings)


def _scalar(node: ast.expr) -> ast.expr:
    """An argument that must come to a number, whatever its inputs' shapes; constants always do."""
    known = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} <= {*constants()}
    if known:
        return node
    guard = ast.copy_location(ast.Name("as_scalar"), node)
    return ast.copy_location(ast.Call(guard, [node], []), node)


def _settings(
    call: Callee, node: ast.Call, stated: dict[str, ast.expr], words: Callable[[ast.AST], str]
) -> dict[str, SettingValue]:
    """All settings of a call: those that are written over the library's defaults."""
    row = call.row
    absent = [p.name for p in row.parsed.settings if p.required and p.name not in stated]
    if absent:
        raise arity_error(row, node, f"needs {', '.join(f'`{name}`' for name in absent)}")
    written = {name: _fit(constant(value, words), value) for name, value in stated.items()}
    for parameter in row.parsed.settings:
        if parameter.name in written and isinstance(parameter.default, Fraction):
            _require_number(parameter.name, written[parameter.name], stated[parameter.name])
    for name, sentence in call.elsewhere.needs.items():
        if written.get(name) is None:
            raise NodeError("foreign-meaning", sentence, node)
    return row.bound(call.elsewhere.defaults) | written


def _require_number(name: str, value: SettingValue, node: ast.expr) -> None:
    if isinstance(value, bool) or not isinstance(value, int | Fraction | float):
        raise NodeError("bad-argument", f"`{name}` takes a number, not {value!r}", node)


def _spread(
    row: Function, positional: list[ast.expr], keywords: list[ast.keyword], node: ast.Call
) -> tuple[list[ast.expr], list[ast.keyword]]:
    """Arguments and keywords of a call that takes a list of tensors, or tensors one by one."""
    first = positional[0] if positional else None
    if isinstance(first, ast.List | ast.Tuple):
        if len(positional) > 2:
            raise NodeError("arity", "a list of tensors and at most a dim are expected", node)
        dims = [ast.copy_location(ast.keyword(arg="dim", value=d), d) for d in positional[1:]]
        positional, keywords = first.elts, keywords + dims
    if not positional:
        raise arity_error(row, node, "needs at least 1 tensor")
    return positional, keywords


def _split(
    row: Function, positional: list[ast.expr], node: ast.Call
) -> tuple[list[ast.expr], list[ast.expr]]:
    """Positional values as (arguments, settings in their order)."""
    signature = row.parsed
    if signature.variadic:
        return positional, []
    args, rest = positional[: len(signature.args)], positional[len(signature.args) :]
    takes_many = [p.name for p in signature.settings[:1] if p.name in _SEVERAL]
    if takes_many and row.kind != "primitive" and len(rest) > 1:
        first, last = rest[0], rest[-1]
        many = ast.Tuple(elts=rest, ctx=ast.Load())
        many.lineno, many.col_offset = first.lineno, first.col_offset
        many.end_lineno, many.end_col_offset = last.end_lineno, last.end_col_offset
        rest = [many]
    if len(rest) > len(signature.settings) - row.has_pieces:
        raise arity_error(
            row, node, f"takes {count_of_arguments(row)}, {len(positional)} are given"
        )
    return args, rest


def _keyword(
    row: Function, keyword: ast.keyword, slots: dict[str, ast.expr], stated: dict[str, ast.expr]
) -> None:
    """Put a keyword's value where it belongs."""
    if keyword.arg is None:
        message = "`**` unpacking is not part of the language"
        raise NodeError("unsupported-syntax", message, keyword.value)
    args = row.parsed.names
    known = [*args, *(parameter.name for parameter in row.parsed.settings)]
    name = keyword.arg if keyword.arg in known else SYNONYMS.get(keyword.arg, keyword.arg)
    if name == "dim" and "dim" not in known and "dims" in known:
        name = "dims"
    if keyword.arg == "input" and "input" not in args and args:
        name = args[0]
    if name not in known:
        message = f"`{row.name}` has no argument named `{elide(keyword.arg)}`"
        way_out = did_you_mean(name, known) or f"`{row.name}({row.signature})`"
        raise NodeError("unknown-keyword", message, keyword, way_out)
    target = slots if name in args else stated
    if name in target:
        raise NodeError("arity", f"`{name}` is given twice", keyword)
    target[name] = keyword.value


def _slots(
    row: Function, slots: dict[str, ast.expr], node: ast.Call
) -> tuple[list[ast.expr], list[SettingValue]]:
    """Arguments in order, a gap as its default's literal; then the defaults that follow."""
    parameters = row.parsed.args
    optional = {p.name for p in parameters if not p.required}
    slots = {
        name: part for name, part in slots.items() if not (name in optional and _is_none(part))
    }
    missing = [f"`{p.name}`" for p in parameters if p.required and p.name not in slots]
    if missing:
        raise arity_error(
            row, node, f"needs {count_of_arguments(row)}: {', '.join(missing)} missing"
        )
    end = 1 + max((i for i, p in enumerate(parameters) if p.name in slots), default=-1)
    args = [
        slots[p.name] if p.name in slots else _literal(p.default, node) for p in parameters[:end]
    ]
    return args, [p.default for p in parameters[end:]]


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _literal(value: SettingValue, node: ast.Call) -> ast.expr:
    return ast.copy_location(ast.parse(str(value), mode="eval").body, node.func)


def _fit(value: SettingValue, node: ast.expr) -> SettingValue:
    """`value`, if every integer in it fits into those of numpy and torch."""
    for item in value if isinstance(value, tuple) else (value,):
        if isinstance(item, int) and item.bit_length() > _INTEGER_BITS:
            raise NodeError("too-large", f"an integer here has at most {_INTEGER_BITS} bits", node)
    return value


def index_key(node: ast.expr) -> tuple[object, ...]:
    """An index as hashable items: ints, None (a new axis), `...`, and `("slice", start, stop,
    step)`.

    Raises:
        NodeError: an item is none of these.
    """
    items = node.elts if isinstance(node, ast.Tuple) else [node]
    return tuple(_item(item) for item in items)


def _item(node: ast.expr) -> object:
    if isinstance(node, ast.Slice):
        parts = (node.lower, node.upper, node.step)
        start, stop, step = (None if part is None else _integer(part) for part in parts)
        if step is not None and step < 1:
            raise NodeError("bad-index", "torch takes only slices with a positive step", node)
        return ("slice", start, stop, step)
    if isinstance(node, ast.Constant) and (node.value is None or node.value is Ellipsis):
        return "..." if node.value is Ellipsis else None
    return _integer(node)


def _integer(node: ast.expr) -> int:
    sign, inner = 1, node
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        sign, inner = -1, node.operand
    value = inner.value if isinstance(inner, ast.Constant) else None
    if not isinstance(value, int) or isinstance(value, bool):
        raise NodeError("bad-index", "an index must be a constant integer or a slice", node)
    if value.bit_length() > _INTEGER_BITS:
        raise NodeError("bad-index", f"an index has at most {_INTEGER_BITS} bits", node)
    return sign * value
