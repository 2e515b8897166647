"""A call in Python's syntax tree, matched with the row it means: names, prefixes, keywords, settings."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from gradcheck_cli.functions import Function, Signature, lookup, names
from gradcheck_cli.language.errors import Span, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradcheck_cli.language.program import Setting

PREFIXES = (
    "torch.nn.functional", "torch.special", "torch.linalg", "torch", "nn.functional", "F", "np", "numpy", "np.linalg", "numpy.linalg",
    "math", "sp", "sympy", "scipy.special", "special",
)  # fmt: skip
# The same setting under the names other libraries give it.
_SYNONYMS = {"axis": "dim", "keepdims": "keepdim", "ddof": "correction"}
# Functions that mean something else under another library's prefix: a changed default, or a refusal.
_FOREIGN: dict[tuple[str, str], dict[str, Setting] | str] = {
    ("np", "std"): {"correction": 0},
    ("np", "var"): {"correction": 0},
    ("sympy", "sinc"): "sympy.sinc(x) is sin(x)/x, this language's sinc(x) is sin(pi*x)/(pi*x): write sinc(x/pi)",
}
_FAMILY = {"numpy": "np", "np.linalg": "np", "numpy.linalg": "np", "sp": "sympy"}
# The largest decimal exponent read: beyond it every dtype overflows or underflows.
MAX_EXPONENT = 5_000
MAX_DIGITS = 5_000


class BadCall(Exception):
    """A mistake inside a call, before its place is known in characters."""

    def __init__(self, code: str, message: str, node: ast.AST | None = None, help: str = "") -> None:  # noqa: A002 - `help` is what the printed line is called
        super().__init__(message)
        self.code, self.node, self.help = code, node, help


@dataclass
class Bound:
    """A row's name with its argument expressions in order, the defaults that follow them, and its settings."""

    function: str
    args: list[ast.expr]
    defaults: list[Setting] = field(default_factory=list)
    settings: dict[str, object] = field(default_factory=dict)
    fold: bool = False


def dotted(node: ast.expr) -> list[str]:
    """`["torch", "special", "erf"]` for `torch.special.erf`; empty where a link is not a name."""
    path: list[str] = []
    while isinstance(node, ast.Attribute):
        path.append(node.attr)
        node = node.value
    return [*reversed(path), node.id][-1:] + list(reversed(path)) if isinstance(node, ast.Name) else []


def strip_prefix(path: list[str]) -> str | None:
    """The bare name behind a known library prefix, or None."""
    return path[-1] if len(path) > 1 and ".".join(path[:-1]) in PREFIXES else None


def bind(node: ast.Call, text: str, span: Callable[[ast.AST], Span], assigned: frozenset[str]) -> Bound:
    """The row that a call means, with its arguments and settings in place.

    Raises:
        BadCall: unknown name, wrong arity, unknown or doubled keyword, a setting that is not constant.
    """
    row, receiver, preset = _row(node, assigned)
    positional = [*receiver, *node.args]
    if row.folds and len(positional) > 1 and not receiver and not node.keywords and not _is_dim(node, positional):
        return Bound(row.folds, positional, fold=True)
    if row.parsed.variadic and len(positional) >= 1 and isinstance(positional[0], ast.List | ast.Tuple):
        positional = [*positional[0].elts, *positional[1:]] if len(positional) == 1 else _spread(positional, node)
    signature = row.parsed
    given: dict[str, ast.expr] = {}
    args, rest = _split(row, positional, node)
    for parameter, value in zip(signature.settings, rest, strict=False):
        given[parameter.name] = value
    slots: dict[str, ast.expr] = {} if signature.variadic else dict(zip(signature.names, args, strict=False))
    for keyword in node.keywords:
        _keyword(row, keyword, slots, given)
    absent = [p.name for p in signature.settings if p.required and p.name not in given]
    if absent:
        raise BadCall("arity", f"`{row.name}` needs {', '.join(f'`{name}`' for name in absent)}", node, f"`{row.name}({row.signature})`")
    settings = row.bound(preset) | {name: constant(value, text[slice(*span(value))]) for name, value in given.items()}
    if signature.variadic:
        return Bound(row.name, list(args), [], settings)
    return Bound(row.name, *_slots(row, slots, node), settings=settings)


def _is_dim(node: ast.Call, positional: list[ast.expr]) -> bool:
    """`torch.max(x, 0)` and `np.max(x, 0)` reduce along a dim; `max(x, 0)` compares with 0, as in Python."""
    return isinstance(node.func, ast.Attribute) and len(positional) == 2 and isinstance(positional[1], ast.Constant)


def _row(node: ast.Call, assigned: frozenset[str]) -> tuple[Function, list[ast.expr], dict[str, Setting]]:
    func = node.func
    if isinstance(func, ast.Name):
        return _named(func.id, func), [], {}
    if not isinstance(func, ast.Attribute):
        raise BadCall("unsupported-syntax", "only a function of the language can be called", func)
    path = dotted(func)
    bare = strip_prefix(path) if path and path[0] not in assigned else None
    if bare is None:
        return _named(func.attr, func), [func.value], {}
    row = _named(bare, func)
    library = ".".join(path[:-1])
    foreign = _FOREIGN.get((_FAMILY.get(library, library), row.name), {})
    if isinstance(foreign, str):
        raise BadCall("foreign-meaning", foreign, func)
    return row, [], foreign


def _named(name: str, node: ast.expr) -> Function:
    known = names()
    if name not in known:
        near = did_you_mean(name, known)
        raise BadCall("unknown-function", f"no function named `{name}`", node, f"{near + ' ' if near else ''}`gradcheck functions` lists all")
    return lookup(known[name])


def _spread(positional: list[ast.expr], node: ast.Call) -> list[ast.expr]:
    first, rest = positional[0], positional[1:]
    if not isinstance(first, ast.List | ast.Tuple) or len(rest) != 1:
        raise BadCall("arity", "a list of tensors and at most a dim are expected", node)
    node.keywords = [*node.keywords, ast.keyword(arg="dim", value=rest[0])]
    return list(first.elts)


def _split(row: Function, positional: list[ast.expr], node: ast.Call) -> tuple[list[ast.expr], list[ast.expr]]:
    """Positional values as (arguments, settings in their order)."""
    signature = row.parsed
    if signature.variadic:
        return positional, []
    count = len(signature.args)
    args, rest = positional[:count], positional[count:]
    takes_many = row.kind != "primitive" and len(signature.settings) > 0 and signature.settings[0].name in ("dims", "shape")
    if takes_many and len(rest) > 1:
        rest = [ast.Tuple(elts=rest, ctx=ast.Load(), lineno=rest[0].lineno, col_offset=rest[0].col_offset,
                          end_lineno=rest[-1].end_lineno, end_col_offset=rest[-1].end_col_offset)]  # fmt: skip
    if len(rest) > len(signature.settings):
        raise BadCall("arity", f"`{row.name}` takes {_takes(signature)}, {len(positional)} are given", node, f"`{row.name}({row.signature})`")
    return args, rest


def _takes(signature: Signature) -> str:
    most = len(signature.args) + len(signature.settings)
    least = sum(parameter.required for parameter in signature.args)
    counted = f"{least}" if least == most else f"{least} to {most}"
    return f"{counted} argument{'s' if most != 1 else ''}"


def _keyword(row: Function, keyword: ast.keyword, slots: dict[str, ast.expr], given: dict[str, ast.expr]) -> None:
    if keyword.arg is None:
        raise BadCall("unsupported-syntax", "`**` unpacking is not part of the language", keyword.value)
    name = _SYNONYMS.get(keyword.arg, keyword.arg)
    if keyword.arg == "input" and "input" not in row.parsed.names and row.parsed.args:
        name = row.parsed.names[0]
    known = [*row.parsed.names, *(parameter.name for parameter in row.parsed.settings)]
    if name not in known:
        help_ = did_you_mean(name, known) or f"`{row.name}({row.signature})`"
        raise BadCall("unknown-keyword", f"`{row.name}` has no argument named `{keyword.arg}`", keyword, help_)
    target = slots if name in row.parsed.names else given
    if name in target:
        raise BadCall("arity", f"`{name}` is given twice", keyword)
    target[name] = keyword.value


def _slots(row: Function, slots: dict[str, ast.expr], node: ast.Call) -> tuple[list[ast.expr], list[Setting]]:
    """Arguments in order, then the defaults of those that follow; a gap takes its default as a literal."""
    missing = [p.name for p in row.parsed.args if p.required and p.name not in slots]
    if missing:
        raise BadCall("arity", f"`{row.name}` needs {_takes(row.parsed)}: {', '.join(f'`{m}`' for m in missing)} missing", node, f"`{row.name}({row.signature})`")
    args: list[ast.expr] = []
    last = max((i for i, p in enumerate(row.parsed.args) if p.name in slots), default=-1)
    for parameter in row.parsed.args[: last + 1]:
        gap = ast.copy_location(ast.parse(str(parameter.default), mode="eval").body, node.func) if parameter.name not in slots else None
        args.append(slots[parameter.name] if gap is None else gap)
    return args, [parameter.default for parameter in row.parsed.args[last + 1 :]]


def constant(node: ast.expr, text: str) -> Setting:
    """The value of a constant expression; a decimal literal comes as the exact `Fraction` of its text.

    Raises:
        BadCall: `node` is not constant, or too large.
    """
    match node:
        case ast.Constant(value=bool() | str() | None as value):
            return value
        case ast.Constant(value=int() as value):
            return value
        case ast.Constant(value=float()):
            return _decimal(text, node)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = constant(operand, text.lstrip("-( "))
            if isinstance(value, int | Fraction | float):
                return -value
        case ast.Name(id="inf") | ast.Attribute(attr="inf"):
            return float("inf")
        case ast.Tuple(elts=elts) | ast.List(elts=elts):
            return tuple(constant(item, ast.unparse(item)) for item in elts)
        case ast.BinOp(left=left, op=ast.Div() | ast.Mult() | ast.Add() | ast.Sub() as op, right=right):
            a, b = constant(left, ast.unparse(left)), constant(right, ast.unparse(right))
            if isinstance(a, int | Fraction) and isinstance(b, int | Fraction):
                return _rational(op, Fraction(a), Fraction(b), node)
    raise BadCall("not-constant", "this setting must be a constant, such as 1 or 0.5", node)


def _rational(op: ast.operator, a: Fraction, b: Fraction, node: ast.expr) -> Fraction:
    match op:
        case ast.Add():
            return a + b
        case ast.Sub():
            return a - b
        case ast.Mult():
            return a * b
        case _:
            if b == 0:
                raise BadCall("not-constant", "division by zero in a setting", node)
            return a / b


def _decimal(text: str, node: ast.expr) -> Fraction:
    text = text.strip("() \n").replace("_", "")
    exponent = re.search(r"[eE]([+-]?\d+)$", text)
    if len(text) > MAX_DIGITS or (exponent and abs(int(exponent[1])) > MAX_EXPONENT):
        raise BadCall("too-large", f"this number has more than {MAX_DIGITS:,} digits or an exponent beyond {MAX_EXPONENT:,}", node)
    return Fraction(text)


def key_of(node: ast.expr) -> tuple[object, ...]:
    """An index as hashable items: ints, None (a new axis), `...`, and `("slice", start, stop, step)`."""
    items = node.elts if isinstance(node, ast.Tuple) else [node]
    return tuple(_item(item) for item in items)


def _item(node: ast.expr) -> object:
    if isinstance(node, ast.Slice):
        parts = [None if part is None else _integer(part) for part in (node.lower, node.upper, node.step)]
        if parts[2] is not None and parts[2] < 1:
            raise BadCall("bad-index", "torch takes only slices with a positive step", node)
        return ("slice", *parts)
    if isinstance(node, ast.Constant) and (node.value is None or node.value is Ellipsis):
        return "..." if node.value is Ellipsis else None
    return _integer(node)


def _integer(node: ast.expr) -> int:
    value = None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        value = -node.operand.value if isinstance(node.operand.value, int) else None
    elif isinstance(node, ast.Constant) and isinstance(node.value, int) and not isinstance(node.value, bool):
        value = node.value
    if value is None:
        raise BadCall("bad-index", "an index must be a constant integer or a slice", node)
    return value
