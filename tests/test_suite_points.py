"""Points of suites: how values multiply, that ranges are exact, and that a draw depends on nothing
but its own name and number.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from math import cos, exp, log, pi, sqrt
from random import Random
from statistics import fmean, pstdev

import pytest
from clocks import HUNG
from suites import made
from test_suite_file import read

from gradcheck_cli.questions.numbers import Exact, Grid, read_points
from gradcheck_cli.questions.points import FARTHEST, Axis, Block, Listed, Points, Sample
from gradcheck_cli.runs.plan import Selection, plan
from gradcheck_cli.runs.task import Task
from gradcheck_cli.settings.values import Said
from gradcheck_cli.suites.read import read_suites


def case(at, expr="x*y", seed=None, own=None):
    """A case at points, of a run with a seed, or with one of its own over that of a file."""
    above = {} if seed is None or own is not None else {"seed": Said(str(seed), seed)}
    below = {} if own is None else {"seed": Said(str(seed), seed)}
    text = f"version: 1\ncases:\n  - id: c\n    expr: {expr}\n    at: {at}\n"
    text += "" if own is None else f"    seed: {own}\n"
    (suite,) = read_suites([("f", text)], above, below)
    return suite.cases[0]


def plain(value):
    """Nested lists of exact values."""
    return [plain(item) for item in value] if isinstance(value, list) else value.value


def values(at, expr="x*y", **options):
    """All points as tuples of exact values."""
    return [
        tuple(plain(value) for value in point.values())
        for point in case(at, expr, **options).points
    ]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("{x: 3, y: 4}", [(3, 4)]),
        ("{x: [1, 2], y: [3, 4]}", [(1, 3), (1, 4), (2, 3), (2, 4)]),
        ("{y: [3, 4], x: [1, 2]}", [(3, 1), (3, 2), (4, 1), (4, 2)]),
        ("{x: '0:1:3', y: 2}", [(0, 2), (Fraction(1, 2), 2), (1, 2)]),
        (
            "{x: {start: 0, stop: 0.3, count: 4}, y: 1/3}",
            [(Fraction(i, 10), Fraction(1, 3)) for i in range(4)],
        ),
        ("{x: {start: 2, stop: 5, count: 1}, y: 0x1.8p-3}", [(2, Fraction(3, 16))]),
        ("x=3, y=[1, 2]", [(3, [1, 2])]),
        ("x=0:1:2, y=5", [(0, 5), (1, 5)]),
        ("{x: [[1, 2], [3, 4]], y: 1}", [([1, 2], 1), ([3, 4], 1)]),
        ("{x: {tensor: [[1, 2], [3, 4]]}, y: 1}", [([[1, 2], [3, 4]], 1)]),
        (
            "{x: '[[1, 2], [3, 4]]', y: ['[1, 2]', [3, 4/2]]}",
            [([[1, 2], [3, 4]], [1, 2]), ([[1, 2], [3, 4]], [3, 2])],
        ),
        (
            "[{x: 1, y: [2, 3]}, 'x=4, y=5', {x: 6, y: {tensor: [7]}}]",
            [(1, 2), (1, 3), (4, 5), (6, [7])],
        ),
    ],
)
def test_points_come_in_the_order_they_are_written(at, expected):
    """The first input in the outermost loop, one mapping of a list after the other; all numbers
    exact.
    """
    assert values(at) == expected
    assert len(case(at).points) == len(expected)


@pytest.mark.parametrize(
    "at",
    [
        "{x: [1, 2], y: '0:1:3'}",
        "[{x: 1, y: 2}, {x: {sample: normal, count: 3}, y: [1, 2]}]",
        "{sample: uniform, count: 4}",
    ],
)
def test_a_point_is_found_by_its_number(at):
    """The same one as in turn, and none before the first or behind the last."""
    points = case(at).points
    assert [points[i] for i in range(len(points))] == list(points)
    for i in (-1, len(points)):
        with pytest.raises(IndexError):
            points[i]


@pytest.mark.parametrize(
    "at",
    [
        "{x: [1, 2, 3], y: '0:1:3'}",
        "{x: '0:1:3', y: [1, 2, 3]}",
        "{x: 1, y: [1, 2, 3, 4, 5]}",
        "[{x: 1, y: 2}, {x: {sample: normal, count: 3}, y: [1, 2, 4]}, {x: 6, y: 7}]",
        "[{x: [1, 2, 5], y: [2, 3]}, {sample: uniform, count: 4}]",
    ],
)
def test_an_excerpt_has_its_points_under_their_numbers(at):
    """Any of them, cut out of an excerpt as well."""
    points = case(at).points
    ends = range(len(points) + 1)
    for start, stop in ((i, k) for i in ends for k in ends if i < k):
        part = points.excerpt(start, stop)
        assert len(part) == len(points)
        assert [part[i] for i in range(start, stop)] == list(points)[start:stop]
        last = part.excerpt(stop - 1, stop)
        assert (len(last), last[stop - 1]) == (len(points), points[stop - 1])


LISTED = {
    "mappings": lambda count: tuple(Block((Axis(("x",), (listed([i]),)),)) for i in range(count)),
    "values": lambda count: (Block((Axis(("x",), (listed(range(count)),)),)),),
    "inner values": lambda count: (
        Block((Axis(("x",), (listed([0]),)), Axis(("y",), (listed(range(count)),)))),
    ),
}


def listed(numbers):
    """Values that were written out."""
    return Listed(tuple(Exact(Fraction(number), str(number)) for number in numbers))


@pytest.mark.parametrize("blocks", LISTED.values(), ids=LISTED)
def test_what_is_sent_of_a_point_does_not_grow_with_the_points_beside_it(blocks):
    """Tasks of 4,096 points that were written out are no larger than one of 256 for its size."""

    def size(count):
        asked = replace(made("a", "x"), points=Points(blocks(count)))
        return sum(len(pickle.dumps(task.alone())) for task in plan([asked], Selection()).tasks)

    assert size(4_096) < 17 * size(256)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Task, "alone", lambda task: task)
        assert size(4_096) > 100 * size(256)


def test_a_point_is_found_without_walking_past_those_before_it(monkeypatch):
    """The lengths of 4,096 mappings are added up once, whatever is asked for."""
    asked = []
    plain = Block.__len__
    monkeypatch.setattr(Block, "__len__", lambda block: asked.append(1) or plain(block))
    points = Points(LISTED["mappings"](4_096))
    assert [points[i]["x"].value for i in range(4_096)] == list(range(4_096))
    assert len(points) == len(asked) == 4_096


def test_a_range_is_a_grid_of_the_command_line():
    """Exact, ends in the user's words and the numbers between them in none."""
    grid = tuple(read_points(["x=-1/3:0.1:7"])["x"])
    for at in ("{x: '-1/3:0.1:7', y: 1}", "{x: {start: -1/3, stop: 0.1, count: 7}, y: 1}"):
        assert tuple(point["x"] for point in case(at).points) == grid


def test_a_million_points_cost_nothing_before_they_are_used():
    """A case is its description: small in a pickle, whatever its count."""
    points = case("{x: '0:1:1000', y: {sample: normal, count: 1000}}").points
    assert len(points) == 1_000_000
    assert len(pickle.dumps(points)) < 2_000
    assert pickle.loads(pickle.dumps(points)) == points  # noqa: S301 - our own
    assert points[999_999]["x"].value == 1


def test_no_more_than_a_million_points():
    """At the limit a case is read; above it is a mistake, which `suite_point_messages` has."""
    assert len(case("{x: {start: 0, stop: 1, count: 1000000}, y: 1}").points) == 1_000_000


# --- samples
# ----------------------------------------------------------------------------------------------------------

LAWS = {
    "normal": (
        "{sample: normal, count: 400, mean: 3, std: 2}",
        lambda r: 3 + 2 * sqrt(-2 * log(1 - r.random())) * cos(2 * pi * r.random()),
    ),
    "uniform": ("{sample: uniform, count: 400, start: -2, stop: 5}", lambda r: -2 + 7 * r.random()),
    "logspace": (
        "{sample: logspace, count: 400, start: 1e-3, stop: 1e4}",
        lambda r: exp(log(1e-3) + log(1e7) * r.random()),
    ),
}


@pytest.mark.parametrize("law", LAWS)
def test_a_draw_is_the_one_that_the_manual_promises(law):
    """Python's own generator, seeded with SEED:CASE:INPUT:NUMBER, and the textbook's formula; to
    the six digits that are kept.
    """
    sample, formula = LAWS[law]
    for i, point in enumerate(case(f"{{x: {sample}, y: 1}}", seed=7).points):
        expected = formula(Random(f"7:c:x:{i}"))  # noqa: S311 - as the tool
        assert abs(point["x"].value - Fraction(expected)) <= Fraction(abs(expected)) * Fraction(
            6, 10**6
        )


@pytest.mark.parametrize("law", LAWS)
def test_a_draw_can_be_typed_again(law):
    """At most six digits, and the text is the number."""
    for point in case(f"{{x: {LAWS[law][0]}, y: 1}}").points:
        text = point["x"].text
        assert Fraction(text) == point["x"].value
        assert len(text.lstrip("-").partition("e")[0].replace(".", "").lstrip("0")) <= 6


def test_samples_are_spread_as_their_law_says():
    """Mean and deviation of 4,000 draws, with room for four standard errors."""
    normal = [
        float(point["x"].value) for point in case("{x: {sample: normal, count: 4000}, y: 1}").points
    ]
    assert abs(fmean(normal)) < 4 / sqrt(4_000)
    assert abs(pstdev(normal) - 1) < 4 / sqrt(8_000)
    uniform = [
        float(point["x"].value)
        for point in case("{x: {sample: uniform, count: 4000}, y: 1}").points
    ]
    assert abs(fmean(uniform)) < 4 / sqrt(12_000)
    magnitudes = [
        log(float(point["x"].value))
        for point in case("{x: {sample: logspace, count: 4000}, y: 1}").points
    ]
    assert abs(fmean(magnitudes)) < 4 * 2 * log(1e3) / sqrt(48_000)
    assert min(magnitudes) < log(2e-3) < log(5e2) < max(magnitudes)


def test_a_draw_lies_within_its_bounds():
    """Rounding to six digits never leads across an end, and no normal number is farther out than is
    reckoned with.
    """
    for point in case(
        "{x: {sample: uniform, count: 300, start: 0.12345678, stop: 0.12345679}, y: 1}"
    ).points:
        assert Fraction("0.12345678") <= point["x"].value <= Fraction("0.12345679")
    assert sqrt(-2 * log(2.0**-53)) < FARTHEST


@pytest.mark.parametrize(
    ("one", "other"),
    [("{x: {sample: normal, count: 5}, y: 1}", "{y: [1, 2], x: {sample: normal, count: 9}}")],
)
def test_draws_depend_on_nothing_beside_them(one, other):
    """Not on the count, the other inputs, their order, or other cases."""
    first = [point["x"] for point in case(one).points]
    assert [point["x"] for point in case(other).points][:5] == first
    text = f"version: 1\ncases:\n  - {{expr: x, at: {{x: {{sample: normal, count: 2}}}}}}\n  - {{id: c, expr: x*y, at: {one}}}\n"
    assert [point["x"] for point in read(text, "g").cases[1].points] == first, (
        "the file's own name has no part in it either"
    )


def test_draws_differ_where_they_should():
    """By seed, case, input, mapping and number."""
    base = case("{x: {sample: normal, count: 3}, y: {sample: normal, count: 3}}").points
    assert len({point["x"].text for point in base} | {point["y"].text for point in base}) == 6
    other = case("{x: {sample: normal, count: 3}, y: 1}", seed=1).points
    assert not {point["x"].text for point in base} & {point["x"].text for point in other}
    own = case("{x: {sample: normal, count: 3, seed: 1}, y: 1}").points
    assert list(own) == list(other), "a seed of its own stands above the run's"
    zero = case("{x: {sample: normal, count: 3}, y: 1}", seed=1, own=0).points
    unsaid = case("{x: {sample: normal, count: 3}, y: 1}").points
    assert list(zero) == list(unsaid), (
        "0 is a seed as well, and a case's own stands above the configuration's"
    )
    twice = case(
        "[{x: {sample: normal, count: 3}, y: 1}, {x: {sample: normal, count: 3}, y: 1}]"
    ).points
    assert len({point["x"].text for point in twice}) == 6


def test_a_sample_of_all_inputs_is_drawn_together():
    """As many points as are asked for, not their product; each input as by itself."""
    together = case("{sample: uniform, count: 4, seed: 3}").points
    alone = case("{x: {sample: uniform, count: 4, seed: 3}, y: 1}").points
    assert len(together) == 4
    assert [point["x"] for point in together] == [point["x"] for point in alone]
    assert all(point["x"] != point["y"] for point in together)


def test_a_sample_may_be_of_tensors():
    """Row-major, the first element that of a sample of numbers."""
    (point,) = case("{x: {sample: uniform, count: 1, shape: [2, 3]}, y: 1}").points
    (number,) = case("{x: {sample: uniform, count: 1}, y: 1}").points
    assert [len(row) for row in point["x"]] == [3, 3]
    assert point["x"][0][0] == number["x"]
    assert len({exact.text for row in point["x"] for exact in row}) == 6


def test_draws_are_the_same_in_another_process():
    """Python's hashes are salted anew in each; they have no part in it."""
    code = "from gradcheck_cli.questions.points import Sample\nfrom gradcheck_cli.questions.numbers import Exact\nprint([v.text for v in map(Sample('normal', Exact(0, '0'), Exact(1, '1'), 3, (), 5, 'a:x').__getitem__, range(3))])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=HUNG, check=True
    )
    zero, one = (point["x"] for point in case("{x: [0, 1], y: 1}").points)
    assert done.stdout.strip() == str(
        [Sample("normal", zero, one, 3, (), 5, "a:x")[i].text for i in range(3)]
    )


def test_a_range_of_one_is_its_start():
    """As `start:stop:1` on the command line."""
    start, stop = (point["x"] for point in case("{x: [2, 5], y: 1}").points)
    assert [Grid(start, stop, 1)[0], len(Points(()))] == [start, 0]
