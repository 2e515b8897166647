"""Text to Program, through Python's own grammar (`ast`), whitelisted; nothing is ever executed."""

from __future__ import annotations

import ast
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from gradcheck_cli.functions import lookup
from gradcheck_cli.language.calls import bind, dotted_name, index_key, strip_prefix
from gradcheck_cli.language.constants import SizeError, arithmetic, constant
from gradcheck_cli.language.errors import Mistake, NodeError, ProgramError, elide
from gradcheck_cli.language.program import (
    Builder,
    Call,
    Number,
    Program,
    Variable,
    in_reading_order,
)
from gradcheck_cli.language.source import Source, tidy
from gradcheck_cli.language.syntax import refusal, tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gradcheck_cli.language.errors import Span

# Longer texts are refused before any work: 65,536 characters are a sum of some 20,000 terms, read
# in 0.3 s.
MAX_LENGTH = 65_536
# More than this many mistakes at once help nobody.
MAX_MISTAKES = 20

_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow", ast.MatMult: "matmul", ast.Mod: "remainder",
    ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne",
    ast.And: "logical_and", ast.Or: "logical_or", ast.BitAnd: "logical_and", ast.BitOr: "logical_or",
    ast.USub: "neg", ast.Not: "logical_not", ast.Invert: "logical_not",
}  # fmt: skip
_CONSTANTS = {"pi": "pi", "e": "e", "E": "e"}
_INFINITIES = ("inf", "oo", "infinity")


class _Step(NamedTuple):
    """What a syntax node needs first, and how its own node is built from that."""

    children: Sequence[ast.expr]
    build: Callable[[list[int]], int]


@lru_cache(maxsize=1024)  # a long run reads programs without end
def parse(text: str, conditions: frozenset[str] = frozenset(), *, single: bool = False) -> Program:
    """The program that `text` states: assignments and a last expression.

    Args:
        conditions: names that stand for comparisons, as in the partials of `where`.
        single: accept one expression only, without assignments.
    Raises:
        ProgramError: with every mistake found, each with its place in the text.
    """
    if len(text) > MAX_LENGTH:
        text = text.strip()  # a file may end in many blank lines
    if len(text) > MAX_LENGTH:
        raise ProgramError(
            [
                Mistake(
                    "too-long",
                    f"the program has {len(text):,} characters; {MAX_LENGTH:,} are accepted",
                )
            ]
        )
    source = Source(tidy(text))
    found = tree(source).body if source.text else []
    if not found:
        raise ProgramError(
            [Mistake("empty", "there is no expression", help="give one, such as `sin(x)**2`")]
        )
    reader = _Reader(source, conditions)
    if single and not (len(found) == 1 and isinstance(found[0], ast.Expr)):
        raise ProgramError(
            [
                Mistake(
                    "unsupported-syntax",
                    "one expression is needed here, without assignments",
                    source.text,
                    source.span(found[0]),
                )
            ]
        )
    result = reader.read(found)
    if reader.mistakes:
        raise ProgramError(dict.fromkeys(reader.mistakes))
    return in_reading_order(
        Program(tuple(reader.builder.nodes), (result,), source.text, reader.spans, reader.names)
    )


class _Reader:
    """Walks Python's syntax tree with a stack of its own and collects every mistake on the way."""

    def __init__(self, source: Source, conditions: frozenset[str]) -> None:
        self.source = source
        self.conditions = conditions
        self.builder = Builder()
        self.spans: dict[int, Span] = {}
        self.names: dict[int, str] = {}
        self.mistakes: list[Mistake] = []
        self.assigned: dict[str, int] = {}
        self.exact: dict[int, Fraction] = {}

    def read(self, statements: list[ast.stmt]) -> int:
        """Index of the program's value."""
        result = 0
        for statement in statements:
            if isinstance(statement, ast.Expr):
                result = self.expression(statement.value)
                if statement is not statements[-1]:
                    self.mistake(
                        "unused-value",
                        "nothing is done with this value",
                        statement,
                        "name it: `y = ...`; put an expression of several lines in brackets",
                    )
            elif (
                isinstance(statement, ast.Assign)
                and len(statement.targets) == 1
                and isinstance(statement.targets[0], ast.Name)
            ):
                result = self.assign(statement.targets[0], self.expression(statement.value))
            else:
                self.refuse(statement)
                result = self.builder.number(0)
        return self.number(result)

    def assign(self, target: ast.Name, value: int) -> int:
        if target.id in _CONSTANTS or target.id in _INFINITIES:
            self.mistake(
                "reserved-name", f"`{target.id}` is a constant and cannot be assigned", target
            )
        self.assigned[target.id] = value
        self.names.setdefault(value, target.id)
        return value

    def expression(self, root: ast.expr) -> int:
        """Index of the node for `root`; an explicit stack, so depth costs nothing."""
        stack: list[tuple[_Step, list[int], ast.expr]] = [(self.visit(root), [], root)]
        while True:
            step, values, node = stack[-1]
            if len(values) < len(step.children):
                child = step.children[len(values)]
                stack.append((self.visit(child), [], child))
                continue
            stack.pop()
            index = step.build(values)
            if index not in self.spans:
                self.spans[index] = self.source.span(node)
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
            case ast.UnaryOp(op=op, operand=operand):
                return self.operation(_OPERATORS[type(op)], [operand])
            case ast.BinOp(op=op, left=left, right=right) if type(op) in _OPERATORS:
                return self.operation(_OPERATORS[type(op)], [left, right])
            case ast.BoolOp(op=op, values=parts):
                return _Step(parts, lambda values: self.fold(_OPERATORS[type(op)], values, parts))
            case ast.Compare(left=left, ops=ops, comparators=others) if all(
                type(op) in _OPERATORS for op in ops
            ):
                return _Step([left, *others], lambda values: self.compare(ops, values, node))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.operation("where", [test, body, orelse])
            case ast.List(elts=elts) | ast.Tuple(elts=elts) if elts:
                return self.operation("stack", elts, {"dim": 0})
            case ast.Subscript(value=value, slice=key):
                return self.subscript(value, key)
            case ast.Attribute():
                return self.attribute(node)
            case ast.Call():
                return self.function(node)
        self.refuse(node)
        return _leaf(self.builder.number(0))

    def operation(
        self, function: str, parts: Sequence[ast.expr], settings: Mapping[str, object] | None = None
    ) -> _Step:
        return _Step(parts, lambda values: self.call(function, values, parts, settings))

    def literal(self, node: ast.Constant) -> int:
        value: object = 0
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            self.mistake(
                "unsupported-syntax",
                f"`{elide('...' if node.value is ... else repr(node.value))}` is not a number",
                node,
            )
        else:
            try:
                value = constant(node, self.source.words)
            except NodeError as error:
                self.mistake(error.code, str(error), node)
        assert isinstance(value, int | Fraction)
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
            self.mistake(
                "unknown-name", f"`{node.id}` is not a number one can differentiate at", node
            )
        return self.builder.variable(node.id)

    def attribute(self, node: ast.Attribute) -> _Step:
        path = dotted_name(node)
        bare = strip_prefix(path) if path and path[0] not in self.assigned else None
        if bare in _CONSTANTS or bare in _INFINITIES:
            return _leaf(self.name(ast.Name(bare)))
        if node.attr in ("T", "mT"):
            return self.operation("transpose", [node.value], lookup("transpose").bound({}))
        self.mistake(
            "unknown-attribute",
            f"there is no attribute `{elide(node.attr)}`",
            node,
            "`.T` and methods such as `.sum()` are known",
        )
        return _leaf(self.builder.number(0))

    def subscript(self, value: ast.expr, key: ast.expr) -> _Step:
        try:
            where = index_key(key)
        except NodeError as error:
            self.mistake(error.code, str(error), error.node, error.help)
            where = ()
        return self.operation("getitem", [value], {"key": where})

    def function(self, node: ast.Call) -> _Step:
        try:
            bound = bind(node, self.source.words, self.assigned)
        except NodeError as error:
            self.mistake(error.code, str(error), error.node, error.help)
            # The rest is read all the same, for the mistakes in it.
            children = [*node.args, *(keyword.value for keyword in node.keywords)]
            return _Step(
                [c for c in children if c is not error.node and not isinstance(c, ast.Constant)],
                lambda _: self.builder.number(0),
            )
        if bound.fold:
            return _Step(bound.args, lambda values: self.fold(bound.function, values, bound.args))
        defaults = bound.defaults
        return _Step(
            bound.args,
            lambda values: self.call(
                bound.function,
                values + [self.default(d) for d in defaults],
                bound.args,
                bound.settings,
            ),
        )

    def default(self, value: object) -> int:
        if isinstance(value, int | Fraction | float):
            return self.builder.number(value, decimal=isinstance(value, Fraction))
        raise TypeError(f"a default that is not a number: {value!r}")

    def fold(self, function: str, values: list[int], parts: Sequence[ast.expr]) -> int:
        result = values[0]
        for value, part in zip(values[1:], parts[1:], strict=True):
            result = self.call(function, [result, value], [parts[0], part])
        return result

    def compare(self, ops: list[ast.cmpop], values: list[int], node: ast.expr) -> int:
        links = [
            self.call(_OPERATORS[type(op)], values[i : i + 2], [node, node])
            for i, op in enumerate(ops)
        ]
        return self.fold("logical_and", links, [node] * len(links))

    def call(
        self,
        function: str,
        values: list[int],
        parts: Sequence[ast.expr],
        settings: Mapping[str, object] | None = None,
    ) -> int:
        """Index of a call; `parts` are the places of its arguments, defaults apart."""
        wanted = [parameter.kind == "condition" for parameter in lookup(function).parsed.args]
        if True in wanted:
            args = [
                self.condition(value, parts[i]) if wanted[i] else self.number(value)
                for i, value in enumerate(values)
            ]
        else:
            args = [self.number(value) for value in values]
        literal = self.builder.nodes[args[0]] if function == "neg" else None
        if isinstance(literal, Number):
            # -1 is a literal to everyone but Python's grammar.
            index = self.builder.number(-literal.value, decimal=literal.decimal)
        else:
            index = self.builder.call(
                function, *args, settings=tuple(sorted(settings.items())) if settings else ()
            )  # type: ignore[arg-type]  # settings are checked where they are read
        if all(i in self.exact for i in args):
            self.follow(index, function, args, parts)
        return index

    def follow(self, index: int, function: str, args: list[int], parts: Sequence[ast.expr]) -> None:
        """Keep exact constants exact, and refuse what no machine can hold."""
        try:
            exact = arithmetic(function, *(self.exact[i] for i in args))
        except SizeError as error:
            self.mistake("too-large", str(error), _around(parts))
        except ZeroDivisionError:
            return
        else:
            if exact is not None:
                self.exact[index] = exact

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

    def condition(self, index: int, part: ast.expr) -> int:
        if not self.is_condition(index):
            self.mistake("not-a-condition", "a comparison is needed here, such as `x > 0`", part)
            return self.builder.call("gt", index, self.builder.number(0))
        return index

    def refuse(self, node: ast.AST) -> None:
        message, instead = refusal(node)
        self.mistake("unsupported-syntax", message, node, instead)

    def mistake(self, code: str, message: str, node: ast.AST, help: str = "") -> None:  # noqa: A002 - `help` is what the printed line is called
        self.mistakes.append(Mistake(code, message, self.source.text, self.source.span(node), help))
        if len(self.mistakes) > MAX_MISTAKES:
            last = self.mistakes.pop()
            more = Mistake(
                "too-many",
                f"there are more than {MAX_MISTAKES} mistakes; here is the next",
                last.text,
                last.span,
            )
            raise ProgramError([*dict.fromkeys(self.mistakes), more])


def _leaf(index: int) -> _Step:
    return _Step([], lambda _: index)


def _around(parts: Sequence[ast.expr]) -> ast.expr:
    """A node that stands from the first part to the last."""
    first, last = parts[0], parts[-1]
    return ast.Name(
        "",
        lineno=first.lineno,
        col_offset=first.col_offset,
        end_lineno=last.end_lineno,
        end_col_offset=last.end_col_offset,
    )
