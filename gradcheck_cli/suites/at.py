"""What `at` holds: for each input its values, ranges, samples and tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradcheck_cli.language.errors import UserError
from gradcheck_cli.questions.constructors import read_given
from gradcheck_cli.questions.numbers import Grid, read_points
from gradcheck_cli.questions.points import Listed, Sample
from gradcheck_cli.suites.document import ListNode, MapNode, ScalarNode
from gradcheck_cli.suites.kinds import Entry, Kind, is_text
from gradcheck_cli.suites.mappings import Key, KeyMap, NameMap, Variants
from gradcheck_cli.suites.numerals import (
    NUMERAL,
    Numeral,
    TensorNumeral,
    is_rectangular,
    numeral_shape,
    read_numeral,
)
from gradcheck_cli.suites.sampling import COUNT, SampleKind

if TYPE_CHECKING:
    from gradcheck_cli.questions.points import Values
    from gradcheck_cli.records.json_schema import Schema
    from gradcheck_cli.suites.document import Document, YamlNode

# fmt: off
_TENSOR = KeyMap("a tensor", (
    Key("tensor", TensorNumeral(infinite=True), "One value: a tensor as nested lists.", "tensor: [[1, 2], [3, 4]]"),
))
_RANGE = KeyMap("a range", (
    Key("start", Numeral(), "The first number.", "start: 0"),
    Key("stop", Numeral(), "The last number, which is included.", "stop: 1"),
    COUNT,
))
# fmt: on
_MAPPING = Variants((("tensor", _TENSOR), ("sample", SampleKind(shaped=True)), ("start", _RANGE)))


@dataclass(frozen=True)
class PointMapping:
    """A mapping of `at`: values for each input, or one sample that all are drawn from."""

    node: YamlNode
    entries: dict[str, Entry]
    joint: Sample | None = None


@dataclass(frozen=True)
class Coordinate(Kind):
    """The values of one input."""

    words: str = "a number, a text, a list or a mapping"

    def schema(self) -> Schema:
        """A name for what `definition` says."""
        return {"$ref": "#/$defs/values"}

    def definition(self) -> Schema:
        """All forms of values."""
        turns = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/tensor"}}
        return {
            "description": "A number or a text such as pi/4 or 0:1:5; a list of values that are "
            "taken in turn; a tensor, a range or a sample.",
            "anyOf": [*NUMERAL["anyOf"], turns, _MAPPING.schema()],
        }

    def read(self, node: YamlNode, where: str, document: Document) -> Values | None:
        """The values in order."""
        if isinstance(node, MapNode):
            return _values(_MAPPING.read(node, where, document))
        if isinstance(node, ListNode) and node.items:
            return self._turns(node, where, document)
        if not isinstance(node, ScalarNode) or node.type not in ("number", "text"):
            self.refuse(node, where, document)
            return None
        value = read_numeral(node, document)
        if value is None or isinstance(value, Grid | Sample):
            return value
        return Listed((value,)) if is_rectangular(value, node, where, document) else None

    def _turns(self, node: ListNode, where: str, document: Document) -> Listed | None:
        """Values that are taken in turn, all of one shape."""
        kind = TensorNumeral(infinite=True)
        values = [kind.read(item, where, document) for item in node.items]
        good = tuple(value for value in values if value is not None)
        if len(good) < len(values):
            return None
        shapes = [numeral_shape(value) for value in good]
        odd = next((i for i, shape in enumerate(shapes) if shape != shapes[0]), None)
        if odd is None:
            return Listed(good)
        message = f"the values of {where} are not of one shape: {shapes[0]} and {shapes[odd]}"
        tensor = "one tensor is written `{tensor: [...]}`"
        way_out = f"a list holds values that are taken in turn; {tensor}"
        document.add_mistake("ragged", message, node.items[odd], way_out)
        return None


def _values(entries: Any) -> Values | None:
    """What a mapping that its own kind has read comes to."""
    if not isinstance(entries, dict):
        return entries  # type: ignore[no-any-return]  # a sample, or None
    if any(entry.value is None for entry in entries.values()):
        return None
    if "tensor" in entries:
        return Listed((entries["tensor"].value,))
    if len(entries) < len(_RANGE.keys):
        return None
    return Grid(entries["start"].value, entries["stop"].value, entries["count"].value)


_INPUTS = Variants(
    (("sample", SampleKind(shaped=False)), ("", NameMap(Coordinate(), but="sample")))
)


@dataclass(frozen=True)
class PointsKind(Kind):
    """The points of a case."""

    words: str = "a mapping of inputs, a list of such mappings, or a text such as `x=3, y=[1, 2]`"

    def schema(self) -> Schema:
        """One point or several."""
        point = {"$ref": "#/$defs/point"}
        return {"anyOf": [point, {"type": "array", "minItems": 1, "items": point}]}

    def definition(self) -> Schema:
        """One mapping, or text."""
        return {
            "description": "A value for each input; the values multiply.",
            "anyOf": [{"type": "string", "pattern": "="}, _INPUTS.schema()],
        }

    def read(
        self, node: YamlNode, where: str, document: Document
    ) -> tuple[PointMapping, ...] | None:
        """One block of points for each mapping."""
        if not isinstance(node, ListNode) or not node.items:
            block = self._block(node, where, document)
            return None if block is None else (block,)
        if all(isinstance(item, ScalarNode) and not is_text(item) for item in node.items):
            message = f"{where} must be {self.words}, not a list of numbers"
            document.add_mistake("wrong-type", message, node, "name the input: `at: {x: [1, 2]}`")
            return None
        blocks = [self._block(item, f"an item of {where}", document) for item in node.items]
        good = tuple(block for block in blocks if block is not None)
        return good if len(good) == len(blocks) else None

    def _block(self, node: YamlNode, where: str, document: Document) -> PointMapping | None:
        if isinstance(node, ScalarNode) and is_text(node):
            return _from_text(node, document)
        if not isinstance(node, MapNode):
            self.refuse(node, where, document)
            return None
        inputs = _INPUTS.read(node, where, document)
        if inputs is None:
            return None
        if not isinstance(inputs, dict):
            return PointMapping(node, {}, inputs)
        return PointMapping(node, inputs)


def _from_text(node: ScalarNode, document: Document) -> PointMapping | None:
    """Points in the notation of the command line."""
    try:
        point = read_points([node.text], read_given)
    except UserError as error:
        document.add_from(error.mistakes, node)
        return None
    entries: dict[str, Entry] = {}
    good = True
    for name, value in point.items():
        if isinstance(value, Grid | Sample):
            entries[name] = Entry(node, node, value)
        else:
            good = is_rectangular(value, node, f"`{name}`", document) and good
            entries[name] = Entry(node, node, Listed((value,)))
    return PointMapping(node, entries) if good else None
