"""What `gradcheck functions` shows: the table as a list, or one row as a page."""

from __future__ import annotations

import dis
from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions import lookup, names, table
from gradcheck_cli.functions.row import CallError
from gradcheck_cli.language.errors import did_you_mean, mistake

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradcheck_cli.functions.row import Function


# Where the second column of a page begins.
_INDENT = 13


def listing(width: int | None = None) -> str:
    """One line a function: its call, what it means, and the torch function under test.

    Args:
        width: columns; where they do not suffice a function has a line for each of the three.
    """
    rows = [
        (
            f"{row.name}({row.signature})" if row.signature else row.name,
            torch_name(row),
            _meaning(row),
        )
        for row in table().values()
        if not row.helper
    ]
    left, middle = max(len(call) for call, _, _ in rows), max(len(name) for _, name, _ in rows)
    lines = [
        f"{call:<{left}}  {name:<{middle}}  {meaning}".rstrip() for call, name, meaning in rows
    ]
    if width is not None and max(map(len, lines)) > width:
        stacked = [(call, *(f"  {text}" for text in rest if text)) for call, *rest in rows]
        lines = [line for texts in stacked for line in _within("\n".join(texts), width, 4)]
    return "".join(f"{line}\n" for line in lines)


def page(name: str, width: int | None = None) -> str:
    """Everything the table says of one function, in so many columns.

    Raises:
        UserError: there is none of that name.
    """
    known = names()
    bare = name.rpartition(".")[2]
    if bare not in known:
        raise mistake(
            "unknown-function",
            f"no function named `{name}`",
            help=did_you_mean(bare, known) or "`gradcheck functions` lists all",
        )
    row = lookup(known[bare])
    lines = [
        piece
        for head, text in _lines(row)
        if text
        for piece in _within(f"{head:<{_INDENT - 1}} {text}", width, _INDENT)
    ]
    return "".join(f"{line}\n" for line in lines)


def _within(text: str, width: int | None, indent: int) -> list[str]:
    if width is None:
        return text.split("\n")
    from rich.text import Text

    from gradcheck_cli.reports.wrap import wrap

    return [piece.plain.rstrip() for piece in wrap(Text(text), width, indent)]


def _lines(row: Function) -> list[tuple[str, str]]:
    call = f"{row.name}({row.signature})" if row.signature else row.name
    lines = [
        ("function", call),
        ("aliases", ", ".join(row.aliases)),
        ("stated as", row.kind),
        ("meaning", _meaning(row)),
    ]
    lines += [
        ("operator", row.operator),
        ("torch", torch_name(row)),
        ("", _without_derivative(row)),
    ]
    lines += [
        ("domain", ", ".join(f"{text} > 0" for text in row.domain)),
        ("kinks", ", ".join(f"{text} = 0" for text in row.kinks)),
    ]
    lines += [("derivative", line) for line in _derivatives(row)]
    lines += [
        ("pullback", f"{arg}: {text}")
        for arg, text in zip(row.parsed.names, row.pulled_back({}), strict=False)
    ]
    return [*lines, ("note", row.note)]


def _without_derivative(row: Function) -> str:
    """Why torch gives no gradient by it; empty where it gives one."""
    if row.stops:
        return "a cut that is meant: the gradient stated past it is 0"
    return "" if row.backward else "torch has no derivative for it"


def _meaning(row: Function) -> str:
    """The meaning at default settings; a primitive means itself."""
    try:
        return "" if row.means is None else row.meaning(row.bound({}))
    except CallError:
        return ""


def _derivatives(row: Function) -> list[str]:
    """d/d(argument) for each argument, as it is shown; nothing for functions of whole arrays."""
    from gradcheck_cli.calculus.formulas import is_elementwise
    from gradcheck_cli.symbolic.shown import derivatives_of

    if not is_elementwise(row.name):
        return []
    pairs = zip(row.parsed.names, derivatives_of(row), strict=True)
    return [f"d/d{arg}: {text}" for arg, text in pairs]


def torch_name(row: Function) -> str:
    """The dotted name of the torch function that a row calls, or the operator it uses."""
    called = _chains(row.torch)
    best = next(
        (path for path in called if path[-1] in (row.name, *row.aliases)),
        called[0] if called else None,
    )
    if best is not None:
        return ".".join(best)
    return f"operator {row.operator}" if row.operator else ""


def _chains(function: Callable[..., Any]) -> list[tuple[str, ...]]:
    """What a row's lambda looks up: `("torch", "nn", "functional", "gelu")`, or `("torch",
    "Tensor", "expand")` for a method.
    """
    code = function.__code__
    captured = dict(
        zip(
            code.co_freevars,
            (cell.cell_contents for cell in function.__closure__ or ()),
            strict=True,
        )
    )
    chains: list[tuple[str, ...]] = []
    path: list[str] = []
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_ATTR", "LOAD_METHOD") and path:
            path.append(str(step.argval))
            continue
        if len(path) > 1 and path[-1] not in ("dim", "shape", "functional", "Tensor"):
            chains.append(tuple(path))
        # `getattr(t.nn.functional, name)` in a function made for several rows.
        if step.opname == "LOAD_DEREF" and isinstance(captured.get(step.argval), str) and path:
            chains.append((*path, captured[step.argval]))
        local = step.opname.startswith("LOAD_FAST")
        path = (
            []
            if not local
            else ["torch"]
            if step.argval == code.co_varnames[0]
            else ["torch", "Tensor"]
        )
    return chains
