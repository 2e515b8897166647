"""What a sweep is told as: every format, and the schema that its JSON holds to."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest
from jsonschema import Draft202012Validator

from gradcheck_cli.reports import FORMATS
from gradcheck_cli.reports.schema import report_schema, sweep_schema

WHOLE = Draft202012Validator(sweep_schema())
LINE = Draft202012Validator({"$defs": report_schema()["$defs"], "$ref": "#/$defs/jsonl_line"})
# Outcomes of all kinds in few points: kinks, a domain's edge, lost digits, a wrong formula.
SWEPT = {
    "kinks": ["relu(x - 1) + abs(x)", "--over", "x=all"],
    "edge": ["sqrt(x - y)", "--over", "x=0:2", "--at", "y=1"],
    "lost": ["tanh(x)", "--over", "x=4:8"],
    "wrong": ["x*detach(x)", "--over", "x=1:3"],
    "open": ["floor(x)", "--over", "x=1024:60000"],
}


@pytest.fixture(scope="module")
def told(tool, tmp_path_factory):
    """The report of a sweep in a format."""
    known = {}

    def tell(name, form):
        if (name, form) not in known:
            words = ["sweep", *SWEPT[name], "--dtype", "float16", "-f", form, "-j", "1"]
            known[name, form] = tool.run(words, folder=tmp_path_factory.getbasetemp()).stdout
        return known[name, form]

    return tell


def document(told, name):
    """A sweep as JSON."""
    return json.loads(told(name, "json"))


@pytest.mark.parametrize("name", SWEPT)
def test_the_json_holds_to_its_schema(told, name):
    """The whole, and each part as a line."""
    WHOLE.validate(document(told, name))
    for line in told(name, "jsonl").splitlines():
        record = json.loads(line)
        LINE.validate(record)
        assert record["sweep"] is not None


@pytest.mark.parametrize("name", SWEPT)
def test_the_points_add_up(told, name):
    """Those of all outcomes are all, and stretches hold as many as are counted."""
    (sweep,) = document(told, name)["sweeps"]
    assert sum(sweep["outcomes"].values()) == sweep["points"] == sweep["total"]
    spans = {}
    for span in sweep["spans"]:
        spans[span["outcome"]] = spans.get(span["outcome"], 0) + span["points"]
        assert span["points"] <= span["last"] - span["first"] + 1
        assert span["whole"] == (span["points"] == span["last"] - span["first"] + 1)
    spans |= {"not settled": sum(span["points"] for span in sweep["unsettled"])}
    counted = {**sweep["outcomes"], "agree": 0}
    assert {k: v for k, v in spans.items() if v} == {k: v for k, v in counted.items() if v}


def lies(sweep):
    """The sweep with one thing changed each."""
    for key in sweep:
        for lie in (None, [True]):
            if lie is not None or key not in ("written", "low", "high"):
                changed = deepcopy(sweep)
                changed[key] = lie
                yield key, changed


def test_the_schema_sees_every_lie(told):
    """A key of another type, and one that is missing."""
    whole = document(told, "lost")
    (sweep,) = whole["sweeps"]
    for key, changed in lies(sweep):
        assert not WHOLE.is_valid(whole | {"sweeps": [changed]}), key
        del changed[key]
        assert not WHOLE.is_valid(whole | {"sweeps": [changed]}), key
    part = json.loads(told("lost", "jsonl").splitlines()[0])
    for key, changed in lies(part["sweep"]):
        assert not LINE.is_valid(part | {"sweep": changed}), key


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_tells_what_is_wrong(told, form):
    """The outcome and the reason, that of the worst point."""
    text = told("wrong", form)
    assert "wrong" in text
    assert "has no derivative for" in text


def test_what_is_not_settled_does_not_pass(tool, tmp_path):
    """Jumps at more points than are checked one by one."""
    words = ["sweep", *SWEPT["open"], "--dtype", "float16", "-j", "1", "-q"]
    done = tool.run(words, folder=tmp_path)
    assert done.returncode == 4
    assert "not settled" in done.stdout


def test_a_part_without_a_verdict_is_told(tool, tmp_path):
    """In the formats that put parts together, too."""
    words = ["sweep", "lgamma(x)*digamma(x)", "--over", "x=all", "--dtype", "bfloat16"]
    for form in ("table", "json", "markdown", "csv"):
        done = tool.run([*words, "--timeout", "0.01", "-f", form], folder=tmp_path)
        assert done.returncode == 3
        assert "the check has taken longer than 0.01 s" in done.stdout


def test_whole_numbers_of_ulps_are_counted_for_every_known_point(tool, tmp_path):
    """An infinity that is right is the nearest number, and no row of another kind."""
    words = ["sweep", "1/x", "--over", "x=all", "--dtype", "bfloat16", "-f", "json"]
    (sweep,) = json.loads(tool.run(words, folder=tmp_path).stdout)["sweeps"]
    counted = sum(sum(row["points"]) for row in sweep["histogram"])
    assert sweep["outcomes"] == {"undefined": 2, "agree": 65_278}
    assert sweep["points"] - sweep["alone"] <= counted + 2 <= sweep["points"]
    assert all(sum(row["points"][4:]) == 0 for row in sweep["histogram"])
    assert sweep["worst"]["agree"]["ulps"] < 2


def test_a_part_of_right_infinities_alone_agrees(tool, tmp_path):
    """Nothing of it is further off than anything else."""
    words = ["sweep", "exp(x)", "--over", "x=1024:1040", "--dtype", "float32", "-f", "json"]
    (sweep,) = json.loads(tool.run(words, folder=tmp_path).stdout)["sweeps"]
    assert sweep["outcomes"] == {"agree": sweep["points"]}
    assert (sweep["alone"], sweep["worst"]["agree"]["ulps"]) == (0, 0.0)


def test_what_is_left_open_is_looked_into(tool, tmp_path):
    """torch answers NaN where float16 has few numbers in a period: that is counted, not left out."""
    words = ["sweep", "sinc(x)", "--over", "x=all", "--dtype", "float16", "-f", "json"]
    done = tool.run(words, folder=tmp_path)
    (sweep,) = json.loads(done.stdout)["sweeps"]
    assert done.returncode == 1
    assert sweep["outcomes"]["wrong"] > 0
    assert sum(sweep["outcomes"].values()) == sweep["points"]
    assert not sweep["worst"]["wrong"]["partial"]["reason"].startswith(tuple("0123456789"))


@pytest.mark.parametrize("command", ["sweep", "hunt"])
def test_a_range_of_no_input_is_told_as_one(tool, tmp_path, command):
    """And nothing is said of options that nobody gave."""
    code, _, err = tool.ran(tmp_path, command, "tanh(x)", "--over", "y=0:1")
    assert code == 2
    assert err.count("error[") == 2
    assert "`--over` gives `y`, which is not an input of the program" in err
    assert "for example `--over x=-4:4`" in err


def test_the_worst_point_is_the_worst_that_remains(tool, tmp_path):
    """On either side of 0 the same, though stretches of one turn out otherwise when points are tried."""
    found = []
    for over in ("x=-2e13:-5e9", "x=5e9:2e13"):
        words = ["sweep", "1/x**2", "--over", over, "--dtype", "bfloat16", "-f", "json"]
        (sweep,) = json.loads(tool.run(words, folder=tmp_path).stdout)["sweeps"]
        found.append({name: point["ulps"] for name, point in sweep["worst"].items()})
        assert sum(sweep["outcomes"].values()) == sweep["points"]
        assert "not settled" not in sweep["outcomes"]
    assert found[0] == found[1]
    assert found[0]["imprecise"] > 100


def test_numbers_of_sixteen_bits_are_checked_singly_by_the_thousand(tool, tmp_path):
    """Where torch answers NaN and the truth is beyond any float64."""
    words = ["sweep", "exp(x)/(1+exp(x))", "--over", "x=89:1e16", "--dtype", "bfloat16"]
    (sweep,) = json.loads(tool.run([*words, "-f", "json"], folder=tmp_path).stdout)["sweeps"]
    assert sweep["outcomes"] == {"wrong": sweep["points"]}
    assert sweep["points"] > 4_096
