"""A call in Python's syntax tree, matched with the row it means: names, prefixes, keywords,
settings.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gradcheck_cli.functions import Function, Signature, lookup, names
from gradcheck_cli.language.constants import constant
from gradcheck_cli.language.errors import NodeError, did_you_mean, elide

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from gradcheck_cli.language.program import SettingValue

PREFIXES = (
    "torch.nn.functional", "torch.special", "torch.linalg", "torch", "nn.functional", "F", "np", "numpy", "np.linalg", "numpy.linalg",
    "math", "sp", "sympy", "scipy.special", "special",
)  # fmt: skip
# The same setting under the names other libraries give it.
_SYNONYMS = {"axis": "dim", "keepdims": "keepdim", "ddof": "correction"}
# Functions that mean something else under another library's prefix: a changed default, or a
# refusal.
_FOREIGN: dict[tuple[str, str], dict[str, SettingValue] | str] = {
    ("np", "std"): {"correction": 0},
    ("np", "var"): {"correction": 0},
    (
        "sympy",
        "sinc",
    ): "sympy.sinc(x) is sin(x)/x, this language's sinc(x) is sin(pi*x)/(pi*x): write sinc(x/pi)",
    (
        "sympy",
        "frac",
    ): "sympy.frac(x) is x - floor(x), this language's frac(x) is x - trunc(x): write x - floor(x)",
    (
        "math",
        "remainder",
    ): "math.remainder(x, y) rounds x/y to the nearest integer, this language's remainder(x, y) rounds down: write x - y*round(x/y)",
    (
        "scipy",
        "softmax",
    ): "scipy.special.softmax(x) runs over all elements, this language's softmax(x) over the last dimension: write softmax(x, dim=-1)",
    (
        "scipy",
        "log_softmax",
    ): "scipy.special.log_softmax(x) runs over all elements, this language's over the last dimension: write log_softmax(x, dim=-1)",
    (
        "scipy",
        "kl_div",
    ): "scipy.special.kl_div(x, y) is x*log(x/y) - x + y: write xlogy(x, x/y) - x + y",
}
_FAMILY = {
    "numpy": "np",
    "np.linalg": "np",
    "numpy.linalg": "np",
    "sp": "sympy",
    "scipy.special": "scipy",
}
# SymPy's `Max` and `Min` take any number of arguments, torch's `maximum` and `minimum` two.
_FOLDED = {"Max": "maximum", "Min": "minimum"}
# A prefix has at most three links: `torch.nn.functional`.
_LINKS = 4
# numpy and torch hold indices and integer settings in 64 bits.
_INTEGER_BITS = 63


@dataclass
class Bound:
    """A row's name with its argument expressions in order, the defaults that follow them, and its
    settings.
    """

    function: str
    args: list[ast.expr]
    defaults: list[SettingValue] = field(default_factory=list)
    settings: dict[str, SettingValue] = field(default_factory=dict)
    fold: bool = False


def dotted_name(node: ast.expr) -> list[str]:
    """`["torch", "special", "erf"]` for `torch.special.erf`; empty where a link is not a name, or
    for more links than a prefix has.
    """
    path: list[str] = []
    while isinstance(node, ast.Attribute) and len(path) < _LINKS:
        path.append(node.attr)
        node = node.value
    return [node.id, *reversed(path)] if isinstance(node, ast.Name) else []


def strip_prefix(path: list[str]) -> str | None:
    """The bare name behind a known library prefix, or None."""
    return path[-1] if len(path) > 1 and ".".join(path[:-1]) in PREFIXES else None


def bind(node: ast.Call, words: Callable[[ast.AST], str], assigned: Container[str]) -> Bound:
    """The row that a call means, with its arguments and settings in place.

    Args:
        words: gives the text of a node.
        assigned: names that are no library's prefix here, because the program assigns them.
    Raises:
        NodeError: unknown name, wrong arity, unknown or doubled keyword, a setting that is not
            constant.
    """
    row, receiver, preset = _row(node, assigned)
    positional = [*receiver, *node.args]
    folded = _folded(row, node, positional)
    if folded:
        return Bound(folded, positional, fold=True)
    signature, keywords = row.parsed, list(node.keywords)
    if len(positional) == len(signature.args) and not (
        signature.settings or signature.variadic or keywords
    ):
        return Bound(row.name, positional)
    if signature.variadic:
        positional, keywords = _spread(row, positional, keywords, node)
    given: dict[str, ast.expr] = {}
    args, rest = _split(row, positional, node)
    for parameter, value in zip(signature.settings, rest, strict=False):
        given[parameter.name] = value
    slots: dict[str, ast.expr] = (
        {} if signature.variadic else dict(zip(signature.names, args, strict=False))
    )
    for keyword in keywords:
        _keyword(row, keyword, slots, given)
    absent = [p.name for p in signature.settings if p.required and p.name not in given]
    if absent:
        raise NodeError(
            "arity",
            f"`{row.name}` needs {', '.join(f'`{name}`' for name in absent)}",
            node,
            f"`{row.name}({row.signature})`",
        )
    settings = row.bound(preset) | {
        name: _fitting(constant(value, words), value) for name, value in given.items()
    }
    if signature.variadic:
        return Bound(row.name, list(args), [], settings)
    return Bound(row.name, *_slots(row, slots, node), settings=settings)


def _folded(row: Function, node: ast.Call, positional: list[ast.expr]) -> str:
    """The binary row that a call of `max`, `min`, `Max` or `Min` folds with, or nothing.

    `torch.max(x, 0)`, `np.max(x, 0)` and `x.max(0)` reduce along a dim; `max(x, 0)` compares with
    0, as in Python.
    """
    func = node.func
    name = (
        func.attr
        if isinstance(func, ast.Attribute)
        else func.id
        if isinstance(func, ast.Name)
        else ""
    )
    folds = _FOLDED.get(name, row.folds)
    if not folds or node.keywords or len(positional) < 2:
        return ""
    reduces = isinstance(func, ast.Attribute) and name not in _FOLDED and _is_dim(positional[1])
    return "" if reduces else folds


def _is_dim(node: ast.expr) -> bool:
    """Whether an argument is a literal integer or a tuple of such."""
    if isinstance(node, ast.UnaryOp):
        return _is_dim(node.operand)
    if isinstance(node, ast.Tuple):
        return all(_is_dim(item) for item in node.elts)
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, int))


def _row(
    node: ast.Call, assigned: Container[str]
) -> tuple[Function, list[ast.expr], dict[str, SettingValue]]:
    func = node.func
    if isinstance(func, ast.Name):
        return _named(func.id, func), [], {}
    if not isinstance(func, ast.Attribute):
        raise NodeError("unsupported-syntax", "only a function of the language can be called", func)
    path = dotted_name(func)
    bare = strip_prefix(path) if path and path[0] not in assigned else None
    if bare is None:
        return _named(func.attr, func), [func.value], {}
    row = _named(bare, func)
    library = ".".join(path[:-1])
    foreign = _FOREIGN.get((_FAMILY.get(library, library), row.name), {})
    if isinstance(foreign, str):
        raise NodeError("foreign-meaning", foreign, func)
    return row, [], foreign


def _named(name: str, node: ast.expr) -> Function:
    known = names()
    if name == "getitem":
        raise NodeError(
            "unknown-function",
            "no function named `getitem`",
            node,
            "elements are written `x[0, 1:]`",
        )
    if name not in known:
        near = did_you_mean(name, known)
        raise NodeError(
            "unknown-function",
            f"no function named `{elide(name)}`",
            node,
            f"{near + ' ' if near else ''}`gradcheck functions` lists all",
        )
    return lookup(known[name])


def _spread(
    row: Function, positional: list[ast.expr], keywords: list[ast.keyword], node: ast.Call
) -> tuple[list[ast.expr], list[ast.keyword]]:
    """Arguments and keywords of a call that takes a list of tensors and at most a dim behind it, or
    tensors one by one.
    """
    first = positional[0] if positional else None
    if isinstance(first, ast.List | ast.Tuple):
        if len(positional) > 2:
            raise NodeError("arity", "a list of tensors and at most a dim are expected", node)
        keywords = keywords + [
            ast.copy_location(ast.keyword(arg="dim", value=dim), dim) for dim in positional[1:]
        ]
        positional = list(first.elts)
    if not positional:
        raise NodeError(
            "arity", f"`{row.name}` needs at least 1 tensor", node, f"`{row.name}({row.signature})`"
        )
    return positional, keywords


def _split(
    row: Function, positional: list[ast.expr], node: ast.Call
) -> tuple[list[ast.expr], list[ast.expr]]:
    """Positional values as (arguments, settings in their order)."""
    signature = row.parsed
    if signature.variadic:
        return positional, []
    count = len(signature.args)
    args, rest = positional[:count], positional[count:]
    takes_many = (
        row.kind != "primitive"
        and len(signature.settings) > 0
        and signature.settings[0].name in ("dims", "shape")
    )
    if takes_many and len(rest) > 1:
        rest = [ast.Tuple(elts=rest, ctx=ast.Load(), lineno=rest[0].lineno, col_offset=rest[0].col_offset,
                          end_lineno=rest[-1].end_lineno, end_col_offset=rest[-1].end_col_offset)]  # fmt: skip
    if len(rest) > len(signature.settings):
        raise NodeError(
            "arity",
            f"`{row.name}` takes {_takes(signature)}, {len(positional)} are given",
            node,
            f"`{row.name}({row.signature})`",
        )
    return args, rest


def _takes(signature: Signature) -> str:
    most = len(signature.args) + len(signature.settings)
    least = sum(parameter.required for parameter in signature.args)
    counted = f"{least}" if least == most else f"{least} to {most}"
    return f"{counted} argument{'s' if most != 1 else ''}"


def _keyword(
    row: Function, keyword: ast.keyword, slots: dict[str, ast.expr], given: dict[str, ast.expr]
) -> None:
    if keyword.arg is None:
        raise NodeError(
            "unsupported-syntax", "`**` unpacking is not part of the language", keyword.value
        )
    name = _SYNONYMS.get(keyword.arg, keyword.arg)
    if keyword.arg == "input" and "input" not in row.parsed.names and row.parsed.args:
        name = row.parsed.names[0]
    known = [*row.parsed.names, *(parameter.name for parameter in row.parsed.settings)]
    if name not in known:
        help_ = did_you_mean(name, known) or f"`{row.name}({row.signature})`"
        raise NodeError(
            "unknown-keyword",
            f"`{row.name}` has no argument named `{elide(keyword.arg)}`",
            keyword,
            help_,
        )
    target = slots if name in row.parsed.names else given
    if name in target:
        raise NodeError("arity", f"`{name}` is given twice", keyword)
    target[name] = keyword.value


def _slots(
    row: Function, slots: dict[str, ast.expr], node: ast.Call
) -> tuple[list[ast.expr], list[SettingValue]]:
    """Arguments in order, then the defaults of those that follow; a gap takes its default as a
    literal.
    """
    missing = [p.name for p in row.parsed.args if p.required and p.name not in slots]
    if missing:
        raise NodeError(
            "arity",
            f"`{row.name}` needs {_takes(row.parsed)}: {', '.join(f'`{m}`' for m in missing)} missing",
            node,
            f"`{row.name}({row.signature})`",
        )
    args: list[ast.expr] = []
    last = max((i for i, p in enumerate(row.parsed.args) if p.name in slots), default=-1)
    for parameter in row.parsed.args[: last + 1]:
        gap = (
            ast.copy_location(ast.parse(str(parameter.default), mode="eval").body, node.func)
            if parameter.name not in slots
            else None
        )
        args.append(slots[parameter.name] if gap is None else gap)
    return args, [parameter.default for parameter in row.parsed.args[last + 1 :]]


def _fitting(value: SettingValue, node: ast.expr) -> SettingValue:
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
        parts = [
            None if part is None else _integer(part) for part in (node.lower, node.upper, node.step)
        ]
        if parts[2] is not None and parts[2] < 1:
            raise NodeError("bad-index", "torch takes only slices with a positive step", node)
        return ("slice", *parts)
    if isinstance(node, ast.Constant) and (node.value is None or node.value is Ellipsis):
        return "..." if node.value is Ellipsis else None
    return _integer(node)


def _integer(node: ast.expr) -> int:
    sign, inner = (
        (-1, node.operand)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
        else (1, node)
    )
    if (
        not isinstance(inner, ast.Constant)
        or not isinstance(inner.value, int)
        or isinstance(inner.value, bool)
    ):
        raise NodeError("bad-index", "an index must be a constant integer or a slice", node)
    if inner.value.bit_length() > _INTEGER_BITS:
        raise NodeError("bad-index", f"an index has at most {_INTEGER_BITS} bits", node)
    return sign * inner.value
