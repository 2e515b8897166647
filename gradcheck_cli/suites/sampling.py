"""Samples in a suite file: their distributions and what may be said of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from math import prod
from typing import TYPE_CHECKING

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.constants import decimal
from gradcheck_cli.questions.arrays import MAX_DIMENSIONS
from gradcheck_cli.questions.laws import LAWS, MAX_ELEMENTS, is_lawful
from gradcheck_cli.questions.numbers import MAX_POINTS, Exact
from gradcheck_cli.questions.points import Sample
from gradcheck_cli.suites.document import MapNode
from gradcheck_cli.suites.kinds import Choice, Kind, Many, Whole
from gradcheck_cli.suites.mappings import Key, KeyMap
from gradcheck_cli.suites.numerals import Numeral

if TYPE_CHECKING:
    from gradcheck_cli.records.json_schema import Schema
    from gradcheck_cli.suites.document import Document, YamlNode
    from gradcheck_cli.suites.kinds import Entry

MAX_SEED = 2**63 - 1


def _whole(least: int, most: int) -> Whole:
    return Whole("bad-count", least, most, f"a whole number from {least} to {most:,}")


# fmt: off
COUNT = Key("count", _whole(1, MAX_POINTS), f"How many: 1 to {MAX_POINTS:,}.", "count: 10")
_SEED = Key("seed", _whole(0, MAX_SEED), "Seed of the draws; that of the run if it is missing.")
_SHAPE = Key("shape", Many(_whole(1, MAX_ELEMENTS), "a list of whole numbers"), "Shape of the tensor that each draw is; a single number if it is missing.")
# fmt: on
_LAW = Choice("unknown-sample", "distribution", tuple(LAWS), "the name of a distribution")


@cache
def _record(name: str, *, shaped: bool) -> KeyMap:
    """The keys of a sample of one distribution."""
    law, choice = LAWS[name], replace(_LAW, names=(name,))
    keys = (
        Key("sample", choice, law.says, f"sample: {name}"),
        COUNT,
        _SEED,
        *((_SHAPE,) if shaped else ()),
        Key(law.low, Numeral(), f"{law.default[0]} if it is missing."),
        Key(law.high, Numeral(), f"{law.default[1]} if it is missing; {law.rule}."),
    )
    return KeyMap(f"a {name} sample", keys)


@dataclass(frozen=True)
class SampleKind(Kind):
    """A sample; `shaped` if its draws may be tensors."""

    shaped: bool
    words: str = "a mapping"

    def schema(self) -> Schema:
        """An object for each distribution."""
        return {"anyOf": [_record(name, shaped=self.shaped).schema() for name in LAWS]}

    def read(self, node: YamlNode, where: str, document: Document) -> Sample | None:
        """The sample, its seed None where none is given."""
        assert isinstance(node, MapNode)
        name = _LAW.read(node.entries["sample"][1], "`sample`", document)
        if name is None:
            return None
        entries = _record(name, shaped=self.shaped).read(node, where, document)
        if entries is None or any(entry.value is None for entry in entries.values()):
            return None
        return _sample(name, entries, document) if "count" in entries else None


def _sample(name: str, entries: dict[str, Entry], document: Document) -> Sample | None:
    """The sample that the keys describe, if its shape and its numbers make sense."""
    law, shape = LAWS[name], entries["shape"].value if "shape" in entries else ()
    if len(shape) > MAX_DIMENSIONS or prod(shape) > MAX_ELEMENTS:
        limits = f"{MAX_ELEMENTS:,} elements and {MAX_DIMENSIONS} dimensions"
        node = entries["shape"].node
        document.add_mistake("too-large", f"a draw has at most {limits}", node)
        return None
    low, high = (
        entries[key].value if key in entries else Exact(decimal(text), text)
        for key, text in zip((law.low, law.high), law.default, strict=True)
    )
    for key, value in ((law.low, low), (law.high, high)):
        if abs(value.value) > DTYPES["float64"].largest:
            message = f"`{key}` is beyond what a float64 holds"
            document.add_mistake("out-of-range", message, entries[key].node)
            return None
    if not is_lawful(name, float(low.value), float(high.value)):
        node = next(entries[key].node for key in (law.high, law.low) if key in entries)
        numbers = f"`{law.low}` is {low.text}, `{law.high}` is {high.text}"
        message = f"in a {name} sample {law.rule}; {numbers}"
        document.add_mistake("bad-range", message, node)
        return None
    seed = entries["seed"].value if "seed" in entries else None
    return Sample(name, low, high, entries["count"].value, shape, seed)
