"""Text to Program, through Python's own grammar (`ast`), whitelisted; nothing is ever executed."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from gradcheck_cli.functions import constants, lookup, operators
from gradcheck_cli.language.answers import named_answer, numbered_answer
from gradcheck_cli.language.calls import bind, index_key
from gradcheck_cli.language.emit import Emitter
from gradcheck_cli.language.errors import Mistake, NodeError, ProgramError, elide
from gradcheck_cli.language.libraries import ATTRIBUTES, links, strip_prefix, unknown_prefix
from gradcheck_cli.language.program import Program, in_reading_order
from gradcheck_cli.language.source import Source, tidy
from gradcheck_cli.language.syntax import refusal, tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gradcheck_cli.functions.row import SettingValue
    from gradcheck_cli.language.errors import Span

# Longer texts are refused before any work: 65,536 characters are a sum of some 20,000 terms, read
# in 0.3 s.
MAX_LENGTH = 65_536

# fmt: off
_SIGNS: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.MatMult: "@", ast.Mod: "%", ast.USub: "-",
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.And: "and", ast.Or: "or", ast.BitAnd: "and", ast.BitOr: "or", ast.Not: "not", ast.Invert: "not",
}
# fmt: on
_INFINITIES = ("inf", "oo", "infinity")


def is_constant(name: str) -> bool:
    """Whether a name stands for a number of the language, so that no input may have it."""
    return name in constants() or name in _INFINITIES


def _function(op: ast.AST, arguments: int) -> str:
    """The function that a sign stands for."""
    return operators()[_SIGNS[type(op)], arguments]


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
        message = f"the program has {len(text):,} characters; {MAX_LENGTH:,} are accepted"
        raise ProgramError([Mistake("too-long", message)])
    source = Source(tidy(text))
    statements = tree(source).body if source.text else []
    if not statements:
        way_out = "give one, such as `sin(x)**2`"
        raise ProgramError([Mistake("empty", "there is no expression", help=way_out)])
    reader = Reader(source, conditions)
    if single and not (len(statements) == 1 and isinstance(statements[0], ast.Expr)):
        message = "one expression is needed here, without assignments"
        reader.emit.mistake("unsupported-syntax", message, statements[0])
        raise ProgramError(reader.emit.mistakes)
    result = reader.read(statements)
    if reader.emit.mistakes:
        raise ProgramError(dict.fromkeys(reader.emit.mistakes))
    nodes = tuple(reader.emit.builder.nodes)
    return in_reading_order(Program(nodes, (result,), source.text, reader.spans, reader.names))


def parse_names(text: str) -> tuple[Program, tuple[str, ...]]:
    """The program of a text whose outputs are its value and then the value of each name that it
    assigns, as it stands at the end; and these names.

    Raises:
        ProgramError: as `parse`.
    """
    source = Source(tidy(text))
    reader = Reader(source, frozenset())
    result = reader.read(tree(source).body)
    if reader.emit.mistakes:
        raise ProgramError(dict.fromkeys(reader.emit.mistakes))
    outputs = (result, *reader.assigned.values())
    nodes = tuple(reader.emit.builder.nodes)
    program = Program(nodes, outputs, source.text, reader.spans, reader.names)
    return in_reading_order(program), tuple(reader.assigned)


class Reader:
    """Walks Python's syntax tree with a stack of its own."""

    def __init__(self, source: Source, conditions: frozenset[str]) -> None:
        self.source = source
        self.emit = Emitter(source, conditions)
        self.spans: dict[int, Span] = {}
        self.names: dict[int, str] = {}
        self.assigned: dict[str, int] = {}

    def read(self, statements: list[ast.stmt]) -> int:
        """Index of the program's value."""
        result = 0
        for statement in statements:
            match statement:
                case ast.Expr(value=value):
                    result = self.expression(value)
                    if statement is not statements[-1]:
                        way_out = (
                            "name it: `y = ...`; put an expression of several lines in brackets"
                        )
                        message = "nothing is done with this value"
                        self.emit.mistake("unused-value", message, statement, way_out)
                case ast.Assign(targets=[ast.Name() as target], value=value):
                    result = self.assign(target, self.expression(value))
                case _:
                    result = self.refuse(statement)
        return self.emit.quantity(result)

    def assign(self, target: ast.Name, value: int) -> int:
        if is_constant(target.id):
            message = f"`{target.id}` is a constant and cannot be assigned"
            self.emit.mistake("reserved-name", message, target)
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
            index = self.kept(index)
            if not stack:
                return index
            stack[-1][1].append(index)

    def kept(self, index: int) -> int:
        """What stands for a node in those that are built of it: itself."""
        return index

    def visit(self, node: ast.expr) -> _Step:
        """What `node` needs first, and how it is built."""
        match node:
            case ast.Constant():
                return _leaf(self.emit.literal(node))
            case ast.Name():
                return _leaf(self.name(node))
            case ast.Subscript():
                return self.subscript(node)
            case ast.Attribute():
                return self.attribute(node)
            case ast.Call():
                return self.function(node)
        return self.operator(node) or _leaf(self.refuse(node))

    def operator(self, node: ast.expr) -> _Step | None:
        """The same for what is written with signs; None for anything else."""
        match node:
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return _Step([operand], lambda values: self.emit.quantity(values[0]))
            case ast.UnaryOp(op=op, operand=operand):
                return self.operation(_function(op, 1), [operand])
            case ast.BinOp(op=op, left=left, right=right) if type(op) in _SIGNS:
                return self.operation(_function(op, 2), [left, right])
            case ast.BoolOp(op=op, values=parts):
                return self.folding(_function(op, 2), parts)
            case ast.Compare(left=left, ops=ops, comparators=others):
                if all(type(op) in _SIGNS for op in ops):
                    return _Step([left, *others], lambda values: self.compare(ops, values, node))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.operation("where", [test, body, orelse])
            case ast.List(elts=[ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()) as test]):
                # Iverson's bracket: 1 where it holds, 0 elsewhere.
                return _Step([test], lambda values: self.emit.quantity(values[0]))
            case ast.List(elts=elts) | ast.Tuple(elts=elts) if elts:
                return self.operation("stack", elts, {"dim": 0})
        return None

    def operation(
        self,
        function: str,
        parts: Sequence[ast.expr],
        settings: Mapping[str, SettingValue] | None = None,
    ) -> _Step:
        return _Step(parts, lambda values: self.emit.call(function, values, parts, settings))

    def folding(self, function: str, parts: Sequence[ast.expr]) -> _Step:
        return _Step(parts, lambda values: self.emit.fold(function, values, parts))

    def compare(self, ops: list[ast.cmpop], values: list[int], node: ast.expr) -> int:
        """A chain of comparisons: each link holds."""
        pairs = [(_function(op, 2), values[i : i + 2]) for i, op in enumerate(ops)]
        holds = [self.emit.call(function, pair, [node, node]) for function, pair in pairs]
        return self.emit.fold("logical_and", holds, [node] * len(holds))

    def name(self, node: ast.Name) -> int:
        builder = self.emit.builder
        if node.id in self.assigned:
            return self.assigned[node.id]
        if node.id in constants():
            return builder.call(constants()[node.id])
        if node.id in _INFINITIES:
            return builder.number(float("inf"))
        if node.id in ("nan", "NaN", "I", "j"):
            message = f"`{node.id}` is not a number one can differentiate at"
            self.emit.mistake("unknown-name", message, node)
        return builder.variable(node.id)

    def attribute(self, node: ast.Attribute) -> _Step:
        try:
            answer = named_answer(node, self.assigned)
        except NodeError as refused:
            self.emit.mistake(refused.code, str(refused), refused.node, refused.help)
            return _leaf(self.emit.number(0))
        if answer is not None:
            return self.visit(answer)
        path = links(node)
        bare = strip_prefix(path) if path and path[0] not in self.assigned else None
        if bare is not None and is_constant(bare):
            return _leaf(self.name(ast.Name(bare)))
        if node.attr in ATTRIBUTES:
            settings = lookup("transpose").bound(ATTRIBUTES[node.attr])
            return self.operation("transpose", [node.value], settings)
        is_free = bool(path) and path[0] not in self.assigned
        if is_free and is_constant(path[-1]):
            error = unknown_prefix(node, path)
            self.emit.mistake(error.code, str(error), node, error.help)
            return _leaf(self.emit.number(0))
        message = f"there is no attribute `{elide(node.attr)}`"
        way_out = "`.T` and methods such as `.sum()` are known"
        self.emit.mistake("unknown-attribute", message, node, way_out)
        return _leaf(self.emit.number(0))

    def subscript(self, node: ast.Subscript) -> _Step:
        value, key = node.value, node.slice
        try:
            answer = numbered_answer(node, self.assigned)
            if answer is not None:
                return self.visit(answer)
            index = index_key(key)
        except NodeError as error:
            self.emit.mistake(error.code, str(error), error.node, error.help)
            index = ()
        return self.operation("getitem", [value], {"key": index})

    def function(self, node: ast.Call) -> _Step:
        emit = self.emit
        try:
            binding = bind(node, self.source.words, self.assigned)
        except NodeError as error:
            emit.mistake(error.code, str(error), error.node, error.help)
            # The rest is read all the same, for the mistakes in it.
            parts = [*node.args, *(keyword.value for keyword in node.keywords)]
            rest = [p for p in parts if p is not error.node and not isinstance(p, ast.Constant)]
            return _Step(rest, lambda _: emit.number(0))
        name, args, defaults = binding.function, binding.args, binding.defaults
        if binding.fold:
            return self.folding(name, args)

        def build(values: list[int]) -> int:
            return emit.call(
                name, values + [emit.number(d) for d in defaults], args, binding.settings
            )

        return _Step(args, build)

    def refuse(self, node: ast.AST) -> int:
        """A number in the place of what is not part of the language."""
        message, instead = refusal(node)
        self.emit.mistake("unsupported-syntax", message, node, instead)
        return self.emit.number(0)


def _leaf(index: int) -> _Step:
    return _Step([], lambda _: index)
