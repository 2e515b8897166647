"""Claims as people write them: `x = 2*x`, `dh/dk = 1`, a backward program of several lines."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gradcheck_cli.language.errors import Mistake, ProgramError, Span
from gradcheck_cli.language.parse import is_constant

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

# Names of the cotangent of the program's value, where nothing else is called so.
COTANGENTS = ("dout", "g", "grad_output", "grad_out", "upstream")

_NAME = r"[^\W\d]\w*"
_FRACTION = re.compile(rf"(?:d|∂|grad_?)\s*({_NAME})?\s*/\s*(?:d|∂)\s*({_NAME})\s*")
_ELEMENTS = re.compile(rf"({_NAME})\s*\[(.*)\]\s*([-+*/])?\s*", re.DOTALL)
_AUGMENTED = re.compile(rf"({_NAME})\s*([-+*/]|\*\*|@)\s*")
_OPEN, _CLOSED = "([{", ")]}"
_SIGNS = re.compile(r"[][(){};\n]|#[^\n]*")
_SHAPE = re.compile(rf"({_NAME}(?:\s*,\s*{_NAME})+)\s*=\s*({_NAME})\.shape")


@dataclass(frozen=True)
class Statement:
    """One line of a claim.

    Attributes:
        text: all of the claim; `span` is where the line stands in it, `place` its right side.
        left: the left side as written.
        right: what it is set to, an expression of the language.
        index: of the elements that are set, where it is not the whole; `sign` is that of `-=`.
        target: the name by which later lines know it; empty where they cannot.
        of: name of what is differentiated, empty for the program's value.
        by: name of what by; empty for a line that helps others and claims nothing.
    """

    text: str
    span: Span
    place: Span
    left: str
    right: str
    target: str
    of: str
    by: str
    index: str = ""
    sign: str = ""

    @property
    def words(self) -> str:
        """The line as written."""
        return " ".join(self.text[slice(*self.span)].split())


def read_claim(text: str, names: Collection[str], result: str) -> tuple[Statement, ...]:
    """The lines of a claim about a program.

    Args:
        names: its inputs and all that it assigns.
        result: the name of its value, empty where it has none.
    Raises:
        ProgramError: a line is no assignment, or its left side claims nothing that is known.
    """
    lines = list(_lines(text))
    if not lines:
        raise _refusal("empty", "there is no claim", text, Span(0, len(text)), _WAY_OUT)
    found: dict[str, Statement] = {}
    read = []
    for span in lines:
        for statement in _statements(text, span, names, result, alone=len(lines) == 1):
            # A name that is set again, as by `dx += ...`, claims what it claimed before.
            first = found.setdefault(statement.left, statement)
            named = replace(statement, target=first.target, of=first.of, by=first.by)
            read.append(_without_constants(named, found))
    if not any(statement.by for statement in read):
        way_out = f"claim a derivative by {_listed(names)}: `d{next(iter(names), 'x')} = ...`"
        raise _refusal("no-claim", "this claims no derivative", text, read[-1].span, way_out)
    return tuple(read)


_WAY_OUT = "a claim is written `x = 2*x`, `df/dx = 2*x`, or `dz = a - y; dW = x.T @ dz`"


def _without_constants(statement: Statement, known: Collection[str]) -> Statement:
    """A line in which names that are set, and are those of constants otherwise, are others."""
    for name in known:
        if is_constant(name):
            other = f"{name}_"
            right = re.sub(rf"\b{name}\b", other, statement.right)
            target = other if statement.target == name else statement.target
            statement = replace(statement, right=right, target=target)
    return statement


def _statements(
    text: str, span: Span, names: Collection[str], result: str, *, alone: bool
) -> Iterator[Statement]:
    """The statements of a line: `N, D = x.shape` makes one of each name."""
    match = _SHAPE.fullmatch(text[slice(*span)])
    if match is None:
        yield _statement(text, span, names, result, alone=alone)
        return
    for k, name in enumerate(re.findall(_NAME, match[1])):
        yield Statement(text, span, span, name, f"{match[2]}.shape[{k}]", name, "", "")


def _statement(
    text: str, span: Span, names: Collection[str], result: str, *, alone: bool
) -> Statement:
    words = text[slice(*span)]
    at = _equals(words)
    if at is None:
        raise _refusal("no-claim", "a claim is an assignment", text, span, _WAY_OUT)
    left, right = words[:at], words[at + 1 :]
    place = Span(span.start + at + 1 + len(right) - len(right.lstrip()), span.end)
    right = right.strip()
    if len(right) > 1 and right[0] == right[-1] and right[0] in "\"'":
        right, place = right[1:-1].strip(), Span(place.start + 1, place.end - 1)
    if not left.strip() or not right:
        raise _refusal("no-claim", "one side of this is empty", text, span, _WAY_OUT)
    spot = Span(span.start, span.start + len(left.rstrip()))
    index = sign = ""
    if match := _ELEMENTS.fullmatch(left):
        left, index, sign = match[1], match[2], match[3] or ""
        if not _is_subscript(index):
            new = f"{left} {sign} ({right})" if sign else right
            right, index, sign = f"where({index}, {new}, {left})", "", ""
    elif match := _AUGMENTED.fullmatch(left):
        left, right = match[1], f"{match[1]} {match[2]} ({right})"
    left = left.strip()
    if left in names and (index or sign):
        message = f"`{left}` is of the program, and none of its elements is set here"
        raise _refusal("no-claim", message, text, spot, _WAY_OUT)
    if re.fullmatch(_NAME, left):
        of, by = _of_name(left, names, result, alone=alone, text=text, spot=spot)
        target = left if left not in names else ""
        return Statement(text, span, place, left, right, target, of, by, index, sign)
    match = _FRACTION.fullmatch(left)
    if match is None:
        message = f"`{left}` is no derivative, and no name"
        raise _refusal("no-claim", message, text, spot, _WAY_OUT)
    of, by = match[1] or "", match[2]
    if by not in names:
        raise _unknown(by, names, text, spot)
    return Statement(text, span, place, left, right, "", of if of in names else "", by)


def _of_name(
    left: str, names: Collection[str], result: str, *, alone: bool, text: str, spot: Span
) -> tuple[str, str]:
    """What a name on the left claims: numerator and denominator, both empty for a helper."""
    if left in names:
        return "", left
    found = [
        (of, by)
        for by in sorted(names, key=len, reverse=True)
        for of in (*sorted(names, key=len, reverse=True), "")
        if left in _spellings(of, by)
    ]
    if alone and found and found[0] == ("", result) and result:
        # `dy = 2*x` of `y = x**2` is dy/dx to some, and dL/dy to others.
        message = f"`{left}` may be the derivative of `{result}`, or the one by `{result}`"
        way_out = f"write `d{result}/dx = ...` or `dL/d{result} = ...`"
        raise _refusal("ambiguous-claim", message, text, spot, way_out)
    if found:
        return found[0]
    # The numerator is no name of the program: that of its value, as people call it.
    for by in sorted(names, key=len, reverse=True):
        if re.fullmatch(rf"[d∂]\w+?_?[d∂]_?{re.escape(by)}", left):
            return "", by
    return "", ""


def _spellings(of: str, by: str) -> tuple[str, ...]:
    if of:
        return f"d{of}_d{by}", f"d{of}d{by}", f"d{of}_{by}", f"∂{of}_∂{by}", f"∂{of}∂{by}"
    return f"d{by}", f"d_{by}", f"∂{by}", f"grad_{by}", f"g_{by}", f"{by}_grad", f"{by}_bar"


def _lines(text: str) -> Iterator[Span]:
    """Places of the statements: they end at a `;` or a line's end outside brackets; what stands
    behind a `#` is passed over.
    """
    depth, start = 0, 0
    for match in _SIGNS.finditer(text):
        sign = match[0]
        depth += (sign in _OPEN) - (sign in _CLOSED)
        if sign in _OPEN or sign in _CLOSED or (sign[0] != "#" and depth > 0):
            continue
        yield from _trimmed(text, start, match.start())
        start = match.end()
    yield from _trimmed(text, start, len(text))


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    words = text[start:end]
    if words.strip():
        yield Span(start + len(words) - len(words.lstrip()), start + len(words.rstrip()))


def _equals(words: str) -> int | None:
    """The place of the `=` that is no part of another sign, outside brackets."""
    depth = 0
    for at, sign in enumerate(words):
        depth += (sign in _OPEN) - (sign in _CLOSED)
        pair = words[at : at + 2]
        if sign == "=" and depth == 0:
            return at if pair != "==" and words[at - 1 : at] not in ("<", ">", "!", "=") else None
    return None


def _is_subscript(words: str) -> bool:
    """Whether what stands in brackets is an index rather than a condition."""
    return not re.search(r"[<>]|==|!=", words)


def _listed(names: Collection[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _unknown(name: str, names: Collection[str], text: str, spot: Span) -> ProgramError:
    message = f"`{name}` is neither an input of the program nor assigned in it"
    return _refusal("unknown-name", message, text, spot, f"it has {_listed(names)}")


def _refusal(code: str, message: str, text: str, span: Span, way_out: str) -> ProgramError:
    return ProgramError([Mistake(code, message, text, span, help=way_out)])
