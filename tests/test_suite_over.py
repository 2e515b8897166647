"""`over:` in suites: what is swept in the place of a point."""

from __future__ import annotations

import json
from unicodedata import normalize

import pytest
from suites import written

from gradcheck_cli.language.errors import UserError
from gradcheck_cli.pytest_plugin.cases import read_cases
from gradcheck_cli.settings.table import settings_of

CASES = (
    "{id: near, expr: sigmoid(x), over: {x: '-4:-1'}, dtype: [float16, bfloat16], expect: agree}",
    "{id: line, expr: x*y, over: {x: '-1:1:100'}, at: {y: 2}}",
    "{id: pairs, expr: sin(x*y), over: {x: '-1:1:6', y: '0:1:5'}, wrt: [y, x]}",
    "{id: edge, expr: relu(x), over: {x: '-1:1'}, dtype: float16, expect: kink}",
    "{id: lost, expr: sigmoid(x), over: {x: '8:20'}, dtype: bfloat16, expect: agree}",
)


def swept(tool, folder, *cases, options=()):
    """The exit code, and the records by their ids."""
    written(folder, *cases)
    code, out, _ = tool.ran(folder, "run", ".", "-f", "json", "-j1", *options)
    return code, {record["id"].rpartition("::")[2]: record for record in json.loads(out)["cases"]}


def test_each_part_is_a_check(tool, tmp_path):
    """One for each dtype and partial; what is expected is held against the worst point."""
    code, records = swept(tool, tmp_path, *CASES)
    assert code == 1
    assert {name: record["status"] for name, record in records.items()} == {
        "near:float16": "pass",
        "near:bfloat16": "pass",
        "line": "pass",
        "pairs:1": "pass",
        "pairs:2": "pass",
        "edge": "pass",
        "lost": "fail",
    }
    sweeps = {name: record["sweep"] for name, record in records.items()}
    assert sweeps["line"]["outcomes"] == {"agree": 100}
    assert sweeps["line"]["over"] == {"x": "-1:1:100"}
    assert [sweeps[f"pairs:{k}"]["variable"] for k in (1, 2)] == ["y", "x"]
    assert [sweeps[f"pairs:{k}"]["points"] for k in (1, 2)] == [30, 30]
    # At 0 and at -0.
    assert sweeps["edge"]["outcomes"] == {"kink": 2, "agree": sweeps["edge"]["points"] - 2}
    assert records["lost"]["unmet"] == ["the outcome is imprecise, expected is agree"]


def test_a_part_runs_again_by_itself(tool, tmp_path):
    """By the command of its record."""
    _, records = swept(tool, tmp_path, *CASES)
    assert records["lost"]["reproduce"] == "gradcheck run suite.gradcheck.yaml -k ::lost"
    code, again = swept(tool, tmp_path, *CASES, options=("-k", "::lost"))
    assert (code, [*again]) == (1, ["lost"])
    assert again["lost"]["sweep"] == records["lost"]["sweep"]


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("{expr: x*y, over: {x: '4:-4'}, at: {y: 2}}", "error[bad-range]: a range goes from low to high"),
        ("{expr: x*y, over: {x: '-4:4'}}", "error[missing-value]: `at` gives no value for `y`"),
        ("{expr: x, over: {x: '-4:4'}, at: {x: 1}}", "error[duplicate-value]: `x` is swept and fixed"),
        ("{expr: x*y, over: {x: '-4:4'}, at: {y: [1, 2]}}", "error[bad-point]: `y` is fixed in a sweep: it takes one number"),
        ("{expr: x*y, over: {x: '-4:4'}, at: {y: {tensor: [1, 2]}}}", "error[bad-point]: `y` is fixed in a sweep: it takes one number"),
        ("{expr: x*y, over: {x: '-4:4'}, at: [{y: 1}, {y: 2}]}", "error[bad-point]: a sweep has one point beside it"),
        ("{expr: x, over: {x: '-4:4'}, tol: 1}", "error[conflicting-options]: `over` sweeps, which `tol` has no part in"),
        ("{expr: x, over: {x: '-4:4'}, order: 2}", "error[conflicting-options]: `over` sweeps, which `order` has no part in"),
        ("{expr: x, over: {x: '-4:4'}, jacobian: true}", "error[conflicting-options]: `over` sweeps, which `jacobian` has no part in"),
        ("{expr: x, over: {x: '-4:4'}, modes: forward}", "error[conflicting-options]: `over` sweeps, which `modes` has no part in"),
        ("{expr: x, over: {x: '-4:4'}, claim: dx = 1}", "error[conflicting-options]: `over` sweeps, which `claim` has no part in"),
        ("{expr: x, over: {x: '2:2'}}", "error[bad-range]: the two ends of this range are the same number"),
        ("{expr: µ, over: {µ: '-4:4', μ: all}}", "error[duplicate-key]: `μ` and `µ` are one name, as Python reads names"),
        ("{expr: µ*x, over: {µ: '-4:4'}, at: {μ: 2, x: 1}}", "error[duplicate-value]: `μ` is swept and fixed"),
        ("{expr: sum(x), over: {x: '-4:4'}}", "error[not-elementwise]: `sum(x)` is no program of numbers"),
        ("{expr: x, over: {x: 3}}", "error[wrong-type]: `x` must be a range such as \"-4:4\", \"0:1:1000\" or \"all\", not the number 3"),
        ("{expr: x, over: {x: all}}", "error[too-large]: float64 has 18,437,736,874,454,810,624 numbers: they cannot all be swept"),
        ("{expr: x, over: {x: '1:1e400'}, dtype: float32, wrt: [y]}", "error[unknown-input]: `wrt` names `y`, which is not an input of the program"),
    ],
)  # fmt: skip
def test_what_cannot_be_swept_is_told(tool, tmp_path, case, message):
    """At its place in the file, by `lint` too."""
    written(tmp_path, case)
    for command in ("run", "lint"):
        code, out, err = tool.ran(tmp_path, command, "suite.gradcheck.yaml")
        assert (code, out) == (2, "")
        assert message in [line.split(", for case")[0] for line in err.splitlines()]
        assert "--> suite.gradcheck.yaml:" in err


MIXED = (
    "{id: plain, expr: x**3, at: {x: 2}}",
    "{id: swept, expr: sin(x), over: {x: '-1:1:20'}}",
    "{id: other, expr: cos(x), over: {x: '-1:1:20'}, tags: bulk}",
    "{id: later, expr: cos(x), over: {x: '-1:1:20'}, skip: it takes long}",
)
# Settings of `run` that say how a point is checked, and that a sweep would leave unread.
UNREAD = {
    "order": "2",
    "jacobian": True,
    "rtol": "1e-3",
    "atol": "1",
    "step": "0.1",
    "modes": "forward",
}
# What sweeps take as other checks do.
TAKEN = ("wrt", "dtype", "device", "strict", "timeout", "seed")


def words(name, value):
    """An option."""
    return [f"--{name}"] if value is True else [f"--{name}", value]


def refused(name, cases=" (2 such cases)", way_out=""):
    """What is said of a setting that a sweep has no part in."""
    way_out = way_out or "leave it out, or the cases that sweep: `-k` and `-t` select others"
    return (
        f"error[conflicting-options]: `suite.gradcheck.yaml::swept` sweeps, which {name} has no part"
        f" in{cases}\n --> suite.gradcheck.yaml:4:5\n  = help: {way_out}\n"
    )


def test_every_setting_of_a_case_is_taken_by_a_sweep_or_refused():
    """A new one is put into one of the two lists of this file."""
    rows = [row.name for row in settings_of("run") if row.suite]
    assert sorted(rows) == sorted([*UNREAD, *TAKEN])


@pytest.mark.parametrize("name", UNREAD)
def test_an_option_that_a_sweep_leaves_unread_is_refused(tool, tmp_path, name):
    """Of selected cases that are not skipped, before anything is checked; by variables too."""
    written(tmp_path, *MIXED)
    option = words(name, UNREAD[name])
    assert tool.ran(tmp_path, "run", ".", *option) == (2, "", refused(f"`--{name}`"))
    assert tool.ran(tmp_path, "run", ".", "-t", "!bulk", *option) == (
        2,
        "",
        refused(f"`--{name}`", ""),
    )
    code, out, err = tool.ran(tmp_path, "run", ".", "-j1", "-k", "::plain", *option)
    assert (code in (0, 1), err.count("error[")) == (True, 0), out + err


def test_all_options_that_are_left_unread_are_told_at_once(tool, tmp_path):
    """In the order of the table."""
    written(tmp_path, *MIXED)
    names = [name for name in UNREAD if name != "order"]  # a Jacobian has none but the first
    options = [word for name in names for word in words(name, UNREAD[name])]
    told = "".join(refused(f"`--{name}`") for name in names)
    assert tool.ran(tmp_path, "run", ".", *options) == (2, "", told)


def test_what_asks_for_what_a_sweep_does_is_no_conflict(tool, tmp_path):
    """On the command line, in a case that undoes what `defaults` say, and over the configuration."""
    neutral = ("--order", "1", "--no-jacobian", "--modes", "reverse")
    code, records = swept(tool, tmp_path, *MIXED, options=neutral)
    assert (code, records["swept"]["status"]) == (0, "pass")
    case = (
        "{id: swept, expr: sin(x), over: {x: '-1:1:20'}, order: 1, jacobian: false, modes: reverse}"
    )
    written(tmp_path, case, head="defaults: {order: 2, modes: forward}")
    assert tool.ran(tmp_path, "run", ".", "-j1")[0] == 0
    (tmp_path / "gradcheck.toml").write_text("order = 2\nmodes = 'forward'\n")
    written(tmp_path, case)
    assert tool.ran(tmp_path, "run", ".", "-j1")[0] == 0


def test_the_configuration_is_refused_where_a_sweep_leaves_it_unread(tool, tmp_path, monkeypatch):
    """As options are; by pytest too."""
    path = written(tmp_path, *MIXED)
    (tmp_path / "gradcheck.toml").write_text("rtol = 1e-3\n")
    way_out = "leave it out: suites say it in `defaults`, or case by case"
    said = refused("`rtol` of the configuration", way_out=way_out)
    assert tool.ran(tmp_path, "run", ".") == (2, "", said)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        read_cases(path, tmp_path, lambda: ["cpu"])
    assert f"{caught.value}\n" == said


@pytest.mark.parametrize("key", ["tol: 1e-3", "order: 2", "step: 0.1", "modes: forward"])
def test_defaults_are_refused_where_a_sweep_leaves_them_unread(tool, tmp_path, key):
    """For each case that sweeps."""
    written(tmp_path, *MIXED, head=f"defaults: {{{key}}}")
    code, out, err = tool.ran(tmp_path, "lint", ".")
    message = f"`over` sweeps, which `{key.partition(':')[0]}` has no part in"
    assert (code, out, err.count(f"error[conflicting-options]: {message}")) == (2, "", 3)


@pytest.mark.parametrize("name", ["ｘ", "µ", "ﬁ", "x₁"])
def test_names_are_read_as_in_the_program(tool, tmp_path, name):
    """NFKC, whichever way the program and the ranges write them; on the command line too."""
    plain = normalize("NFKC", name)
    cases = [
        f"{{expr: sin({a})*{c}, over: {{{b}: '-1:1:20'}}, at: {{{d}: 2}}}}"
        for a, b, c, d in (
            (name, name, "ﬂ", "ﬂ"),
            (plain, name, "fl", "ﬂ"),
            (name, plain, "ﬂ", "fl"),
        )
    ]
    code, records = swept(tool, tmp_path, *cases)
    assert (code, len(records)) == (0, 3)
    assert [record["sweep"]["over"] for record in records.values()] == [{plain: "-1:1:20"}] * 3
    options = ("--over", f"{name}=-1:1:20", "--at", "ﬂ=2", "--wrt", name, "-q")
    assert tool.ran(tmp_path, "sweep", f"sin({plain})*fl", *options)[0] == 0


def test_ranges_of_defaults_say_nothing_of_functions(tool, tmp_path):
    """As a point of `defaults`; the programs of the file are swept."""
    cases = ("{id: own, function: 'torch:sin', args: {x: [1, 2]}}", "{id: swept, expr: sin(x)}")
    written(tmp_path, *cases, head="defaults: {over: {x: '-1:1:20'}}")
    code, out, _ = tool.ran(tmp_path, "run", ".", "-f", "json", "-j1", "--allow-import", "torch")
    own, other = json.loads(out)["cases"]
    assert (code, own["sweep"], own["function"] is None) == (0, None, False)
    assert other["sweep"]["points"] == 20
    written(tmp_path, cases[0].replace("}}", "}, over: {x: '-1:1:20'}}"))
    code, _, err = tool.ran(tmp_path, "lint", ".")
    assert (code, err.splitlines()[0]) == (
        2,
        "error[conflicting-keys]: `function` and `over` exclude each other",
    )
