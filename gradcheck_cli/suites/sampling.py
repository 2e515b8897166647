"""Samples in a suite file: their distributions and what may be said of each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import prod
from typing import TYPE_CHECKING

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.constants import decimal
from gradcheck_cli.questions.numbers import MAX_POINTS, Exact
from gradcheck_cli.questions.points import Sample
from gradcheck_cli.suites.document import MapNode
from gradcheck_cli.suites.kinds import Choice, Kind, Many, Whole
from gradcheck_cli.suites.mappings import Key, KeyMap
from gradcheck_cli.suites.numerals import MAX_DIMENSIONS, Numeral

if TYPE_CHECKING:
    from gradcheck_cli.records.json_schema import Schema
    from gradcheck_cli.suites.document import Document, YamlNode
    from gradcheck_cli.suites.kinds import Entry

# A tensor with more elements is beyond what is proved (`worlds.scalars.MAX_NODES`).
MAX_ELEMENTS = 300_000
MAX_SEED = 2**63 - 1
COUNT = Key(
    "count",
    Whole("bad-count", 1, MAX_POINTS, f"a whole number from 1 to {MAX_POINTS:,}"),
    f"How many: 1 to {MAX_POINTS:,}.",
    "count: 10",
)
_LENGTH = Whole("bad-count", 1, MAX_ELEMENTS, f"a whole number from 1 to {MAX_ELEMENTS:,}")
_SEED = Key(
    "seed",
    Whole("bad-count", 0, MAX_SEED, f"a whole number from 0 to {MAX_SEED:,}"),
    "Seed of the draws; that of the run if it is missing.",
)
_SHAPE = Key(
    "shape",
    Many(_LENGTH, "a list of whole numbers"),
    "Shape of the tensor that each draw is; a single number if it is missing.",
)


@dataclass(frozen=True)
class Law:
    """A distribution: its two numbers, what they are where nothing is said, and what must hold of
    them.
    """

    low: str
    high: str
    default: tuple[str, str]
    says: str
    rule: str


LAWS = {
    "normal": Law("mean", "std", ("0", "1"), "Normally distributed numbers.", "`std` must be positive"),
    "uniform": Law("start", "stop", ("-1", "1"), "Numbers from `start` to `stop`, all equally likely.", "`start` must be less than `stop`"),
    "logspace": Law(
        "start", "stop", ("1e-3", "1e3"), "Numbers from `start` to `stop`, all magnitudes equally likely.", "`start` must be positive and less than `stop`"
    ),
}  # fmt: skip
_LAW = Choice("unknown-sample", "distribution", tuple(LAWS), "the name of a distribution")


@cache
def _record(name: str, *, shaped: bool) -> KeyMap:
    """The keys of a sample of one distribution."""
    law = LAWS[name]
    keys = (
        Key(
            "sample", Choice(_LAW.code, _LAW.noun, (name,), _LAW.words), law.says, f"sample: {name}"
        ),
        COUNT,
        _SEED,
        *((_SHAPE,) if shaped else ()),
        Key(law.low, Numeral(), f"{law.default[0]} if it is missing."),
        Key(law.high, Numeral(), f"{law.default[1]} if it is missing; {law.rule}."),
    )
    return KeyMap(f"a {name} sample", keys)


@dataclass(frozen=True)
class Sampled(Kind):
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
        found = _record(name, shaped=self.shaped).read(node, where, document)
        if (
            found is None
            or "count" not in found
            or any(entry.value is None for entry in found.values())
        ):
            return None
        return _sample(name, found, document)


def _sample(name: str, found: dict[str, Entry], document: Document) -> Sample | None:
    """The sample that the keys describe, if its shape and its numbers make sense."""
    law, shape = LAWS[name], found["shape"].value if "shape" in found else ()
    if len(shape) > MAX_DIMENSIONS or prod(shape) > MAX_ELEMENTS:
        document.add_mistake(
            "too-large",
            f"a draw has at most {MAX_ELEMENTS:,} elements and {MAX_DIMENSIONS} dimensions",
            found["shape"].node,
        )
        return None
    low, high = (
        found[key].value if key in found else Exact(decimal(text), text)
        for key, text in zip((law.low, law.high), law.default, strict=True)
    )
    for key, value in ((law.low, low), (law.high, high)):
        if abs(value.value) > DTYPES["float64"].largest:
            document.add_mistake(
                "out-of-range", f"`{key}` is beyond what a float64 holds", found[key].node
            )
            return None
    if not _sensible(name, float(low.value), float(high.value)):
        place = next(found[key].node for key in (law.high, law.low) if key in found)
        document.add_mistake(
            "bad-range",
            f"in a {name} sample {law.rule}; `{law.low}` is {low.text}, `{law.high}` is {high.text}",
            place,
        )
        return None
    return Sample(
        name,
        low,
        high,
        found["count"].value,
        shape,
        found["seed"].value if "seed" in found else None,
    )


def _sensible(name: str, low: float, high: float) -> bool:
    if name == "normal":
        return high > 0
    return low < high and (name == "uniform" or low > 0)
