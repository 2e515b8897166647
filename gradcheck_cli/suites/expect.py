"""What `expect` holds: an outcome, the value, and partial derivatives."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from gradcheck_cli.records.outcome import OUTCOMES
from gradcheck_cli.suites.document import ListNode, MapNode, ScalarNode
from gradcheck_cli.suites.expected import ExpectedPartial, Interval
from gradcheck_cli.suites.kinds import Choice, Entry, Kind, Many
from gradcheck_cli.suites.mappings import ByShape, Key, KeyMap, NameMap
from gradcheck_cli.suites.numerals import NUMERAL, Numeral, TensorNumeral, is_rectangular

if TYPE_CHECKING:
    from gradcheck_cli.records.json_schema import Schema
    from gradcheck_cli.suites.document import Document, YamlNode
    from gradcheck_cli.suites.expected import Wanted

_INFINITE = re.compile(r"([-+]?)\.?inf", re.IGNORECASE)
_ELEMENT = re.compile(r"([^\W\d][\w.]*)(?:\[\s*([0-9]{1,9}(?:\s*,\s*[0-9]{1,9})*)\s*\])?")


@dataclass(frozen=True)
class IntervalEnds(Kind):
    """The two ends of an interval."""

    words: str = "a list of two numbers"

    def schema(self) -> Schema:
        """An array of two."""
        return {"type": "array", "prefixItems": [NUMERAL, NUMERAL], "items": False, "minItems": 2}

    def read(self, node: YamlNode, where: str, document: Document) -> Interval | None:
        """The interval."""
        if not isinstance(node, ListNode) or len(node.items) != 2:
            self.refuse(node, where, document)
            return None
        ends = [_end(item, sign, document) for item, sign in zip(node.items, "-+", strict=True)]
        if "bad" in ends:
            return None
        low, high = ends
        if low is not None and high is not None and not low.value <= high.value:
            order = f"{low.text} is above {high.text}"
            message = f"the low end of an interval comes first, and {order}"
            document.add_mistake("bad-range", message, node)
            return None
        return Interval(low, high)


def _end(node: YamlNode, sign: str, document: Document) -> Any:
    """A number, None for an end at infinity; "bad" once the mistakes in it are told."""
    infinite = _INFINITE.fullmatch(node.text) if isinstance(node, ScalarNode) else None
    if infinite and (infinite[1] or "+") == sign:
        return None
    return Numeral().read(node, "an end of an interval", document) or "bad"


# fmt: off
_INTERVAL = KeyMap("an interval", (
    Key("interval", IntervalEnds(), "The low and the high end, both included; -inf and inf for none.", "interval: [0, 1]"),
))
# fmt: on


@dataclass(frozen=True)
class Target(Kind):
    """A number, an interval, or nested lists of these."""

    words: str = "a number, an interval, or nested lists of these"

    def schema(self) -> Schema:
        """A name for what `definition` says."""
        return {"$ref": "#/$defs/expected"}

    def definition(self) -> Schema:
        """All forms."""
        lists = {"type": "array", "minItems": 1, "items": self.schema()}
        return {
            "description": "A number or a text such as pi/4, an interval, or nested lists of "
            "these. For a tensor, one that stands alone holds for every element.",
            "anyOf": [*NUMERAL["anyOf"], _INTERVAL.schema(), lists],
        }

    def read(self, node: YamlNode, where: str, document: Document) -> Wanted | None:
        """What is wanted."""
        value = self._inner(node, where, document)
        is_good = value is not None and is_rectangular(value, node, where, document)
        return value if is_good else None

    def _inner(self, node: YamlNode, where: str, document: Document) -> Any:
        if isinstance(node, ListNode) and node.items:
            items = [self._inner(item, where, document) for item in node.items]
            return None if any(item is None for item in items) else items
        if isinstance(node, MapNode) and node.entries:
            entries = _INTERVAL.read(node, where, document)
            return entries["interval"].value if entries and "interval" in entries else None
        if not isinstance(node, ScalarNode) or node.type not in ("number", "text"):
            self.refuse(node, where, document)
            return None
        return TensorNumeral().read(node, where, document)


_OUTCOME = Choice("unknown-outcome", "outcome", OUTCOMES, "the name of an outcome")
_OUTCOMES = Many(_OUTCOME, "an outcome or a list of outcomes", single=True)
# fmt: off
_RECORD = KeyMap(
    "`expect`",
    (
        Key("outcome", _OUTCOMES, "The outcome, or a list of those that are accepted."),
        Key("value", Target(), "The program's value: a number, an interval, or nested lists."),
        Key("partials", NameMap(Target()), "Partial derivatives: for an input `x` or an element `W[0,1]` a number, an interval, or nested lists."),
    ),
    some=True,
    otherwise="the derivative by an input stands under `partials`: `expect: {partials: {x: 6}}`",
)
# fmt: on
EXPECT = ByShape("the name of an outcome or a mapping", scalar=_OUTCOME, mapping=_RECORD)


def outcomes_of(expect: Any) -> tuple[str, ...]:
    """The outcomes that an `expect` accepts; none where it says nothing of them."""
    if isinstance(expect, str):
        return (expect,)
    entry: Entry | None = expect.get("outcome")
    return tuple(dict.fromkeys(entry.value or ())) if entry else ()


def partial_of(name: str, wanted: Any) -> ExpectedPartial | None:
    """A key of `partials` with its value; None where it names neither an input nor an element."""
    match = _ELEMENT.fullmatch(normalize("NFKC", name).strip())
    if not match:
        return None
    index = tuple(map(int, match[2].split(","))) if match[2] else None
    return ExpectedPartial(match[1], index, wanted)
