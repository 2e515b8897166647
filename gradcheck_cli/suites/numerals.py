"""Kinds of numbers and tensors in a suite file: as YAML or as the command line writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradcheck_cli.language.constants import SizeError, decimal, nonfinite
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.questions.arrays import MAX_DIMENSIONS
from gradcheck_cli.questions.numbers import MAX_POINTS, Exact, Grid, NonFinite, read_value
from gradcheck_cli.suites.document import ListNode, ScalarNode
from gradcheck_cli.suites.kinds import SOME, Kind

if TYPE_CHECKING:
    from gradcheck_cli.questions.numbers import Nested
    from gradcheck_cli.records.json_schema import Schema
    from gradcheck_cli.suites.document import Document, YamlNode

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_GRID = re.compile(r"([^\[\](){}:]+):([^\[\](){}:]+):\s*([0-9]{1,7})\s*")

NUMERAL: Schema = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": SOME}]}
NESTED: Schema = {
    "description": "A number, a text such as pi/4 or [[1, 2], [3, 4]], or nested lists of these: "
    "a tensor.",
    "anyOf": [
        *NUMERAL["anyOf"],
        {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/tensor"}},
    ],
}


def numeral_shape(value: Any) -> tuple[int, ...] | None:
    """The shape of nested lists; None where rows of one level are not of equal length."""
    shape: list[int] = []
    level = [value]
    while isinstance(level[0], list):
        lengths = {len(item) if isinstance(item, list) else -1 for item in level}
        if len(lengths) > 1:
            return None
        shape.append(lengths.pop())
        level = [inner for item in level for inner in item]
        if not level:
            return tuple(shape)
    return None if any(isinstance(item, list) for item in level) else tuple(shape)


def read_numeral(node: ScalarNode, document: Document) -> Nested | Grid | None:
    """What a number says, or a text of the command line; None once its mistakes are told."""
    text = node.text
    try:
        if not node.style and _DECIMAL.fullmatch(text):
            value = decimal(text)
            return Exact(value, text, value == 0 and text.startswith("-"))
        special = nonfinite(text)
        return NonFinite(special, text) if special is not None else _grid(text) or read_value(text)
    except SizeError as error:
        document.add_mistake("too-large", str(error), node)
    except UserError as error:
        document.add_from(error.mistakes, node)
    return None


def _grid(text: str) -> Grid | None:
    """A grid; None for any other text, one with a mistake among them."""
    match = _GRID.fullmatch(text)
    if not match or not 1 <= int(match[3]) <= MAX_POINTS:
        return None
    try:
        start, stop = read_value(match[1]), read_value(match[2])
    except UserError:
        return None
    if not isinstance(start, Exact) or not isinstance(stop, Exact):
        return None
    return Grid(start, stop, int(match[3]))


@dataclass(frozen=True)
class Numeral(Kind):
    """One number, exact."""

    words: str = "a number"

    def schema(self) -> Schema:
        """A number or a text."""
        return NUMERAL

    def read(self, node: YamlNode, where: str, document: Document) -> Exact | None:
        """The number."""
        if not isinstance(node, ScalarNode) or node.type not in ("number", "text"):
            self.refuse(node, where, document)
            return None
        value = read_numeral(node, document)
        if isinstance(value, NonFinite):
            _refuse(value, node, document)
            return None
        if value is not None and not isinstance(value, Exact):
            kind = "a grid" if isinstance(value, Grid) else "a list"
            message = f"{where} must be {self.words}, not {kind}"
            document.add_mistake("bad-number", message, node)
            return None
        return value


@dataclass(frozen=True)
class TensorNumeral(Kind):
    """A number, or nested lists of numbers with rows of equal length.

    Attributes:
        infinite: infinities and NaN may be among them.
    """

    infinite: bool = False
    words: str = "a number or nested lists of numbers"

    def schema(self) -> Schema:
        """Nested arrays."""
        return {"$ref": "#/$defs/tensor"}

    def read(self, node: YamlNode, where: str, document: Document) -> Nested | None:
        """The number, or lists."""
        value = self._inner(node, where, document)
        return value if value is not None and is_rectangular(value, node, where, document) else None

    def _inner(self, node: YamlNode, where: str, document: Document) -> Any:
        if isinstance(node, ListNode) and node.items:
            items = [self._inner(item, where, document) for item in node.items]
            return None if any(item is None for item in items) else items
        if not isinstance(node, ScalarNode) or node.type not in ("number", "text"):
            self.refuse(node, where, document)
            return None
        value = read_numeral(node, document)
        if isinstance(value, Grid):
            document.add_mistake("bad-number", "a grid cannot stand here", node)
            return None
        special = None if self.infinite else first_nonfinite(value)
        if special is not None:
            _refuse(special, node, document)
            return None
        return value


def is_rectangular(value: Any, node: YamlNode, where: str, document: Document) -> bool:
    """Whether nested lists are a tensor with elements; if not, it is told."""
    shape = numeral_shape(value)
    if shape is None:
        document.add_mistake("ragged", f"the rows of {where} are not of equal length", node)
    elif 0 in shape:
        message = f"{where} has no elements: there is nothing to differentiate"
        document.add_mistake("empty-tensor", message, node)
    elif len(shape) > MAX_DIMENSIONS:
        message = f"{where} has {len(shape)} dimensions; {MAX_DIMENSIONS} are accepted"
        document.add_mistake("too-deep", message, node)
    else:
        return True
    return False


def exact_numbers(value: Nested) -> list[Exact]:
    """The finite numbers of nested lists, row-major."""
    return [item for item in _flat(value) if isinstance(item, Exact)]


def first_nonfinite(value: Nested | None) -> NonFinite | None:
    """The first infinity or NaN of nested lists; None if there is none."""
    numbers = [] if value is None else _flat(value)
    return next((item for item in numbers if isinstance(item, NonFinite)), None)


def infinite_scalars(node: YamlNode) -> list[ScalarNode]:
    """The scalars in a node that are an infinity or NaN as they stand."""
    if isinstance(node, ScalarNode):
        return [] if nonfinite(node.text) is None else [node]
    parts = node.items if isinstance(node, ListNode) else [v for _, v in node.entries.values()]
    return [scalar for each in parts for scalar in infinite_scalars(each)]


def _flat(value: Nested) -> list[Nested]:
    level = [value]
    while any(isinstance(item, list) for item in level):
        level = [inner for item in level for inner in (item if isinstance(item, list) else [item])]
    return level


def _refuse(value: NonFinite, node: YamlNode, document: Document) -> None:
    """Tell that a finite number is wanted."""
    document.add_mistake("bad-number", f"`{value.text}` is not a finite number", node)
