"""Law: indented JSON is, byte by byte, what the standard library writes."""

from __future__ import annotations

import json
from collections import Counter, namedtuple
from enum import StrEnum
from math import inf, nan
from random import Random

import pytest
from each import each

from gradcheck_cli.records import indented as module
from gradcheck_cli.records.indented import indented


class Word(StrEnum):
    ONE = "one"


Pair = namedtuple("Pair", "a, b")
TEXTS = [
    "",
    "a",
    "%s",
    "%",
    "{x}",
    'a "b"',
    "a\nb",
    "\\n",
    "é",
    "\x00",
    "\x7f",
    "\u2028",
    "[1]",
    ", ",
]
LEAVES = [None, True, False, 0, -7, 2**70, 0.1, -0.0, 1e300, 5e-324, Word.ONE, *TEXTS]
SHARED = {"abstained": "the same for all"}
# fmt: off
ODD = [
    {}, [], [[]], [{}], {"a": {}}, {"a": []}, [[], [1], []], [{}, {}, {"a": 1}], [{}, {}], [1, [2], {"a": 3}], [(1, 2), (3, 4)], (1, (2,)),
    [{"a": 1}, {"b": 1}], [{"a": 1, "b": 2}, {"b": 2, "a": 1}], [{"a": 1}, {"a": 1, "b": 2}], [{"a": 1}, 2],
    [Counter("aab"), Counter("ab")], [Counter("a"), {"a": 1}], {"a": Counter("aab")}, [Pair(1, 2), Pair(3, [4])],
    [{"a": SHARED, "b": k} for k in range(3)], [{"a": SHARED, "b": SHARED}] * 3, [SHARED, {"abstained": "x"}, SHARED],
    [{"a": [k] * k} for k in range(4)], [{"a": {"b": [{"c": k}]}} for k in range(3)], [{"a": {"b": k} if k % 2 else None} for k in range(4)],
    "text", 1.5, None, *LEAVES, LEAVES, [LEAVES, LEAVES], {text: text for text in TEXTS}, [dict.fromkeys(TEXTS, k) for k in range(3)],
]
# fmt: on


def drawn(random, depth=4):
    """Data of every form, with rows that are alike and some that are not."""
    form = random.random() if depth else 1
    if form < 0.25:
        return [drawn(random, depth - 1) for _ in range(random.randrange(5))]
    if form < 0.5:
        keys = random.sample(TEXTS, random.randrange(4))
        return {key: drawn(random, depth - 1) for key in keys}
    if form < 0.75:
        keys = random.sample(TEXTS, 3)
        rows = (
            [{key: drawn(random, depth - 2) for key in keys} for _ in range(7)] if depth > 1 else []
        )
        return [SHARED, *rows] if random.random() < 0.2 else rows
    return random.choice(LEAVES)


def expected(data):
    return json.dumps(data, indent=1, ensure_ascii=False)


@each("data", ODD)
def test_it_is_what_the_standard_library_writes(data):
    """Of rows that are alike, and of those that nearly are."""
    assert indented(data) == expected(data)


@pytest.mark.parametrize("block", [2, 3, 256])
def test_data_of_every_form(block, monkeypatch):
    """Also where a list is longer than what is written together."""
    monkeypatch.setattr(module, "_BLOCK", block)
    random = Random(block)  # noqa: S311 - data for a test
    for _ in range(300):
        data = drawn(random)
        assert indented(data) == expected(data)


@each("bad", [nan, inf, -inf, object(), {1}, b"a"])
def test_what_json_does_not_hold_is_refused(bad):
    """Wherever it stands."""
    for data in (bad, [bad], [1.0, bad], {"a": bad}, [{"a": 1.0}, {"a": bad}], [[1.0], [bad]]):
        with pytest.raises((TypeError, ValueError)):
            indented(data)
