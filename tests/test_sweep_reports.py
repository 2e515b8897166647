"""What a sweep is told as: every format, and the schema that its JSON holds to."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest
from jsonschema import Draft202012Validator

from gradcheck_cli.reports import FORMATS
from gradcheck_cli.reports.schema import report_schema, sweep_schema
from gradcheck_cli.reports.sweeps.facts import more_stretches

WHOLE = Draft202012Validator(sweep_schema())
LINE = Draft202012Validator({"$defs": report_schema()["$defs"], "$ref": "#/$defs/jsonl_line"})
# Outcomes of all kinds in few points: kinks, a domain's edge, lost digits, a wrong formula.
SWEPT = {
    "kinks": ["relu(x - 1) + abs(x)", "--over", "x=all"],
    "edge": ["sqrt(x - y)", "--over", "x=0:2", "--at", "y=1"],
    "lost": ["tanh(x)", "--over", "x=4:8"],
    "wrong": ["x*detach(x)", "--over", "x=1:3"],
    "open": ["floor(x)", "--over", "x=8388608:8400000"],
}
DTYPES = {"open": "float32"}


@pytest.fixture(scope="module")
def told(tool, tmp_path_factory):
    """The report of a sweep in a format."""
    known = {}

    def tell(name, form):
        if (name, form) not in known:
            dtype = DTYPES.get(name, "float16")
            words = ["sweep", *SWEPT[name], "--dtype", dtype, "-f", form, "-j", "1"]
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
    words = ["sweep", *SWEPT["open"], "--dtype", DTYPES["open"], "-j", "1", "-q"]
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


def test_a_zero_is_wrong_where_a_number_of_full_length_would_be_right(tool, tmp_path):
    """An underflow that leaves no digit is `wrong` down to the smallest normal number, and
    `imprecise` below, where a number is subnormal; `agree` where 0 is the nearest.
    """
    words = ["sweep", "1/x**2", "--over", "x=1.3e10:1e20", "--dtype", "bfloat16", "-f", "json"]
    (sweep,) = json.loads(tool.run(words, folder=tmp_path).stdout)["sweeps"]
    (wrong,), (imprecise,) = (
        [span for span in sweep["spans"] if span["outcome"] == name]
        for name in ("wrong", "imprecise")
    )
    normal, nearest = 2.0**-126, 2.0**-134
    assert 2 / wrong["high"] ** 3 >= normal > 2 / imprecise["low"] ** 3
    assert imprecise["first"] == wrong["last"] + 1
    assert 2 / imprecise["high"] ** 3 > nearest
    assert sum(sweep["outcomes"].values()) == sweep["points"]


def test_numbers_of_sixteen_bits_are_checked_singly_by_the_thousand(tool, tmp_path):
    """Where torch answers NaN and the truth is beyond any float64."""
    words = ["sweep", "exp(x)/(1+exp(x))", "--over", "x=89:1e16", "--dtype", "bfloat16"]
    (sweep,) = json.loads(tool.run([*words, "-f", "json"], folder=tmp_path).stdout)["sweeps"]
    assert sweep["outcomes"] == {"wrong": sweep["points"]}
    assert sweep["points"] > 4_096


def test_every_number_of_sixteen_bits_is_settled(tool, tmp_path):
    """Where the truth jumps at every number there is no bulk."""
    words = ["sweep", "ceil(x)", "--over", "x=256:3e38", "--dtype", "bfloat16", "--timeout", "600"]
    (sweep,) = json.loads(tool.run([*words, "-f", "json"], folder=tmp_path).stdout)["sweeps"]
    assert sweep["outcomes"] == {"undefined": sweep["points"]}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["x**2", "--over", "x=0:1", "--cotangent", "nan"], "error[not-finite]: the cotangent weighs the elements of the result: its numbers are finite\n"),
        (["x**2", "--over", "x=0:1", "--cotangent", "[1,2]"], "error[shape-mismatch]: the cotangent has shape (2,), the result ()\n"),
        (["x**2", "--over", "x=0:1", "--cotangent", "1e300"], "error[out-of-range]: `cotangent` = 1e300 is beyond the largest float16, 65504\n"),
        (["x*y", "--over", "x=0:1", "--at", "y=1e300"], "error[out-of-range]: `y` = 1e300 is beyond the largest float16, 65504\n"),
        (["x*y", "--over", "x=0:1", "--at", "y=nan"], "error[not-finite]: `y` is fixed in a sweep: nan is no finite number\n"),
        (["x*y", "--over", "x=0:1", "--at", "y=[1,2]"], "error[bad-point]: `y` is fixed in a sweep: it takes one number\n  = help: ranges are given by `--over`\n"),
        (["x", "--over", "x=0:1:5", "--points", "7"], "error[conflicting-options]: `--over` says how many points there are, and so does `--points`\n  = help: leave one of the two out\n"),
        (["x*y", "--over", "x=0:1:5,y=0:1:4", "--points", "7"], "error[conflicting-options]: `--over` says how many points there are, and so does `--points`\n  = help: leave one of the two out\n"),
        (["x*y", "--over", "x=0:1:5,y=0:1", "--points", "7"], "error[bad-range]: a count of points is given of some ranges only\n  = help: give all of them, such as x=0:1:100,y=0:1:50, or `--points`\n"),
        (["x", "--over", "x"], "error[bad-point]: `x` is not of the form NAME=VALUE\n  | x\n  | ^\n  = help: for example `--over x=-4:4`\n"),
        (["x", "--over", ""], "error[bad-point]: NAME=VALUE is missing here\n  | \n  | ^\n  = help: for example `--over x=-4:4`\n"),
    ],
)  # fmt: skip
def test_what_is_asked_is_known_to_fit_before_a_part_is_made(tool, tmp_path, words, message):
    """Whole texts, with the exit code of wrong input."""
    assert tool.ran(tmp_path, "sweep", *words, "--dtype", "float16") == (2, "", message)


def test_all_of_float64_is_too_much(tool, tmp_path):
    """And the way out is one that the command has."""
    message = (
        "error[too-large]: float64 has 18,437,736,874,454,810,624 numbers: they cannot all be swept\n"
        "  = help: say how many: `--points 1000000`\n"
    )
    assert tool.ran(tmp_path, "sweep", "x", "--over", "x=all") == (2, "", message)


def test_an_answer_that_is_nan_is_no_number_of_ulps_off(tool, tmp_path):
    """The column of the worst says so without a unit."""
    words = ["sweep", "exp(x)/exp(x)", "--over", "x=80:100", "--dtype", "bfloat16"]
    _, out, _ = tool.ran(tmp_path, *words)
    assert " nan " in out
    assert "nan ulp" not in out


@pytest.mark.parametrize(
    ("number", "words"), [(1, "1 more stretch"), (1234, "1,234 more stretches")]
)
def test_one_stretch_is_one(number, words):
    """As people count."""
    assert more_stretches(number) == words
