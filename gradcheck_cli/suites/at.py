"""What `at` holds: for each input its values, ranges, samples and tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from gradcheck_cli.language.errors import UserError
from gradcheck_cli.questions.numbers import Grid, read_points
from gradcheck_cli.questions.points import Listed
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
from gradcheck_cli.suites.sampling import COUNT, Sampled

if TYPE_CHECKING:
    from gradcheck_cli.questions.points import Sample, Values
    from gradcheck_cli.records.json_schema import Schema
    from gradcheck_cli.suites.document import Document, YamlNode

_ONE_TENSOR = KeyMap(
    "a tensor",
    (
        Key(
            "tensor",
            TensorNumeral(),
            "One value: a tensor as nested lists.",
            "tensor: [[1, 2], [3, 4]]",
        ),
    ),
)
_RANGE = KeyMap(
    "a range",
    (
        Key("start", Numeral(), "The first number.", "start: 0"),
        Key("stop", Numeral(), "The last number, which is included.", "stop: 1"),
        COUNT,
    ),
)
_MAPPING = Variants((("tensor", _ONE_TENSOR), ("sample", Sampled(shaped=True)), ("start", _RANGE)))


@dataclass(frozen=True)
class Given:
    """A mapping of `at`: values for each input, or one sample that all inputs are drawn from
    together.
    """

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
        listed = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/tensor"}}
        says = "A number or a text such as pi/4 or 0:1:5; a list of values that are taken in turn; a tensor, a range or a sample."
        return {"description": says, "anyOf": [*NUMERAL["anyOf"], listed, _MAPPING.schema()]}

    def read(self, node: YamlNode, where: str, document: Document) -> Values | None:
        """The values in order."""
        if isinstance(node, MapNode):
            return _mapped(_MAPPING.read(node, where, document))
        if isinstance(node, ListNode) and node.items:
            return self._listed(node, where, document)
        if not isinstance(node, ScalarNode) or node.type not in ("number", "text"):
            self.refuse(node, where, document)
            return None
        value = read_numeral(node, document)
        if value is None or isinstance(value, Grid):
            return value
        return Listed((value,)) if is_rectangular(value, node, where, document) else None

    def _listed(self, node: ListNode, where: str, document: Document) -> Listed | None:
        """Values that are taken in turn, all of one shape."""
        kind = TensorNumeral()
        values = [kind.read(item, where, document) for item in node.items]
        found = [value for value in values if value is not None]
        if len(found) < len(values):
            return None
        shapes = [numeral_shape(value) for value in found]
        odd = next((i for i, shape in enumerate(shapes) if shape != shapes[0]), None)
        if odd is not None:
            message = f"the values of {where} are not of one shape: {shapes[0]} and {shapes[odd]}"
            document.add_mistake(
                "ragged",
                message,
                node.items[odd],
                "a list holds values that are taken in turn; one tensor is written `{tensor: [...]}`",
            )
            return None
        return Listed(tuple(found))


def _mapped(found: Any) -> Values | None:
    """What a mapping read by its own kind comes to."""
    if not isinstance(found, dict):
        return found  # type: ignore[no-any-return]  # a sample, or None
    if any(entry.value is None for entry in found.values()):
        return None
    if "tensor" in found:
        return Listed((found["tensor"].value,))
    return (
        Grid(found["start"].value, found["stop"].value, found["count"].value)
        if len(found) == len(_RANGE.keys)
        else None
    )


_INPUTS = Variants((("sample", Sampled(shaped=False)), ("", NameMap(Coordinate(), but="sample"))))


@dataclass(frozen=True)
class At(Kind):
    """The points of a case."""

    words: str = "a mapping of inputs, a list of such mappings, or a text such as `x=3, y=[1, 2]`"

    def schema(self) -> Schema:
        """One of three forms."""
        return {
            "anyOf": [
                {"$ref": "#/$defs/point"},
                {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/point"}},
            ]
        }

    def definition(self) -> Schema:
        """One mapping, or text."""
        return {
            "description": "A value for each input; the values multiply.",
            "anyOf": [{"type": "string", "pattern": "="}, _INPUTS.schema()],
        }

    def read(self, node: YamlNode, where: str, document: Document) -> tuple[Given, ...] | None:
        """One block of points for each mapping."""
        if isinstance(node, ListNode) and node.items:
            if all(isinstance(item, ScalarNode) and not is_text(item) for item in node.items):
                document.add_mistake(
                    "wrong-type",
                    f"{where} must be {self.words}, not a list of numbers",
                    node,
                    "name the input: `at: {x: [1, 2]}`",
                )
                return None
            blocks = [self._block(item, f"an item of {where}", document) for item in node.items]
        else:
            blocks = [self._block(node, where, document)]
        found = tuple(block for block in blocks if block is not None)
        return found if len(found) == len(blocks) else None

    def _block(self, node: YamlNode, where: str, document: Document) -> Given | None:
        if isinstance(node, ScalarNode) and is_text(node):
            return _from_text(node, document)
        if not isinstance(node, MapNode):
            self.refuse(node, where, document)
            return None
        found = _INPUTS.read(node, where, document)
        if found is None:
            return None
        if not isinstance(found, dict):
            return Given(node, {}, found)
        return Given(node, {normalize("NFKC", name): entry for name, entry in found.items()})


def _from_text(node: ScalarNode, document: Document) -> Given | None:
    """Points in the notation of the command line."""
    try:
        found = read_points([node.text])
    except UserError as error:
        document.add_from(error.mistakes, node)
        return None
    values = {
        name: value if isinstance(value, Grid) else Listed((value,))
        for name, value in found.items()
    }
    good = [
        is_rectangular(value[0], node, f"`{name}`", document)
        for name, value in values.items()
        if isinstance(value, Listed)
    ]
    return (
        Given(node, {name: Entry(node, node, value) for name, value in values.items()})
        if all(good)
        else None
    )
