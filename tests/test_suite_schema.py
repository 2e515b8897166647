"""The schema of suite files and their reader: what the one refuses the other refuses, over every
small change of a full example.
"""

from __future__ import annotations

import json
from collections import Counter
from copy import deepcopy

import pytest
from jsonschema import Draft202012Validator

from gradcheck_cli.language.errors import UserError
from gradcheck_cli.settings.values import Layer
from gradcheck_cli.suites.keys import CASE, DEFAULTS, MATRIX, SUITE, TOLERANCES
from gradcheck_cli.suites.read import read_suites
from gradcheck_cli.suites.schema import suite_schema

SCHEMA = suite_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
# Every key, and every form of a point and of an expectation.
HEAD = {
    "version": 1,
    "name": "everything",
    "defaults": {
        "tol": 1e-3,
        "timeout": 30,
        "strict": False,
        "tags": "smoke",
        "step": "2**-10",
        "modes": "create_graph",
        "matrix": {
            "dtype": "float32",
            "device": ["cpu", "all"],
            "exclude": [{"dtype": "float32", "device": "cuda:1"}],
        },
    },
    "cases": [{"expr": "x", "at": "x=1"}],
}
CASES = [
    {
        "id": "a.b_c-1",
        "expr": "x*y*z*w",
        "at": {
            "x": [1, 2.5, "pi/4"],
            "y": "0:1:3",
            "z": {"start": 0, "stop": "1", "count": 2},
            "w": {"sample": "uniform", "count": 2, "seed": 1, "start": 1, "stop": 2},
        },
        "wrt": ["x", "y"],
        "cotangent": 2,
        "matrix": {
            "dtype": ["float64", "float16"],
            "device": "cpu",
            "exclude": [{"dtype": ["float16"], "device": "cpu"}],
        },
        "tol": {"rtol": 1e-3, "atol": "1e-9"},
        "step": 0.5,
        "modes": ["forward", "vmap"],
        "tags": ["t-1", "_u"],
        "xfail": "because",
        "timeout": "0.5",
        "strict": True,
        "expect": {
            "outcome": ["agree", "wrong"],
            "value": {"interval": [0, "inf"]},
            "partials": {"x": 1, "y": {"interval": ["-inf", 2]}},
        },
    },
    {
        "expr": "W @ x",
        "at": [
            {"W": {"tensor": [[1, 2], ["3", 4]]}, "x": [[1, 2], [3, 4]]},
            "W=[[1, 2], [3, 4]], x=[1, 2]",
        ],
        "wrt": "W",
        "cotangent": [1, "1/2"],
        "dtype": ["float64"],
        "device": "cuda:1",
        "skip": "no such device",
        "expect": {
            "value": [5, {"interval": [0, 20]}],
            "partials": {"W[0,1]": 2, "W": [[1, 2], ["1/2", "1"]]},
        },
    },
    {
        "expr": "x*y",
        "at": {"sample": "normal", "count": 3, "mean": 0, "std": "1"},
        "order": 2,
        "expect": "agree",
    },
    {
        "expr": "sum(x)",
        "at": {
            "x": {"sample": "logspace", "count": 3, "shape": [2, 3], "start": 1e-3, "stop": 1e3}
        },
        "device": ["cpu", "cuda"],
        "jacobian": True,
        "claim": {"x": "2*x"},
        "seed": 3,
    },
    {
        "id": "swept",
        "expr": "x*y*z",
        "over": {"x": "-4:4", "y": "0:1"},
        "at": {"z": 2},
        "wrt": ["x"],
        "cotangent": 2,
        "dtype": ["float16"],
        "tags": ["t-1"],
        "skip": "because",
        "timeout": "0.5",
        "strict": True,
        "seed": 3,
        "expect": "agree",
    },
    {
        "function": "layers.norm:Rms.norm",
        "args": {
            "x": [[1, 2], ["1/2", 4]],
            "w.bias": "randn(2)",
            "n": 3,
            "keep": True,
            "mask": None,
            "how": "'mean'",
        },
        "wrt": ["x"],
        "spec": "x/n",
        "variants": ["large", "twice"],
        "repeat": 2,
        "expect": {"partials": {"w.bias[0]": 1}},
    },
    {"function": "a b/f.py:g", "args": {"x": 1.5}, "surrogate": "x**2"},
    {
        "function": "f:g",
        "args": {"x": 1.5},
        "backward-spec": "x**2",
        "variants": "none",
        "backward": "returned",
    },
    {"function": "f:g", "args": {"x": 1.5}, "twin": "f:h", "backward": "f:k"},
]
EXAMPLES = [HEAD, *({"version": 1, "cases": [case]} for case in CASES)]
# What stands in the place of a value, each in turn.
LIES = (None, True, 7, -1, "", "skip", "a b\n", [], ["x"], [[1, 2], [3]], {}, {"sample": "normal"})
# Codes of what the shape of the data alone decides, so that the schema must see it as well.
STRUCTURAL = {
    "missing-key",
    "unknown-key",
    "wrong-type",
    "conflicting-keys",
    "bad-version",
    "bad-id",
    "bad-tag",
    "unknown-dtype",
    "unknown-device",
    "bad-object",
}
STRUCTURAL |= {"unknown-outcome", "unknown-sample", "empty-text"}


def name_of(example):
    """What an example is called."""
    (case,) = example["cases"]
    return case.get("expr") or case["function"]


def paths(data, path=()):
    """Every place in a document below its root."""
    for key, value in (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    ):
        yield (*path, key)
        yield from paths(value, (*path, key))


def changed(example, path, change):
    """A copy of an example in which one place is changed."""
    data = deepcopy(example)
    holder = data
    for step in path[:-1]:
        holder = holder[step]
    change(holder, path[-1])
    return data


def renamed(holder, key):
    """A key with a slip of the pen."""
    holder[f"{key}z"] = holder.pop(key)


def put(value):
    """A change that puts a value in a place."""
    return lambda holder, key: holder.__setitem__(key, deepcopy(value))


def lies(example):
    """Every place of an example: deleted, renamed, doubled in a list, or with something else in it."""
    for path in paths(example):
        yield changed(example, path, lambda holder, key: holder.pop(key))
        yield changed(
            example,
            path,
            renamed
            if isinstance(path[-1], str)
            else lambda holder, key: holder.append(holder[key]),
        )
        for lie in LIES:
            yield changed(example, path, put(lie))


def codes(data):
    """Codes of what the reader finds wrong. JSON is YAML, and its texts stand in quotes."""
    try:
        read_suites([("a", json.dumps(data))], Layer(), Layer())
    except UserError as error:
        return {mistake.code for mistake in error.mistakes}
    return set()


def test_the_examples_are_read_and_have_every_key():
    """A key that is added to the tables is added here, or fails."""
    assert [list(VALIDATOR.iter_errors(example)) for example in EXAMPLES] == [[]] * len(EXAMPLES)
    assert [codes(example) for example in EXAMPLES] == [set()] * len(EXAMPLES)
    used = {step for path in paths(EXAMPLES) for step in path if isinstance(step, str)}
    assert {
        key.name for record in (SUITE, CASE, DEFAULTS, MATRIX, TOLERANCES) for key in record.keys
    } <= used


def verdicts(example, validator):
    """(data, whether the schema accepts it, codes of what the reader refuses it for) for every lie."""
    return ((data, validator.is_valid(data), codes(data)) for data in lies(example))


def disagree(valid, found):
    """Whether the schema refuses what the reader accepts, or accepts what the reader refuses for
    its structure.
    """
    return bool(found & STRUCTURAL) if valid else not found


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_reader_and_schema_agree_on_every_lie(example):
    """What the schema refuses the reader refuses, and what the reader refuses for its structure the
    schema refuses.
    """
    counts = Counter()
    for data, valid, found in verdicts(example, VALIDATOR):
        assert not disagree(valid, found), (found, data)
        counts[valid, bool(found)] += 1
    # Refused by both, accepted by both, and refused for its meaning alone: none of the three is
    # rare.
    assert min(counts[False, True], counts[True, False], counts[True, True]) >= 5


@pytest.mark.parametrize(
    ("path", "lie"),
    [
        (("properties", "cases", "items", "additionalProperties"), True),
        (("properties", "cases", "items", "properties", "expr", "type"), "number"),
        (("properties", "cases", "minItems"), 0),
        (("properties", "version", "maximum"), 9),
        (("$defs", "point", "anyOf", 1, "anyOf", 0, "anyOf", 0, "required"), ["sample"]),
    ],
)
def test_a_schema_that_lies_is_noticed(path, lie):
    """The comparison can fail in both directions."""
    schema = deepcopy(SCHEMA)
    holder = schema
    for step in path[:-1]:
        holder = holder[step]
    assert holder[path[-1]] != lie
    holder[path[-1]] = lie
    assert any(
        disagree(valid, found)
        for _, valid, found in verdicts(EXAMPLES[3], Draft202012Validator(schema))
    )


def test_the_schema_is_one_and_says_something_of_every_key():
    """For editors: each property carries a sentence."""
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["title"] == "gradcheck suite, version 1"
    silent = [
        name for name, says in properties(SCHEMA) if not says.get("description", "").endswith(".")
    ]
    assert silent == []


def properties(schema):
    """(name, schema) of every property at any depth."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {}).items()
        for value in schema.values():
            yield from properties(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from properties(value)


@pytest.mark.parametrize(
    "lie", [{**HEAD, "version": 2}, {**HEAD, "cases": []}, {**HEAD, "more": 1}]
)
def test_the_schema_can_refuse(lie):
    """It is no formality."""
    assert not VALIDATOR.is_valid(lie)
