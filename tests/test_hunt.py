"""Hunts: what they find, that it is the worst, that it is made simple, and how they end."""

from __future__ import annotations

import _thread
import json
import threading
from fractions import Fraction
from math import exp

import mpmath
import numpy as np
import pytest
import torch
from each import each
from hunts import hunter_of, space_of

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.hunting.draws import Drawer, lines
from gradcheck_cli.hunting.edges import Edges
from gradcheck_cli.hunting.finals import range_text
from gradcheck_cli.hunting.job import HuntJob
from gradcheck_cli.hunting.judging import Judge
from gradcheck_cli.hunting.screening import Screen, binades
from gradcheck_cli.hunting.shrinking import shortest_text, shrunk
from gradcheck_cli.hunting.space import numbers_at, place_in_order, places_of
from gradcheck_cli.language.errors import Span
from gradcheck_cli.questions.ranges import finite_count, read_range
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.settings.quantities import Quota, budget


def report_of_hunt(tool, *words):
    """Exit code and report of a hunt."""
    done = tool.run(["hunt", *words, "-f", "json"])
    assert not done.stderr
    report = json.loads(done.stdout)
    assert report["exit_code"] == done.returncode
    return report


def found(report, outcome):
    """The points of an outcome, worst first."""
    return [case["at"] for case in report["cases"] if case["outcome"] == outcome]


# What is known to be wrong, and where; the points of one variable between two numbers.
KNOWN = [
    ("sigmoid(x)", "all", "wrong", -103.98, -88.72),
    ("sqrt(x**2)", "-4:4", "wrong", 0, 0),
    ("relu(x - 0.1)", "-4:4", "kink", 0.1, 0.1000001),
    ("x*log(x)", "-4:4", "undefined", 0, 0),
    ("x*log(x)", "-4:4", "undefined", -4, -1e-45),
    ("x*log(x)", "-4:4", "imprecise", 0.3678, 0.3679),
    ("sinc(x)", "-0.5:0.5", "imprecise", -0.01, 0.01),
    ("(1 - cos(x))/x**2", "-4:4", "imprecise", -0.1, 0.1),
    ("softplus(x)", "-100:100", "wrong", 20, 40, "float64"),
    ("expm1(x)", "-40:40", "imprecise", -40, -5),
    ("where(x > 1.5, 2*x, x)", "all", "undefined", 1.5, 1.5),
    ("log(exp(x))", "all", "wrong", 88.7, 3.5e38),
]


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: f"{known[0]} {known[2]}")
def test_what_is_known_is_found(tool, known):
    """In float32 where no other is named, with less than the usual budget."""
    program, over, outcome, low, high, dtype = (*known, "float32")[:6]
    words = (program, "--over", f"x={over}", "--dtype", dtype, "--budget", "400")
    points = found(report_of_hunt(tool, *words), outcome)
    assert any(low <= point["x"] <= high for point in points)


PAIRS = [
    ("sin(x*y)", "x=-4:4,y=-4:4", "imprecise"),
    ("log(x/y)", "x=all,y=1:10", "wrong"),
    ("atan2(y, x)", "x=all,y=all", "wrong"),
    ("sqrt(x**2 + y**2)", "x=all,y=all", "wrong"),
    ("maximum(x, y)", "x=-4:4,y=-4:4", "kink"),
    ("hypot(x - 1, y)", "x=-4:4,y=-4:4", "wrong"),
]


@pytest.mark.parametrize(("program", "over", "outcome"), PAIRS)
def test_two_inputs_move_together(tool, program, over, outcome):
    """In float32."""
    words = (program, "--over", over, "--dtype", "float32", "--budget", "400")
    assert found(report_of_hunt(tool, *words), outcome)


def test_a_kernel_that_is_off_in_batches_alone_is_found(tool):
    """Where this machine's torch has it; `reproduce` shows it again."""
    at, spacing = -0.035057224333286285, 2.0**-25
    truth = float(mpmath.ncdf(at) + at * mpmath.npdf(at))
    x = torch.full((64,), at, dtype=torch.float32, requires_grad=True)
    torch.nn.functional.gelu(x).sum().backward()
    if abs(x.grad[0].item() - truth) < 9.6 * spacing:
        pytest.skip("torch's gelu is right there on this machine")
    words = ("gelu(x)", "--over", "x=-0.0355:-0.035", "--dtype", "float32", "--budget", "900")
    report = report_of_hunt(tool, *words)
    assert found(report, "wrong")
    again = report["cases"][0]["reproduce"].split()
    assert again[:2] == ["gradcheck", "hunt"]
    assert found(report_of_hunt(tool, "gelu(x)", *again[3:]), "wrong")


class _Lie(torch.autograd.Function):
    """tanh whose backward is off by a thousandth in one binade."""

    @staticmethod
    def forward(ctx, x):
        """tanh."""
        y = x.sinh() / x.cosh()
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, ybar):
        """Right but from 1/64 to 1/32."""
        x, y = ctx.saved_tensors
        lie = torch.where((x >= 1 / 64) & (x < 1 / 32), 1.001, 1.0)
        return ybar * (1 - y * y) * lie.to(x.dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_lie_on_one_binade_is_found(tool, monkeypatch, dtype):
    """And nothing is wrong there without it."""
    words = ("tanh(x)", "--over", "x=-1:1", "--dtype", dtype, "--budget", "900")
    assert not found(report_of_hunt(tool, *words), "wrong")
    monkeypatch.setattr(torch, "tanh", _Lie.apply)
    points = found(report_of_hunt(tool, *words), "wrong")
    assert points
    assert all(1 / 64 <= point["x"] < 1 / 32 for point in points)


@pytest.mark.parametrize("program", ["3*x + 1", "-x", "x/2"])
def test_nothing_is_found_where_nothing_is_wrong(tool, program):
    """It is said plainly."""
    report = report_of_hunt(tool, program, "--over", "x=-4:4", "--budget", "300")
    (case,) = report["cases"]
    assert report["exit_code"] == 0
    assert case["outcome"] == "agree"
    assert case["notes"][1] == "nothing worse than agree was found: torch is off by 0 ulp at most"


def test_the_same_seed_finds_the_same(tool):
    """Another draws other points."""
    words = ("sin(x)*y", "--over", "x=-1:1,y=1:2", "--budget", "400", "--dtype", "float32")
    first, second, other = (
        report_of_hunt(tool, *words, "--seed", seed)["cases"] for seed in ("0", "0", "1")
    )
    assert first == second
    assert first != other


@pytest.mark.parametrize("budget", [1, 7, 300, 1000])
def test_a_budget_is_never_passed(budget):
    """Points are counted as they are judged."""
    hunter = hunter_of(space_of("tanh(x)", "x=-9:9"), budget)
    assert hunter.judge.asked == budget == sum(hunter.sources.values())


def test_a_small_range_is_judged_to_the_last_number():
    """The worst is the worst of all."""
    space = space_of("x*sigmoid(x)", "x=-10:-9.5", "float16")
    hunter = hunter_of(space, 100)
    rows = np.arange(space.axes[0].first, space.axes[0].last + 1)[:, None]
    every = Judge(space).judge(rows)
    assert hunter.is_whole
    assert len(every) == space.size == hunter.judge.asked == 65
    assert [f.place for f in hunter.finds if f.outcome is Outcome.AGREE] == [
        max((e for e in every if e.outcome is Outcome.AGREE), key=lambda e: e.ulps).place
    ]


@pytest.mark.parametrize("dtype", DTYPES)
def test_places_are_the_order_of_numbers(dtype):
    """Both ways; neighbours differ by 1, and -0 stands between."""
    kind, random = DTYPES[dtype], np.random.default_rng(0)
    numbers = [0.0, 1.0, -1.0, float(kind.largest), -float(kind.smallest)]
    numbers += [
        kind.round(Fraction(random.normal(0, 10 ** random.uniform(-3, 3)))) for _ in range(99)
    ]
    places = np.array([place_in_order(number, kind) for number in numbers])
    assert numbers_at(places, kind).tolist() == numbers
    assert places_of(np.array(numbers), kind).tolist() == places.tolist()
    ordered = numbers_at(np.arange(-5, 5), kind)
    assert (np.diff(ordered) >= 0).all()
    assert ordered.tolist().count(0.0) == 2


SPACES = [
    ("tanh(x)", "x=all", "float64"),
    ("tanh(x)", "x=all", "bfloat16"),
    ("x*y", "x=-1e-3:5,y=1:1.5", "float32"),
    ("x*y + z", "x=all,y=2:3,z=-1e300:1e300", "float64"),
]


@each("program, over, dtype", SPACES)
def test_draws_stay_in_their_ranges(program, over, dtype):
    """However near the ends the points are that they are drawn around."""
    space = space_of(program, over, dtype)
    drawer = Drawer(space, np.random.default_rng(0))
    ends = [tuple(space.firsts.tolist()), tuple(space.lasts.tolist())]
    for rows in (drawer.draw(2000), drawer.around(ends, 2000)):
        assert ((rows >= space.firsts) & (rows <= space.lasts)).all()
        assert (rows != -1).all()
        assert len(np.unique(rows, axis=0)) > 100


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_edge_is_found_down_to_neighbours(dtype):
    """Of kinks at numbers that nothing tells but the sign of their arguments."""
    random = np.random.default_rng(1)
    for _ in range(5):
        kink = float(random.normal(0, 10 ** random.uniform(-2, 2)))
        space = space_of(f"relu(exp(x/1000) - {exp(kink / 1000)!r})", "x=-1000:1000", dtype)
        ((axis, grid),) = lines(space, np.random.default_rng(0), 1)
        edges = [edge for edge in Edges(space).along(axis, grid) if edge.rank == 0]
        assert edges
        assert all(edge.above[0] - edge.below[0] == 1 for edge in edges)
        near = [abs(space.values(edge.above)["x"] - kink) for edge in edges]
        assert min(near) < 1e-3 + 1e-4 * abs(kink)


def test_screens_see_what_judges_see():
    """An estimate of the largest error, to a factor of 2, where rounding is not below an ulp."""
    for dtype in ("float32", "float64"):
        space = space_of("1 - tanh(x)", "x=1:8", dtype)
        rows = Drawer(space, np.random.default_rng(0)).draw(300)
        errors = Screen(space).errors(rows)
        judge = Judge(space)
        judge.judge(rows)
        for row, error in zip(map(tuple, rows.tolist()), errors.tolist(), strict=True):
            assert 0.5 * error - 1 <= judge.known[row].ulps <= 2 * error + 1


@each("program, over, dtype", SPACES)
def test_binades_tell_sizes_apart(program, over, dtype):
    """Points of one bin have inputs of one sign and binade each."""
    space = space_of(program, over, dtype)
    rows = Drawer(space, np.random.default_rng(0)).draw(3000)
    values = numbers_at(rows, space.dtype)
    exponents = np.where(values == 0, space.dtype.least, np.frexp(values)[1])
    exponents = np.maximum(exponents, space.dtype.least)
    marks = {}
    for bin_, row in zip(binades(rows, space).tolist(), exponents.tolist(), strict=True):
        assert marks.setdefault(bin_, row) == row


@pytest.mark.parametrize(
    ("program", "over", "dtype"),
    [
        ("sigmoid(x)", "x=all", "float32"),
        ("sin(x*y)", "x=-4:4,y=-4:4", "float32"),
        ("maximum(x, y)", "x=-4:4,y=-4:4", "float64"),
        ("log(x/y)", "x=all,y=all", "float64"),
    ],
)
def test_a_simpler_point_shows_the_same(program, over, dtype):
    """The same outcome and cause, at least half as many ulp, and no more digits."""
    hunter = hunter_of(space_of(program, over, dtype), 600)
    space = hunter.space
    for find in hunter.finds:
        simple = shrunk(hunter.judge, find)
        assert (simple.outcome, simple.cause) == (find.outcome, find.cause)
        assert simple.ulps >= find.ulps / 2
        lengths = [
            sum(len(shortest_text(v, space.dtype)) for v in space.values(each.place).values())
            for each in (simple, find)
        ]
        assert lengths[0] <= lengths[1]


@pytest.mark.parametrize(
    ("number", "dtype", "text"),
    [
        (20.0, "float64", "20"),
        (-0.03539999946951866, "float32", "-0.0354"),
        (5e-324, "float64", "5e-324"),
        (1.7976931348623157e308, "float64", "1.7976931348623157e308"),
        (65504.0, "float16", "65500"),
        (1e-5, "float64", "1e-5"),
        (123456.0, "float32", "123456"),
    ],
)
def test_a_number_is_written_short(number, dtype, text):
    """In the fewest digits that mean it."""
    assert shortest_text(number, DTYPES[dtype]) == text
    assert DTYPES[dtype].round(Fraction(text)) == number


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_range_of_one_number_holds_no_other(dtype):
    """Whatever its digits, at both ends and around 0."""
    kind = DTYPES[dtype]
    most = finite_count(kind) - 1
    random = np.random.default_rng(2)
    places = [0, 1, -2, most, -1 - most, most - 1, place_in_order(0.5, kind)]
    places += [p for p in random.integers(-most, most, 50).tolist() if p != -1]
    for place in places:
        text = range_text(place, kind)
        line = read_range(text, Span(0, len(text))).line(kind)
        held = [place_in_order(line.value(k), kind) for k in range(line.count)]
        assert [p for p in held if p != -1] == [place], (place, text)


def _job(analyst, program, budget):
    from tool import Borrowed

    return HuntJob([space_of(program, "x=-9:9")], Borrowed(analyst), budget, 0, "x=-9:9")


def test_ctrl_c_keeps_what_was_found(analyst):
    """After the first round."""
    job = _job(analyst, "tanh(x)", Quota(seconds=3600.0))
    rounds = iter([_thread.interrupt_main])
    ended = job.watched(lambda _: next(rounds, bool)(), 60.0, threading.Event())
    report = job.report(ended, [], strict=False)
    assert ended.interrupted
    assert report.exit_code == 130
    assert report.records
    judged = job.hunters[0].judge.asked
    assert report.problems == [f"interrupted: the hunt was broken off after {judged:,} points"]


def test_a_function_that_never_ends_takes_nothing_with_it(analyst, monkeypatch):
    """What was found before is reported, and the exit code says that it is not all."""
    free, calls, tanh = threading.Event(), [], torch.tanh

    def stuck(x):
        if threading.current_thread() not in calls[:1] or len(calls) < 3:
            calls.append(threading.current_thread())
        elif not free.is_set():
            free.wait()
        return tanh(x)

    monkeypatch.setattr(torch, "tanh", stuck)
    job = _job(analyst, "tanh(x)", Quota(points=500))
    ended = job.watched(lambda _: None, 2.0, threading.Event())
    free.set()
    report = job.report(ended, [], strict=False)
    assert ended.given_up
    assert report.exit_code == 3
    assert [record["outcome"] for record in report.records] == ["agree"]


def test_no_memory_ends_a_hunt(analyst):
    """At once."""
    exhausted = threading.Event()
    exhausted.set()
    job = _job(analyst, "tanh(x)", Quota(seconds=3600.0))
    ended = job.watched(lambda _: None, 60.0, exhausted)
    assert ended.exhausted
    assert job.report(ended, [], strict=False).exit_code == 3


MISTAKES = [
    (
        ["sin(x)"],
        "error[no-range]: a hunt is over a range of one input or more\n"
        "  = help: for example `--over x=-4:4`, or `--over x=all`\n",
    ),
    (
        ["sin(x)", "--over", "x=0:1:100"],
        "error[bad-range]: a hunt tries any number of a range, and counts none\n"
        "  | x=0:1:100\n"
        "  |      ^^^^\n"
        "  = help: write `--over x=0:1`; `--budget 100` counts the points\n",
    ),
    (
        ["sum(W*x)", "--over", "x=0:1", "--at", "W=[1, 2]"],
        "error[bad-point]: `W` is fixed in a hunt: it takes one number\n"
        "  = help: write the program with names for single numbers, as `[x, y]` for an array\n",
    ),
    (
        ["sin(x)", "--over", "x=0:1", "--at", "x=1"],
        "error[duplicate-value]: `x` is hunted over and fixed\n",
    ),
    (
        ["cross_entropy([x, 1], t)", "--over", "x=0:1,t=0:1"],
        "error[bad-range]: `t` holds class indices: there is nothing to hunt for\n",
    ),
    (
        ["h = x**2; sin(h)", "--over", "x=0:1", "--wrt", "h"],
        "error[conflicting-options]: a hunt is by inputs, not by assigned names\n",
    ),
    (
        ["sin(x)", "--over", "x=0:1", "--budget", "10years"],
        "error[bad-setting]: --budget: `10years` is no budget\n"
        "  = help: --budget takes a number of points up to 1,000,000, or a time, such as 5000, "
        "10s or 2m\n",
    ),
    (
        ["--over", "x=0:1"],
        "error[no-program]: there is nothing to hunt in\n  = help: write an expression first\n",
    ),
]


@pytest.mark.parametrize(("words", "text"), MISTAKES, ids=[text[6:26] for _, text in MISTAKES])
def test_a_mistake_is_told_in_full(tool, words, text):
    """With exit code 2."""
    done = tool.run(["hunt", *words])
    assert (done.returncode, done.stdout, done.stderr) == (2, "", text)


@pytest.mark.parametrize(
    ("text", "quota"),
    [
        ("2000", Quota(points=2000)),
        ("0.5s", Quota(seconds=0.5)),
        ("2 m", Quota(seconds=120.0)),
        ("1h", Quota(seconds=3600.0)),
    ],
)
def test_a_budget_is_of_points_or_of_time(text, quota):
    """One of the two."""
    assert budget(text) == quota


def test_fixed_inputs_and_each_dtype(tool, tmp_path):
    """A hunt for each dtype, what is fixed at its place, and a file beside stdout."""
    target = tmp_path / "found.json"
    words = ["w*log(x)", "--over", "x=-4:4", "--at", "w=2.5", "--dtype", "float32,float16"]
    words += ["--wrt", "w,x", "--budget", "200", "--export", str(target), "-f", "jsonl"]
    done = tool.run(["hunt", *words])
    cases = [json.loads(line) for line in done.stdout.splitlines()]
    assert cases == json.loads(target.read_text(encoding="utf-8"))["cases"]
    assert {case["dtype"] for case in cases} == {"float32", "float16"}
    assert {case["at"]["w"] for case in cases} == {2.5}
    assert all(len(case["partials"]) == 2 for case in cases)
    assert done.returncode == 4


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_a_report_fits_its_terminal(tool, columns):
    """As any other."""
    words = ["hunt", "sqrt(x**2)", "--over", "x=-4:4", "--dtype", "float32", "--budget", "200"]
    done = tool.run(words, environment={"COLUMNS": columns})
    rows = [line for line in done.stdout.splitlines() if "reproduce" not in line]
    assert done.returncode == 1
    assert max(map(len, rows)) <= int(columns)


def test_numbers_that_torch_keeps_are_to_blame_for_nothing(tool, tmp_path):
    """Where torch's value is infinite itself, its replay has no number that was lost."""
    words = ["hunt", "hypot(x,60000)", "--over", "x=all", "--dtype", "float16", "--budget", "60"]
    code, out, err = tool.ran(tmp_path, *words)
    assert (code, err) == (1, "")
    assert "wrong" in out
