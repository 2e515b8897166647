"""Nodes of a program under reading: conditions where wanted, exact constants, every mistake."""

from __future__ import annotations

import ast
from fractions import Fraction
from typing import TYPE_CHECKING

from gradcheck_cli.functions import lookup
from gradcheck_cli.language.constants import SizeError, arithmetic, constant
from gradcheck_cli.language.errors import Mistake, NodeError, ProgramError, elide
from gradcheck_cli.language.program import Builder, Call, Number, Variable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradcheck_cli.functions.row import SettingValue
    from gradcheck_cli.language.source import Source

# More than this many mistakes at once help nobody.
MAX_MISTAKES = 20


class Emitter:
    """Collects nodes and mistakes; `parts` are the places in the text that arguments come from."""

    def __init__(self, source: Source, conditions: frozenset[str]) -> None:
        self.source = source
        self.conditions = conditions
        self.builder = Builder()
        self.mistakes: list[Mistake] = []
        self.exact: dict[int, Fraction] = {}

    def literal(self, node: ast.Constant) -> int:
        """Index of a number as it is written."""
        value: SettingValue = 0
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            words = elide("..." if node.value is ... else repr(node.value))
            self.mistake("unsupported-syntax", f"`{words}` is not a number", node)
        else:
            try:
                value = constant(node, self.source.words)
            except NodeError as error:
                self.mistake(error.code, str(error), node)
        assert isinstance(value, int | Fraction)
        index = self.number(value)
        if isinstance(value, int):
            self.exact[index] = Fraction(value)
        return index

    def number(self, value: SettingValue) -> int:
        """Index of a number; a `Fraction` came from a decimal."""
        if isinstance(value, int | Fraction | float):
            return self.builder.number(value, decimal=isinstance(value, Fraction))
        raise TypeError(f"not a number: {value!r}")

    def fold(self, function: str, values: Sequence[int], parts: Sequence[ast.expr]) -> int:
        """Index of a binary function over several values, from the left."""
        result = values[0]
        for value, part in zip(values[1:], parts[1:], strict=True):
            result = self.call(function, [result, value], [parts[0], part])
        return result

    def call(
        self,
        function: str,
        values: Sequence[int],
        parts: Sequence[ast.expr],
        settings: Mapping[str, SettingValue] | None = None,
    ) -> int:
        """Index of a call; `parts` has no places for the defaults behind the arguments."""
        row = lookup(function)
        kinds = [parameter.kind for parameter in row.parsed.args]
        args = [
            self._condition(value, parts[i])
            if kinds[i : i + 1] == ["condition"]
            else self._masking(value)
            if kinds[i : i + 1] == ["mask"]
            else self.quantity(value)
            for i, value in enumerate(values)
        ]
        literal = self.builder.nodes[args[0]] if len(args) == 1 else None
        if isinstance(literal, Number) and row.operator == "-":
            # -1 is a literal to everyone but Python's grammar.
            index = self.builder.number(-literal.value, decimal=literal.decimal)
        else:
            rest = tuple(sorted(settings.items())) if settings else ()
            index = self.builder.call(function, *args, settings=rest)
        if all(i in self.exact for i in args):
            self._follow(index, row.operator, args, parts)
        return index

    def _follow(
        self, index: int, operator: str, args: list[int], parts: Sequence[ast.expr]
    ) -> None:
        """Keep exact constants exact, and refuse what no machine can hold."""
        try:
            exact = arithmetic(operator, *(self.exact[i] for i in args))
        except SizeError as error:
            self.mistake("too-large", str(error), _around(parts))
        except ZeroDivisionError:
            return
        else:
            if exact is not None:
                self.exact[index] = exact

    def is_condition(self, index: int) -> bool:
        """Whether a node is true or false."""
        node = self.builder.nodes[index]
        if isinstance(node, Call):
            return lookup(node.function).condition
        return isinstance(node, Variable) and node.name in self.conditions

    def quantity(self, index: int) -> int:
        """`index`, or 1 and 0 for true and false where a number is asked for."""
        if not self.is_condition(index):
            return index
        return self.builder.call("where", index, self.builder.number(1), self.builder.number(0))

    def _masking(self, index: int) -> int:
        """What a mask adds to a score: of a condition nothing where it holds, else -inf."""
        if not self.is_condition(index):
            return index
        zero, none = self.builder.number(0), self.builder.number(float("-inf"))
        return self.builder.call("where", index, zero, none)

    def _condition(self, index: int, part: ast.expr) -> int:
        if self.is_condition(index):
            return index
        self.mistake("not-a-condition", "a comparison is needed here, such as `x > 0`", part)
        return self.builder.call("gt", index, self.builder.number(0))

    def mistake(self, code: str, message: str, node: ast.AST, help: str = "") -> None:  # noqa: A002 - `help` is what the printed line is called
        """Keep a mistake with its place.

        Raises:
            ProgramError: there are too many of them.
        """
        text, span = self.source.text, self.source.span(node)
        self.mistakes.append(Mistake(code, message, text, span, help))
        if len(self.mistakes) > MAX_MISTAKES:
            message = f"there are more than {MAX_MISTAKES} mistakes; here is the next"
            self.mistakes[-1] = Mistake("too-many", message, text, span)
            raise ProgramError(dict.fromkeys(self.mistakes))


def _around(parts: Sequence[ast.expr]) -> ast.expr:
    """A node that stands from the first part to the last."""
    node = ast.copy_location(ast.Name(""), parts[0])
    node.end_lineno, node.end_col_offset = parts[-1].end_lineno, parts[-1].end_col_offset
    return node
