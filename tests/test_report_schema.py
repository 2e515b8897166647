"""The schema of the JSON report: every report holds to it, and it sees every lie."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from shared_report import shared_report

from gradcheck_cli.records.outcome import OUTCOMES
from gradcheck_cli.records.report import Report
from gradcheck_cli.reports import jsonl
from gradcheck_cli.reports.json import document, render
from gradcheck_cli.reports.schema import report_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = report_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
# Format 1 as it was promised, key by key; typed here, not taken from a report.
PROMISED: dict[str, Any] = {
    "format": 1,
    "command": ["gradcheck", "..."],
    "exit_code": 0,
    "environment": {
        "gradcheck": "0.1.0",
        "python": "3.11.7",
        "torch": "2.13.0+cpu",
        "sympy": "1.14.0",
        "python_flint": "0.9.0",
        "platform": "...",
    },
    "summary": {"agree": 1},
    "cases": [
        {
            "id": None,
            "expression": "sigmoid(x**2)+tanh(x**3)",
            "dtype": "float64",
            "device": "cpu",
            "at": {"x": 3.0},
            "cotangent": 1.0,
            "outcome": "agree",
            "value": {"reference": 1.9998766054240138, "autograd": 1.9998766054240136},
            "partials": [
                {
                    "variable": "x",
                    "index": [],
                    "outcome": "agree",
                    "reason": "…",
                    "reference": {
                        "value": 0.0007402760985890935,
                        "digits": "7.4027609858909344737e-4",
                        "bits": 96,
                    },
                    "analytic": {"value": 0.0007402760985890935, "formula": "…", "latex": "…"},
                    "autograd": {
                        "value": 0.0007402760985895815,
                        "error": 4.9e-16,
                        "relative_error": 6.6e-13,
                        "ulps": 4501.3,
                        "tolerance": 1.1e-11,
                    },
                    "numeric": {"value": 0.000740276098589, "radius": 2.1e-15, "agrees": True},
                    "one_sided": None,
                }
            ],
            "reproduce": "gradcheck 'sigmoid(x**2)+tanh(x**3)' --at x=3",
        }
    ],
    "problems": [],
}
# Inputs are named by the user, and an outcome that no case came to is left out of the summary.
OPEN = {"at", "summary"}


def at(data: Any, path: tuple[Any, ...]) -> Any:
    """What stands at a path."""
    for step in path:
        data = data[step]
    return data


def paths(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document below its root."""
    items = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    for key, value in items:
        yield (*path, key)
        yield from paths(value, (*path, key))


def with_lie(data: Any, path: tuple[Any, ...], lie: Any) -> Any:
    """A copy that says something else in one place."""
    data = deepcopy(data)
    at(data, path[:-1])[path[-1]] = lie
    return data


def lie_for(value: Any) -> Any:
    """Something of a type that may not stand where `value` does."""
    return [True] if value is None or isinstance(value, str) else "lie"


def test_the_schema_is_one() -> None:
    """It keeps to its own dialect, and every reference in it leads somewhere."""
    Draft202012Validator.check_schema(SCHEMA)
    references = {part.split('"')[0] for part in json.dumps(SCHEMA).split('"$ref": "#/$defs/')[1:]}
    assert references <= set(SCHEMA["$defs"])
    assert set(SCHEMA["$defs"]) - references == {"jsonl_line"}


def test_every_field_is_described() -> None:
    """The schema is the format's documentation."""
    objects = [
        SCHEMA,
        *(d for d in SCHEMA["$defs"].values() if "properties" in d),
        *SCHEMA["$defs"]["case"]["properties"].values(),
    ]
    for found in objects:
        for name, field in found.get("properties", {}).items():
            told = field.get("description") or SCHEMA["$defs"].get(
                field.get("$ref", "").rpartition("/")[2], {}
            ).get("description")
            assert told or name in SCHEMA["properties"]["environment"]["properties"], name


def test_what_was_promised_holds() -> None:
    """The example of the contract, and the report that meets every outcome, nan, abstentions,
    tensors and a grid.
    """
    VALIDATOR.validate(PROMISED)
    VALIDATOR.validate(json.loads(render(shared_report())))
    VALIDATOR.validate(document(Report([], (), PROMISED["environment"])))


def test_a_line_of_jsonl_is_a_case() -> None:
    """And nothing else is."""
    line = Draft202012Validator({"$ref": "#/$defs/jsonl_line", "$defs": SCHEMA["$defs"]})
    for text in jsonl.render(shared_report()).splitlines():
        line.validate(json.loads(text))
    assert not line.is_valid(PROMISED)


def test_every_promised_key_is_required() -> None:
    """Any one left out is seen."""
    removed = 0
    for path in paths(PROMISED):
        if isinstance(path[-1], str) and (len(path) < 2 or path[-2] not in OPEN):
            lie = deepcopy(PROMISED)
            del at(lie, path[:-1])[path[-1]]
            assert not VALIDATOR.is_valid(lie), path
            removed += 1
    assert removed == 7 + 6 + 10 + 2 + 9 + 3 + 3 + 5 + 3


def test_unknown_keys_are_allowed_everywhere() -> None:
    """Additions are free."""
    data = json.loads(render(shared_report()))
    for path in [(), *paths(data)]:
        found = at(data, path)
        if isinstance(found, dict) and (not path or path[-1] not in (*OPEN, "environment")):
            found["added later"] = {"of": ["any", "kind"]}
    assert str(data).count("added later") > 50
    VALIDATOR.validate(data)


@pytest.mark.parametrize("position", range(19))
def test_a_value_of_another_type_is_seen(position: int) -> None:
    """In any place of any case."""
    data = json.loads(render(shared_report()))
    case = data["cases"][position]
    line = Draft202012Validator({"$ref": "#/$defs/jsonl_line", "$defs": SCHEMA["$defs"]})
    for path in paths(case):
        assert not line.is_valid(with_lie(case, path, lie_for(at(case, path)))), path
    for path in paths({**data, "cases": []}):
        assert not VALIDATOR.is_valid(with_lie(data, path, lie_for(at(data, path)))), path


@pytest.mark.parametrize(
    ("path", "lie"),
    [
        (("format",), 2),
        (("exit_code",), 6),
        (("summary",), {"fine": 1}),
        (("summary",), {"agree": 0}),
        (("cases", 0, "outcome"), "fine"),
        (("cases", 0, "partials"), []),
        (("cases", 0, "at", "x"), "NaN"),
        (("cases", 0, "at", "x"), None),
        (("cases", 0, "partials", 0, "outcome"), "Agree"),
        (("cases", 0, "partials", 0, "reason"), ""),
        (("cases", 0, "partials", 0, "index"), [-1]),
        (("cases", 0, "partials", 0, "numeric"), None),
        (("cases", 0, "partials", 0, "numeric"), {"abstained": ""}),
        (
            ("cases", 0, "partials", 0, "numeric"),
            {"abstained": "no", "value": 1.0, "radius": 0.0, "agrees": True},
        ),
        (("cases", 0, "partials", 0, "one_sided"), {"abstained": "no"}),
        (("cases", 0, "partials", 0, "autograd", "value"), "Infinity"),
    ],
)
def test_a_lie_is_seen(path: tuple[Any, ...], lie: Any) -> None:
    """Unknown outcomes, infinities by another name, nulls and opinions that both speak and abstain."""
    assert not VALIDATOR.is_valid(with_lie(PROMISED, path, lie))


def test_the_text_is_json_without_bare_nan() -> None:
    """Python's own reader would accept NaN; others do not."""

    def refuse(name: str) -> Any:
        raise ValueError(name)

    data = json.loads(render(shared_report()), parse_constant=refuse)
    assert "nan" in {
        partial["autograd"].get("value") for case in data["cases"] for partial in case["partials"]
    }
    with pytest.raises(ValueError, match="NaN"):
        json.loads(json.dumps(data).replace('"nan"', "NaN"), parse_constant=refuse)


def test_tensors_are_nested_lists() -> None:
    """The point, the cotangent (ones, if none was given) and the value have their shapes."""
    case = next(case for case in document(shared_report())["cases"] if case["id"] == "tensor")
    assert case["at"]["W"] == [[1.0, 2.0], [0.30000001192092896, 4.0]]
    assert case["cotangent"] == [[1.0, 1.0], [1.0, 1.0]]
    assert case["value"]["autograd"][0] == [1.0, 12.0]
    assert [partial["index"] for partial in case["partials"]] == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_the_schema_knows_the_outcomes() -> None:
    """All of them, worst first."""
    assert SCHEMA["$defs"]["outcome"]["enum"] == list(OUTCOMES)
