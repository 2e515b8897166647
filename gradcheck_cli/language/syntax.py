"""Python's syntax tree of a program, or why there is none; what of it the language has not."""

from __future__ import annotations

import ast
import re
import sys
import threading
import warnings
from typing import TYPE_CHECKING

from gradcheck_cli.language.constants import TOO_MANY_DIGITS
from gradcheck_cli.language.errors import Mistake, ProgramError, Span

if TYPE_CHECKING:
    from gradcheck_cli.language.source import Source

# Deep enough for the syntax tree of a sum of 20,000 terms; pages that are not touched cost nothing.
_STACK, _RECURSION = 256 * 2**20, 100_000
# A text of so few characters cannot nest deeper than any stack bears; a thread costs as much as
# reading it.
_SHORT = 1_000

# fmt: off
# How Python names what we do not read, in the words of the message.
_REFUSED = {
    "AnnAssign": "a type annotation", "Assert": "assert", "Assign": "an assignment to anything but one name", "AsyncFor": "a loop",
    "AsyncFunctionDef": "a function definition", "AsyncWith": "a with block", "AugAssign": "an augmented assignment", "Await": "await",
    "Break": "break", "ClassDef": "a class definition", "Continue": "continue", "Delete": "del", "Dict": "a dict",
    "DictComp": "a comprehension", "For": "a loop", "FunctionDef": "a function definition", "GeneratorExp": "a comprehension",
    "Global": "global", "If": "an if block", "Import": "an import", "ImportFrom": "an import", "JoinedStr": "an f-string",
    "Lambda": "a lambda", "List": "an empty list", "ListComp": "a comprehension", "Match": "a match block",
    "NamedExpr": "an assignment inside an expression", "Nonlocal": "nonlocal", "Pass": "pass", "Raise": "raise", "Return": "return",
    "Set": "a set", "SetComp": "a comprehension", "Slice": "a slice outside an index", "Starred": "unpacking", "Try": "a try block",
    "TemplateStr": "a t-string", "TryStar": "a try block", "Tuple": "an empty tuple", "TypeAlias": "a type alias", "While": "a loop", "With": "a with block",
    "Yield": "yield", "YieldFrom": "yield",
}
_SIGNS = {
    "BitXor": "^", "FloorDiv": "//", "LShift": "<<", "RShift": ">>", "Is": "is", "IsNot": "is not", "In": "in", "NotIn": "not in",
}
_INSTEAD = {
    "AugAssign": "write it out: `x = x + 1`", "BitXor": "a power is written `x**y`", "FloorDiv": "write `floor(x / y)`",
    "If": "write `a if x > 0 else b`, or `where(x > 0, a, b)`",
}
# Signs that a text copied from a page holds where Python wants another.
_TYPESET = {
    "−": "-", "–": "-", "×": "*", "⋅": "*", "∗": "*", "÷": "/", "⁄": "/", "²": "**2", "³": "**3", "√": "sqrt", "≤": "<=", "≥": ">=", "≠": "!=",
    "½": "1/2", "∞": "inf", "’": "'", "‘": "'", "“": '"', "”": '"',
}
# fmt: on


def tree(source: Source) -> ast.Module:
    """Python's syntax tree; reading it executes nothing.

    Raises:
        ProgramError: the text is not Python syntax, or nested too deeply.
    """
    odd = re.search(r"[\x00\ud800-\udfff]", source.text)
    if odd:
        reason = f"invalid character U+{ord(odd[0]):04X}"
        raise _no_expression(reason, source, Span(*odd.span()))
    is_short = len(source.text) <= _SHORT
    answer = _parse(source.text) if is_short else _parse_deep(source.text)
    if is_short and isinstance(answer, RecursionError | MemoryError):
        answer = _parse_deep(source.text)
    if isinstance(answer, Exception):
        raise _syntax(source, answer) from answer
    return answer


def _parse(text: str) -> ast.Module | Exception:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return error


def _parse_deep(text: str) -> ast.Module | Exception:
    """As `_parse`, on a stack of its own that is deep enough for any text that is accepted."""
    answers: list[ast.Module | Exception] = []
    limit, stack = sys.getrecursionlimit(), threading.stack_size(_STACK)
    sys.setrecursionlimit(max(limit, _RECURSION))
    try:
        thread = threading.Thread(target=lambda: answers.append(_parse(text)))
        thread.start()
        thread.join()
    finally:
        sys.setrecursionlimit(limit)
        threading.stack_size(stack)
    return answers[0]


def _syntax(source: Source, error: Exception) -> ProgramError:
    if isinstance(error, RecursionError | MemoryError) or "too many nested" in str(error):
        way_out = "name parts of it: `y = ...; f(y)`"
        span = _deepest(source.text)
        return _error("too-deep", "the program is nested too deeply", source, span, way_out)
    if not isinstance(error, SyntaxError):
        return _no_expression(str(error), source, Span(0, 1))
    start = source.character(error.lineno or 1, (error.offset or 1) - 1)
    if "integer string conversion" in error.msg:
        digits = re.compile(r"\w+").match(source.text, start)
        span = Span(*digits.span()) if digits else Span(start, start + 1)
        return _error("too-large", TOO_MANY_DIGITS, source, span)
    width = (error.end_offset or 0) - (error.offset or 0) if error.end_lineno == error.lineno else 1
    reason = re.sub(r" Perhaps you.*| Maybe you.*|\s*\(<unknown>.*", "", error.msg)
    sign = source.text[start : start + 1]
    instead = f"in place of `{sign}` write `{_TYPESET[sign]}`" if sign in _TYPESET else ""
    span = Span(start, start + max(width, 1))
    return _no_expression(reason.removesuffix("."), source, span, instead)


def _no_expression(reason: str, source: Source, span: Span, instead: str = "") -> ProgramError:
    return _error("syntax", f"this is not an expression: {reason}", source, span, instead)


def _error(code: str, message: str, source: Source, span: Span, help: str = "") -> ProgramError:  # noqa: A002 - `help` is what the printed line is called
    return ProgramError([Mistake(code, message, source.text, span, help)])


def _deepest(text: str) -> Span:
    """The first of the innermost brackets."""
    depth = most = place = 0
    for i, c in enumerate(text):
        depth += (c in "([{") - (c in ")]}")
        if depth > most:
            most, place = depth, i
    return Span(place, place + 1)


def refusal(node: ast.AST) -> tuple[str, str]:
    """What a message says of syntax that is not part of the language, and its help."""
    kind = type(node).__name__
    if isinstance(node, ast.BinOp):
        kind = type(node.op).__name__
    elif isinstance(node, ast.Compare):
        kind = next(name for op in node.ops if (name := type(op).__name__) in _SIGNS)
    what = _REFUSED.get(kind, f"this syntax ({kind})")
    if kind in _SIGNS:
        what = f"the operator `{_SIGNS[kind]}`"
    return f"{what} is not part of the language", _INSTEAD.get(kind, "")
