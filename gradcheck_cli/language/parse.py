"""Text to Program, through Python's own grammar (`ast`), whitelisted; nothing is ever executed."""

from __future__ import annotations

import ast
import re
import sys
import textwrap
import threading
import warnings
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from gradcheck_cli.functions import lookup
from gradcheck_cli.language.calls import BadCall, bind, constant, dotted, key_of, strip_prefix
from gradcheck_cli.language.errors import Mistake, ProgramError, Span
from gradcheck_cli.language.program import Builder, Call, Number, Program, Variable, pruned

if TYPE_CHECKING:
    from collections.abc import Callable

# Longer texts are refused before any work: 65,536 characters are a sum of some 20,000 terms, read in 0.3 s.
MAX_LENGTH = 65_536
# Exact constants (`2**3000`) are followed up to this many bits; a power beyond is an error, so `9**9**9` cannot hang.
MAX_BITS = 20_000

_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow", ast.MatMult: "matmul", ast.Mod: "remainder",
    ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne",
    ast.And: "logical_and", ast.Or: "logical_or", ast.BitAnd: "logical_and", ast.BitOr: "logical_or",
    ast.USub: "neg", ast.Not: "logical_not",
}  # fmt: skip
_CONSTANTS = {"pi": "pi", "e": "e", "E": "e"}
_INFINITIES = ("inf", "oo", "infinity")
# How Python names what we do not read, in the words of the message.
_REFUSED = {
    "Lambda": "a lambda", "ListComp": "a comprehension", "GeneratorExp": "a comprehension", "SetComp": "a comprehension",
    "DictComp": "a comprehension", "Dict": "a dict", "Set": "a set", "Await": "await", "Yield": "yield", "JoinedStr": "an f-string",
    "NamedExpr": "an assignment inside an expression", "Starred": "unpacking", "Import": "an import", "ImportFrom": "an import",
    "FunctionDef": "a function definition", "ClassDef": "a class definition", "For": "a loop", "While": "a loop", "Delete": "del",
    "With": "a with block", "If": "an if block", "Try": "a try block", "AugAssign": "an augmented assignment", "Raise": "raise",
}  # fmt: skip

_Frame: TypeAlias = "tuple[list[ast.expr], list[int], Callable[[list[int]], int]]"


class _Step(NamedTuple):
    """What a syntax node needs first, and how its own node is built from that."""

    children: list[ast.expr]
    build: Callable[[list[int]], int]


@cache
def parse(text: str, conditions: frozenset[str] = frozenset()) -> Program:
    """The program that `text` states: assignments and a last expression.

    Args:
        conditions: names that stand for comparisons, as in the partials of `where`.
    Raises:
        ProgramError: with every mistake found, each with its place in the text.
    """
    text = textwrap.dedent(text.expandtabs()).strip() if "\n" in text else text.strip()
    if len(text) > MAX_LENGTH:
        raise ProgramError([Mistake("too-long", f"the program has {len(text):,} characters; {MAX_LENGTH:,} are accepted")])
    if not text:
        raise ProgramError([Mistake("empty", "there is no expression", help="give one, such as `sin(x)**2`")])
    reader = _Reader(text, conditions)
    result = reader.read(_tree(text))
    if reader.mistakes:
        raise ProgramError(dict.fromkeys(reader.mistakes))
    return pruned(Program(tuple(reader.builder.nodes), (result,), text, reader.spans, reader.names))


def _tree(text: str) -> ast.Module:
    """Python's syntax tree, built on a stack deep enough for a sum of 20,000 terms."""
    found: list[ast.Module | Exception] = []

    def work() -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found.append(ast.parse(text))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            found.append(error)

    limit, stack = sys.getrecursionlimit(), threading.stack_size(256 * 2**20)
    sys.setrecursionlimit(max(limit, 100_000))
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        sys.setrecursionlimit(limit)
        threading.stack_size(stack)
    if isinstance(found[0], Exception):
        raise _syntax(text, found[0]) from found[0]
    return found[0]


def _syntax(text: str, error: Exception) -> ProgramError:
    if isinstance(error, RecursionError | MemoryError) or "too many nested" in str(error):
        return ProgramError([Mistake("too-deep", "the program is nested too deeply", help="name parts of it: `y = ...; f(y)`")])
    if not isinstance(error, SyntaxError):
        return ProgramError([Mistake("syntax", f"the text cannot be read: {error}")])
    lines = text.splitlines(keepends=True)
    row = min(max((error.lineno or 1) - 1, 0), len(lines) - 1)
    start = sum(len(line) for line in lines[:row]) + max((error.offset or 1) - 1, 0)
    start = min(start, len(text))
    width = (error.end_offset or 0) - (error.offset or 0) if error.end_lineno == error.lineno else 1
    reason = re.sub(r" Perhaps you.*| Maybe you.*|\s*\(<unknown>.*", "", error.msg)
    return ProgramError([Mistake("syntax", f"this is not an expression: {reason}", text, Span(start, start + max(width, 1)))])


class _Reader:
    """Walks Python's syntax tree with a stack of its own and collects every mistake on the way."""

    def __init__(self, text: str, conditions: frozenset[str]) -> None:
        self.text = text
        self.conditions = conditions
        self.builder = Builder()
        self.spans: dict[int, Span] = {}
        self.names: dict[int, str] = {}
        self.mistakes: list[Mistake] = []
        self.assigned: dict[str, int] = {}
        self.exact: dict[int, Fraction] = {}
        self.lines = [0]
        for line in text.split("\n"):
            self.lines.append(self.lines[-1] + len(line) + 1)

    def read(self, tree: ast.Module) -> int:
        """Index of the program's value."""
        result = 0
        for statement in tree.body:
            if isinstance(statement, ast.Expr):
                result = self.number(self.expression(statement.value))
            elif isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
                result = self.assign(statement.targets[0], self.number(self.expression(statement.value)))
            else:
                self.refuse(statement)
        return result

    def assign(self, target: ast.Name, value: int) -> int:
        if target.id in _CONSTANTS or target.id in _INFINITIES:
            self.mistake("reserved-name", f"`{target.id}` is a constant and cannot be assigned", target)
        self.assigned[target.id] = value
        self.names.setdefault(value, target.id)
        return value

    def expression(self, root: ast.expr) -> int:
        """Index of the node for `root`; an explicit stack, so depth costs nothing."""
        step = self.visit(root)
        stack: list[tuple[_Step, list[int], ast.expr]] = [(step, [], root)]
        while True:
            step, values, node = stack[-1]
            if len(values) < len(step.children):
                child = step.children[len(values)]
                stack.append((self.visit(child), [], child))
                continue
            stack.pop()
            index = step.build(values)
            self.spans.setdefault(index, self.span(node))
            if not stack:
                return index
            stack[-1][1].append(index)

    def visit(self, node: ast.expr) -> _Step:
        """What `node` needs first, and how it is built."""
        match node:
            case ast.Constant():
                return _leaf(self.literal(node))
            case ast.Name():
                return _leaf(self.name(node))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return _Step([operand], lambda values: self.number(values[0]))
            case ast.UnaryOp(op=ast.USub() | ast.Not() as op, operand=operand):
                return _Step([operand], lambda values: self.call(_OPERATORS[type(op)], values, node=node))
            case ast.BinOp(op=op, left=left, right=right) if type(op) in _OPERATORS:
                return _Step([left, right], lambda values: self.call(_OPERATORS[type(op)], values, node=node))
            case ast.BoolOp(op=op, values=parts):
                return _Step(parts, lambda values: self.fold(_OPERATORS[type(op)], values, node))
            case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in _OPERATORS for op in ops):
                return _Step([left, *others], lambda values: self.compare(ops, values, node))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return _Step([test, body, orelse], lambda values: self.call("where", values, node=node))
            case ast.List(elts=elts) | ast.Tuple(elts=elts) if elts:
                return _Step(elts, lambda values: self.call("stack", values, settings={"dim": 0}, node=node))
            case ast.Subscript(value=value, slice=key):
                return self.subscript(node, value, key)
            case ast.Attribute():
                return self.attribute(node)
            case ast.Call():
                return self.function(node)
        self.refuse(node)
        return _leaf(self.builder.number(0))

    def literal(self, node: ast.Constant) -> int:
        try:
            value = constant(node, self.text[slice(*self.span(node))])
        except BadCall as error:
            self.mistake(error.code, str(error), node)
            value = 0
        if not isinstance(value, int | Fraction) or isinstance(value, bool):
            self.mistake("unsupported-syntax", f"`{node.value!r}` is not a number", node)
            value = 0
        decimal = isinstance(value, Fraction)
        index = self.builder.number(value, decimal=decimal)
        if not decimal:
            self.exact[index] = Fraction(value)
        return index

    def name(self, node: ast.Name) -> int:
        if node.id in self.assigned:
            return self.assigned[node.id]
        if node.id in _CONSTANTS:
            return self.builder.call(_CONSTANTS[node.id])
        if node.id in _INFINITIES:
            return self.builder.number(float("inf"))
        if node.id in ("nan", "NaN", "I", "j"):
            self.mistake("unknown-name", f"`{node.id}` is not a number one can differentiate at", node)
        return self.builder.variable(node.id)

    def attribute(self, node: ast.Attribute) -> _Step:
        path = dotted(node)
        bare = strip_prefix(path) if path and path[0] not in self.assigned else None
        if bare in _CONSTANTS or bare in _INFINITIES:
            return _leaf(self.name(ast.Name(bare)))
        if node.attr in ("T", "mT"):
            return _Step([node.value], lambda values: self.call("transpose", values, node=node))
        self.mistake("unknown-attribute", f"there is no attribute `{node.attr}`", node, help="`.T` and methods such as `.sum()` are known")
        return _leaf(self.builder.number(0))

    def subscript(self, node: ast.Subscript, value: ast.expr, key: ast.expr) -> _Step:
        try:
            where = key_of(key)
        except BadCall as error:
            self.mistake(error.code, str(error), error.node or key, help=error.help)
            where = ()
        return _Step([value], lambda values: self.call("getitem", values, settings={"key": where}, node=node))

    def function(self, node: ast.Call) -> _Step:
        try:
            bound = bind(node, self.text, self.span, frozenset(self.assigned))
        except BadCall as error:
            self.mistake(error.code, str(error), error.node or node.func, help=error.help)
            children = [*node.args, *(keyword.value for keyword in node.keywords)]
            return _Step([c for c in children if not isinstance(c, ast.Constant)], lambda values: self.builder.number(0))
        if bound.fold:
            return _Step(bound.args, lambda values: self.fold(bound.function, values, node))

        def build(values: list[int]) -> int:
            padded = values + [self.default(value) for value in bound.defaults]
            return self.call(bound.function, padded, settings=bound.settings, node=node)

        return _Step(bound.args, build)

    def default(self, value: object) -> int:
        if isinstance(value, int | Fraction | float):
            return self.builder.number(value, decimal=isinstance(value, Fraction))
        raise TypeError(f"a default that is not a number: {value!r}")

    def fold(self, function: str, values: list[int], node: ast.expr) -> int:
        result = values[0]
        for value in values[1:]:
            result = self.call(function, [result, value], node=node)
        return result

    def compare(self, ops: list[ast.cmpop], values: list[int], node: ast.expr) -> int:
        links = [self.call(_OPERATORS[type(op)], values[i : i + 2], node=node) for i, op in enumerate(ops)]
        return self.fold("logical_and", links, node)

    def call(self, function: str, values: list[int], *, node: ast.expr, settings: dict[str, object] | None = None) -> int:
        row = lookup(function)
        kinds = [parameter.kind for parameter in row.parsed.args]
        args = [
            self.condition(value, node) if i < len(kinds) and kinds[i] == "condition" else self.number(value)
            for i, value in enumerate(values)
        ]
        literal = self.builder.nodes[args[0]] if function == "neg" else None
        if isinstance(literal, Number):
            # -1 is a literal to everyone but Python's grammar.
            index = self.builder.number(-literal.value, decimal=literal.decimal)
            if args[0] in self.exact:
                self.exact[index] = -self.exact[args[0]]
            return index
        index = self.builder.call(function, *args, settings=tuple(sorted((settings or {}).items())))  # type: ignore[arg-type]
        self.follow(index, function, args, node)
        return index

    def is_condition(self, index: int) -> bool:
        node = self.builder.nodes[index]
        if isinstance(node, Call):
            return lookup(node.function).condition
        return isinstance(node, Variable) and node.name in self.conditions

    def number(self, index: int) -> int:
        """`index`, or 1 and 0 for true and false where a number is asked for."""
        if not self.is_condition(index):
            return index
        return self.builder.call("where", index, self.builder.number(1), self.builder.number(0))

    def condition(self, index: int, node: ast.expr) -> int:
        if not self.is_condition(index):
            self.mistake("not-a-condition", "a comparison is needed here, such as `x > 0`", node)
            return self.builder.call("gt", index, self.builder.number(0))
        return index

    def follow(self, index: int, function: str, args: list[int], node: ast.expr) -> None:
        """Keep exact constants exact, and refuse a power of constants that no machine can hold."""
        if function not in ("add", "sub", "mul", "div", "pow", "neg") or not all(i in self.exact for i in args):
            return
        values = [self.exact[i] for i in args]
        if function == "pow":
            bits = max(values[0].numerator.bit_length(), values[0].denominator.bit_length())
            if values[1].denominator != 1:
                return
            if abs(values[1]) * max(bits - 1, 0) > MAX_BITS:
                self.mistake("too-large", f"this constant has more than {MAX_BITS:,} bits", node)
                return
        exact = _exact(function, values)
        if exact is not None and max(exact.numerator.bit_length(), exact.denominator.bit_length()) <= 2 * MAX_BITS:
            self.exact[index] = exact

    def span(self, node: ast.AST) -> Span:
        start = self.offset(getattr(node, "lineno", 1), getattr(node, "col_offset", 0))
        return Span(start, self.offset(getattr(node, "end_lineno", 1), getattr(node, "end_col_offset", 1)))

    def offset(self, line: int, column: int) -> int:
        """Characters before a place that Python counts in UTF-8 bytes."""
        start = self.lines[min(line, len(self.lines)) - 1]
        if self.text.isascii():
            return start + column
        return start + len(self.text[start : start + column].encode()[:column].decode(errors="ignore"))

    def refuse(self, node: ast.AST) -> None:
        kind = type(node).__name__
        self.mistake("unsupported-syntax", f"{_REFUSED.get(kind, f'this syntax ({kind})')} is not part of the language", node)

    def mistake(self, code: str, message: str, node: ast.AST, help: str = "") -> None:  # noqa: A002 - `help` is what the printed line is called
        self.mistakes.append(Mistake(code, message, self.text, self.span(node), help))


def _leaf(index: int) -> _Step:
    return _Step([], lambda _: index)


def _exact(function: str, values: list[Fraction]) -> Fraction | None:
    try:
        match function:
            case "add":
                return values[0] + values[1]
            case "sub":
                return values[0] - values[1]
            case "mul":
                return values[0] * values[1]
            case "div":
                return values[0] / values[1]
            case "neg":
                return -values[0]
            case _:
                return Fraction(values[0] ** int(values[1]))
    except ZeroDivisionError:
        return None
