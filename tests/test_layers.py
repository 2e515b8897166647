"""Layers at their real size: what is too large for scalars is judged in bulk, as small programs are."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from each import each

import gradcheck_cli
from gradcheck_cli import functions
from gradcheck_cli.functions import lookup
from gradcheck_cli.language.errors import PointError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.questions import prepared
from gradcheck_cli.questions.misfits import _ELEMENTS
from gradcheck_cli.witnesses import Abstention, reference, watched
from gradcheck_cli.witnesses.bulk_proof import BulkProof, EnclosedNumbers, gradient_in
from gradcheck_cli.witnesses.proved_arrays import Proving
from gradcheck_cli.witnesses.reference import Reference
from gradcheck_cli.worlds import arrays
from gradcheck_cli.worlds.marks import NONE
from gradcheck_cli.worlds.reaching import Reaching
from gradcheck_cli.worlds.scalars import ShapeError
from gradcheck_cli.worlds.sizes import program_size

ABSENT = Abstention("it is not asked")

# fmt: off
SMALL = [
    ("cross_entropy(x, t)", {"x": "randn(4,5)", "t": [0, 4, 2, 1]}),
    ("cross_entropy(relu(x @ W + b) @ V + c, t)",
     {"x": "randn(3,4)", "W": "randn(4,5)", "b": "randn(5)", "V": "randn(5,3)", "c": "randn(3)", "t": [0, 2, 1]}),
    ("sum(layer_norm(x, weight=w, bias=b)**2)", {"x": "randn(3,6)", "w": "randn(6)", "b": "randn(6)"}),
    ("layer_norm(x)", {"x": "randn(2,4)"}),
    ("sum(softmax(q @ transpose(k, 0, 1) / 2) @ v)", {"q": "randn(3,4)", "k": "randn(3,4)", "v": "randn(3,4)"}),
    ("mse_loss(linear(x, W, b), y)", {"x": "randn(3,4)", "W": "randn(2,4)", "b": "randn(2)", "y": "randn(3,2)"}),
    ("norm(x) + std(x) + prod(x) + logsumexp(x)", {"x": "randn(5)"}),
    ("sum(gelu(x)) + sum(silu(x)**3) + sum(elu(x))", {"x": "randn(6)"}),
    ("max(x) + sum(amax(x, dim=1)**2)", {"x": "randn(4,5)"}),
    ("sum(cumsum(x, dim=1)**2) + sum(tril(x)**3)", {"x": "randn(3,4)"}),
    ("sum(conv2d(x, w, b)**2)", {"x": "randn(1,2,4,4)", "w": "randn(2,2,2,2)", "b": "randn(2)"}),
    ("sum(max_pool2d(x, 2)**2) + sum(avg_pool2d(x, 2)**2)", {"x": "randn(1,1,4,4)"}),
    ("sum(where(x > 0, sqrt(abs(x)), x**2))", {"x": "randn(8)"}),
    ("det(x) + sum(inverse(x)**2)", {"x": "randn(3,3)"}),
    ("sum(batch_norm(x, training=True)**2 * w)", {"x": "randn(4,3)", "w": "randn(4,3)"}),
    ("sum(embedding(i, W)**2)", {"W": "randn(4,3)", "i": [0, 2, 2]}),
    ("sum(x*detach(x))", {"x": "randn(4)"}),
    ("sum(where(x > 0, sqrt(x), 0))", {"x": [-1.0, 4.0]}),
    ("softmax(masked_fill(x, m > 0, -inf), dim=1)*y", {"x": "randn(3,4)", "m": [[1, -1, 2, -2], [-1, -1, -1, 1], [-3, -3, -3, -3]], "y": "randn(3,4)"}),
    ("sum(logsumexp(where(x > 0.5, -inf, x), dim=1)*y)", {"x": [[1.0, 0.25, -2.0], [0.0, 0.125, 3.0]], "y": "randn(2)"}),
]
# What is made of single elements in the table, and of whole arrays all the same.
WHOLE = [
    ("sum(conv1d(x, w, b, stride=2, padding=1)**2)", {"x": "randn(2,2,5)", "w": "randn(3,2,3)", "b": "randn(3)"}),
    ("conv1d(x, w, padding='same', dilation=2)", {"x": "randn(1,2,5)", "w": "randn(2,2,2)"}),
    ("sum(conv2d(x, w, groups=2)**2)", {"x": "randn(1,4,3,3)", "w": "randn(4,2,2,2)"}),
    ("sum(conv3d(x, w, 0.5)**2)", {"x": "randn(1,1,2,3,2)", "w": "randn(1,1,2,2,1)"}),
    ("sum(conv_transpose1d(x, w, b, stride=2, padding=1, output_padding=1)**2)", {"x": "randn(1,2,3)", "w": "randn(2,1,3)", "b": "randn(1)"}),
    ("sum(conv_transpose1d(x, w, padding=2)**2)", {"x": "randn(1,1,5)", "w": "randn(1,1,2)"}),
    ("sum(conv_transpose2d(x, w, stride=(2,1), groups=2, dilation=(1,2))**2)", {"x": "randn(1,2,2,2)", "w": "randn(2,1,2,2)"}),
    ("sum(max_pool2d(x, 3, stride=2, padding=1)**2)", {"x": "randn(1,2,5,5)"}),
    ("sum(avg_pool2d(x, 3, stride=2, padding=1)**2)", {"x": "randn(1,2,5,5)"}),
    ("sum(avg_pool1d(x, 2, padding=1, count_include_pad=False, ceil_mode=True)**2)", {"x": "randn(1,5)"}),
    ("sum(adaptive_avg_pool2d(x, (3,2))**2) + sum(adaptive_max_pool1d(x[0], 2)**3)", {"x": "randn(2,5,5)"}),
    ("sum(einsum('bij,bjk->bik', x, w)**2)", {"x": "randn(2,2,3)", "w": "randn(2,3,2)"}),
    ("einsum('ij,ij->i', x, w)", {"x": "randn(2,3)", "w": "randn(2,3)"}),
    ("sum(einsum('...i,ij,j->...', x, w, v)**2)", {"x": "randn(2,2,3)", "w": "randn(3,2)", "v": "randn(2)"}),
    ("sum(einsum('ab,cd->dac', x, w)**2)", {"x": "randn(2,3)", "w": "randn(2,2)"}),
    ("sum(einsum('ii->i', x) * einsum('ij->j', x)**2)", {"x": "randn(3,3)"}),
    ("sum(tensordot(x, w, dims=((0,), (1,)))**2) + sum(inner(x, w)**2)", {"x": "randn(2,2)", "w": "randn(2,2)"}),
]
# A domain that is left, by one element of an input, in a value of one number and of several.
LEFT = [
    ("mean(sqrt(x))", {"x": [-0.7, 0.25]}),
    ("sum(log(x))", {"x": [-0.7, 0.25]}),
    ("mean(x**0.5)", {"x": [-0.7, 0.25]}),
    ("sum(asin(2*x))", {"x": [-0.7, 0.25]}),
    ("sum(1/x)", {"x": [0.0, 2.0]}),
    ("sum(0*log(x))", {"x": [-1.0, 2.0]}),
    ("sum(where(x > 0, sqrt(x), 0)) + sum(log(y))", {"x": [-1.0, 4.0], "y": [-3.0, 1.0]}),
    ("sum(acosh(x)*y)", {"x": [0.5, 2.0], "y": [1.0, 0.0]}),
    ("log(x)", {"x": [-1.0, 2.0, 0.0]}),
    ("log(x)*y", {"x": [-1.0, 2.0], "y": [0.0, 1.0]}),
    ("x/y", {"x": [0.0, 2.0, 1.0], "y": [0.0, 1.0, 0.0]}),
    ("x**y", {"x": [0.5, -2.0], "y": [2.0, 0.5]}),
    ("log(log(x))", {"x": [0.5, -1.0, 3.0]}),
    ("log(x) + sum(x)", {"x": [-1.0, 2.0, 1.0]}),
    ("log(x @ W)", {"x": [[1.0, -2.0], [1.0, 2.0]], "W": [[1.0, 2.0], [1.0, 1.0]]}),
    ("log(x) @ W", {"x": [[0.5, -1.0], [1.0, 2.0]], "W": [[1.0, 0.0], [2.0, 3.0]]}),
    ("softmax(log(x), dim=1)", {"x": [[-1.0, 2.0], [2.0, 1.0]]}),
    ("layer_norm(sqrt(x))", {"x": [[2.0, -1.0, 1.0], [1.0, 2.0, 4.0]]}),
    ("cumsum(log(x), dim=1)", {"x": [[2.0, -1.0, 1.0], [1.0, 1.0, 2.0]]}),
    ("conv1d(log(x), w)", {"x": [[[1.0, 2.0, -1.0, 3.0, 4.0]]], "w": [[[1.0, 2.0]]]}),
    ("max(log(x), dim=1)[0]", {"x": [[-1.0, 1.0], [2.0, 3.0]]}),
    ("maximum(log(x), y)", {"x": [-1.0, 2.0], "y": [1.0, 0.0]}),
    ("log(x)[1:]", {"x": [-1.0, 2.0, 3.0]}),
    ("tril(log(x))", {"x": [[2.0, -1.0], [-1.0, 1.0]]}),
    ("where(x > 0, log(x), 0)", {"x": [2.0, -1.0]}),
    ("where(x > 0, x, log(x))", {"x": [2.0, -1.0]}),
    ("where(x > 0, log(y), y)", {"x": [1.0, 2.5, -0.5], "y": [1.0, -1.0, 0.0]}),
    ("floor(x)*log(y)", {"x": [1.5, 2.5], "y": [1.0, -1.0]}),
    ("detach(log(x))*y", {"x": [-0.5, 2.0], "y": [1.0, 0.0]}),
    ("log(x)*0 + y", {"x": [-0.5, 2.0], "y": [1.0, 0.0]}),
    ("inverse(x)", {"x": [[1.0, 2.0], [2.0, 4.0]]}),
    ("lgamma(x)*y", {"x": [-1.0, 2.0], "y": [1.0, 1.0]}),
]
WILD = [
    ("1/x", {"x": [0.0, 0.0, 0.0, 2.0]}),
    ("sum(exp(exp(x)))", {"x": [800.0, 1.0]}),
    ("x**9", {"x": [3e38, -3e38, 1.0]}),
    ("sum(1/x**2)", {"x": [1e-38, -1e-38]}),
    ("norm(x)", {"x": [0.0, 0.0]}),
]
# fmt: on


def checked(text, at, limit=None, **asked):
    """The record of a check, judged in bulk where the program has more operations than `limit`."""
    with pytest.MonkeyPatch.context() as patch:
        if limit is not None:
            patch.setattr(prepared, "MAX_SINGLE", limit)
        (record,) = gradcheck_cli.check(text, at=at, **asked).records
    return record


def outcomes(record):
    return [partial["outcome"] for partial in record["partials"]]


@each("text, at", [*SMALL, *WHOLE], ids=lambda cell: cell[0])
def test_both_ways_come_to_the_same_verdicts(text, at):
    """And the proved derivative lies in the enclosure, which is narrow."""
    for dtype in ("float64", "float32"):
        single, bulk = (checked(text, at, limit, dtype=dtype) for limit in (None, 0))
        assert single["in_bulk"] is None
        assert bulk["in_bulk"][0].startswith("judged in bulk: ")
        assert "they differ" not in bulk["in_bulk"][1]
        assert outcomes(bulk) == outcomes(single)
        for one, other in zip(single["partials"], bulk["partials"], strict=True):
            true, said = one["reference"], other["reference"]
            if "value" in true and "radius" in said:
                room = said["radius"] + 2.0**-52 * abs(true["value"])
                assert abs(true["value"] - said["value"]) <= room
                assert said["radius"] <= 1e-9 * max(abs(said["value"]), 1)


@each("text, at", WHOLE, ids=lambda cell: cell[0])
def test_what_is_not_taken_apart(text, at):
    """It has no limit of scalars."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "Unrolled", None)
        record = checked(text, at, 0)
    assert set(outcomes(record)) == {"agree"}
    assert record["in_bulk"][0].startswith("judged in bulk: ")


def test_a_weight_that_meets_the_wrong_end_is_found(monkeypatch):
    """A convolution whose kernel is turned round is another function."""
    row = lookup("conv1d")

    def turned(t, x, weight, bias, **settings):
        return row.torch(t, x, weight.flip(-1), bias, **settings)

    monkeypatch.setitem(functions.table(), "conv1d", replace(row, torch=turned))
    record = checked("sum(conv1d(x, w)**2)", {"x": "randn(1,1,5)", "w": "randn(1,1,2)"}, 0)
    assert record["outcome"] == "wrong"


def proved_in_balls(text, at):
    """The outcomes where enclosures in float64 know nothing."""

    def unknown(point):
        numbers = [EnclosedNumbers(*np.full((2, n), np.nan)) for n in (1, len(point.keys))]
        return BulkProof(*numbers)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference, "bulk_proof", unknown)
        return outcomes(checked(text, at, 0))


TIES = [
    ("sum(max_pool1d(relu(x), 2)*y)", {"x": [[-1.0, -2.0, 3.0, -1.0]], "y": [[1.0, 2.0]]}),
    ("sum(maximum(relu(x), relu(y))*z)", {"x": [-1.0, 2.0], "y": [-1.0, 2.5], "z": [1.0, 2.0]}),
    ("sum(amax(relu(x), dim=1)*y)", {"x": [[-1.0, -2.0], [3.0, -1.0]], "y": [1.0, 2.0]}),
]


@each("text, at", TIES, ids=lambda cell: cell[0])
def test_a_tie_of_what_is_flat_is_no_kink(text, at):
    """Whatever goes through it meets a slope of 0, in either world."""
    assert set(outcomes(checked(text, at, 0))) == {"agree"}
    assert set(proved_in_balls(text, at)) == {"agree"}


def test_a_tie_of_what_moves_is_not_settled():
    """In either world: nothing is a pass beside it but what does not meet it."""
    at = {"x": [1.0, 2.0], "y": [1.0, 2.5], "z": [1.0, 2.0]}
    text, told = "sum(maximum(relu(x), relu(y))*z)", ["inconclusive", "agree"] * 2 + ["agree"] * 2
    assert outcomes(checked(text, at, 0)) == told
    assert proved_in_balls(text, at) == told


def lying(factor, place=()):
    """A `Measured` that is off in one place: torch's own gradient, times a factor."""
    from gradcheck_cli.witnesses import autograd

    def floats_of(value):
        found = original(value)
        if isinstance(value, torch.Tensor) and value.shape == (24, 30):
            found = found.copy()
            index = np.ravel_multi_index(place, (24, 30))
            found[index] *= factor
        return found

    original = autograd.floats_of
    return floats_of


MLP = "cross_entropy(relu(x @ W + b) @ V, t)"
AT = {
    "x": "randn(16,24)",
    "W": "uniform(-0.2,0.2,24,30)",
    "b": "randn(30)",
    "V": "uniform(-0.2,0.2,30,4)",
    "t": [0, 1, 2, 3] * 4,
}


@pytest.mark.parametrize(
    ("factor", "outcome"), [(1.0, "agree"), (1 + 1e-6, "wrong"), (float("nan"), "wrong")]
)
def test_one_lie_among_many_is_found(factor, outcome, monkeypatch):
    """One part in a million in one weight, or a NaN; every other partial agrees."""
    from gradcheck_cli.witnesses import autograd

    monkeypatch.setattr(autograd, "floats_of", lying(factor, (7, 11)))
    record = checked(MLP, AT, 0)
    found = {tuple(p["index"]): p for p in record["partials"] if p["variable"] == "W"}
    assert found[7, 11]["outcome"] == outcome
    others = [p["outcome"] for p in record["partials"] if p is not found[7, 11]]
    assert set(others) == {"agree"}
    assert len(others) == 16 * 24 + 24 * 30 + 30 + 30 * 4 - 1


def test_a_lie_that_float32_hides_is_wrong_all_the_same(monkeypatch):
    """One part in ten thousand, made in every dtype: in float64 it shows."""
    from gradcheck_cli.witnesses import autograd

    monkeypatch.setattr(autograd, "floats_of", lying(1 + 1e-5, (7, 11)))
    record = checked(MLP, AT, 0, dtype="float32")
    (wrong,) = (p for p in record["partials"] if p["outcome"] != "agree")
    assert (wrong["outcome"], wrong["index"]) == ("wrong", [7, 11])
    assert "; in float64 it is wrong beyond rounding: torch answers" in wrong["reason"]
    assert record["in_bulk"][2].endswith("1,253 of 1,254 agree")


def test_a_weight_that_is_transposed_is_found(monkeypatch):
    """A backward that gives the gradient of a square weight the wrong way round."""
    row = lookup("linear")

    def transposed(t, x, weight, bias):
        return row.torch(t, x, weight.detach() + (weight - weight.detach()).mT, bias)

    monkeypatch.setitem(functions.table(), "linear", replace(row, torch=transposed))
    at = {"x": "randn(6,5)", "W": "randn(5,5)", "b": "randn(5)"}
    record = checked("sum(linear(x, W, b)**2)", at, 0)
    wrong = {p["variable"] for p in record["partials"] if p["outcome"] == "wrong"}
    assert wrong == {"W"}


def test_a_meaning_that_is_off_by_a_millionth_is_found(monkeypatch):
    """A lie in the table itself is seen: torch is held against what rows mean."""
    row = lookup("sigmoid")
    lie = replace(row, means="(1 + 1/1000000) / (1 + exp(-x))")
    monkeypatch.setitem(functions.table(), "sigmoid", lie)
    from gradcheck_cli.calculus import formulas

    formulas.meaning.cache_clear()
    record = checked("sum(sigmoid(x))", {"x": "randn(5)"}, 0)
    formulas.meaning.cache_clear()
    assert set(outcomes(record)) == {"wrong"}


@each("text, at", LEFT, ids=lambda cell: cell[0])
def test_a_domain_that_is_left_leaves_nothing_to_differentiate(text, at):
    """As of small programs, in the same words, also where a partial would be 0; what rests on none
    of it agrees. And no warning is NumPy's.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        single, bulk = checked(text, at), checked(text, at, 0)
    assert outcomes(bulk) == outcomes(single)
    undefined = [k for k, outcome in enumerate(outcomes(bulk)) if outcome == "undefined"]
    assert bool(undefined) == (text not in ("log(x)[1:]", "where(x > 0, log(x), 0)"))
    for name in ("reason", "cause"):
        said = [[record["partials"][k][name] for k in undefined] for record in (single, bulk)]
        assert said[0] == said[1]
    count = f"; {len(undefined):,} of a value that is undefined"
    assert bulk["in_bulk"][0].endswith(count) == bool(undefined)


def test_a_value_without_a_bound_never_passes(monkeypatch):
    """Where it is not known why an element of the value has none; what rests on others does."""
    monkeypatch.setattr(watched, "left_by", lambda domains: None)
    record = checked("log(x)*0 + y", {"x": [-0.5, 2.0], "y": [1.0, 0.0]}, 0)
    assert outcomes(record) == ["inconclusive", "agree"] * 2
    assert record["partials"][2]["reason"] == (
        "no derivative is proved: an element of the value has no finite enclosure; torch answers "
        "1, which nothing here confirms or refutes"
    )


def test_an_infinity_that_is_written_leaves_no_number():
    """In an element of the value, as of small programs; elsewhere it is masked out."""
    text = "log_softmax(where([[1, 0, 0], [0, 0, 0]] > 0, -inf, x), dim=1)"
    at = {"x": [[1.0, 2.0, 3.0], [1.0, 2.0, 4.0]]}
    single, bulk = checked(text, at), checked(text, at, 0)
    assert outcomes(bulk) == outcomes(single)
    assert outcomes(bulk) == ["undefined"] * 3 + ["agree"] * 3
    assert bulk["partials"][1]["reason"] == (
        "there is nothing to differentiate: torch's value is -inf; no derivative is proved: an "
        "element of the value has no finite enclosure; torch answers 0.193176"
    )


def test_what_is_always_zero_is_proved_so(monkeypatch):
    """Every derivative of softmax under ones: with the most bits, and none in between."""
    tried, at = [], Proving._at

    def noted(self, bits):
        tried.append(bits)
        return at(self, bits)

    monkeypatch.setattr(Proving, "_at", noted)
    record = checked("softmax(log(x), dim=1)", {"x": [[1.0, 2.0, 5.0], [2.0, 1.0, 3.0]]}, 0)
    assert set(outcomes(record)) == {"agree"}
    assert tried[:2] == [128, 2048]
    assert 512 not in tried


@each("text, at", [*SMALL, *LEFT], ids=lambda cell: cell[0])
def test_what_a_value_rests_on(text, at):
    """Marks go back to the inputs that the scalars of each element are made of."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Reference, "_prove", lambda self, point: points.append(point) or ABSENT)
        points: list = []
        checked(text, at)
    (point, *_) = points
    program = point.prepared.gradient
    for element, output in enumerate(program.outputs):
        weights = np.full(len(program.outputs), NONE)
        weights[element] = element
        _, parts = gradient_in(point, Reaching(), weights.reshape(point.prepared.shape))
        found = [mark for part in parts for mark in part.reshape(-1).tolist()]
        bits = program.reached[output]
        assert found == [element if bits >> k & 1 else NONE for k in range(len(found))]


@pytest.mark.filterwarnings("error::RuntimeWarning")
@each("text, at", WILD, ids=lambda cell: cell[0])
def test_what_is_not_finite_warns_of_nothing(text, at):
    """Poles, overflow, and numbers that underflow, in the notes as well."""
    for dtype in ("float64", "float32"):
        record = checked(text, at, 0, dtype=dtype)
        assert record["in_bulk"][0].startswith("judged in bulk: ")


def test_a_branch_that_is_not_taken_leaves_no_domain():
    """The value is one; torch's own backward goes through both branches."""
    record = checked("sum(where(x > 0, sqrt(x), 0))", {"x": [-1.0, 4.0]}, 0)
    assert outcomes(record) == ["wrong", "agree"]


def test_what_sits_on_a_kink_is_not_settled():
    """Never a pass: it is said, and the rest is judged."""
    record = checked("sum(relu(x)*y)", {"x": [0.0, 1.0], "y": [1.0, 2.0]}, 0)
    assert outcomes(record) == ["inconclusive", "agree", "agree", "agree"]
    assert record["partials"][0]["reason"] == (
        "no derivative is proved: a piecewise function may sit on its boundary, or a formula is "
        "not finite; torch answers 0, which nothing here confirms or refutes"
    )


def test_a_layer_of_its_real_size(tmp_path):
    """784-128-10 with a batch of 32: a verdict on every partial, and a report of all of them."""
    at = {
        "x": "randn(32,784)",
        "W": "uniform(-0.06,0.06,784,128)",
        "b": "randn(128)",
        "V": "uniform(-.1,.1,128,10)",
        "c": "randn(10)",
        "t": [i % 10 for i in range(32)],
    }
    report = gradcheck_cli.check("cross_entropy(relu(x @ W + b) @ V + c, t)", at=at)
    (record,) = report.records
    assert len(record["partials"]) == 126_858
    assert {*outcomes(record)} == {"agree"}
    assert "126,858 of 126,858 agree" in repr(report)
    assert len(json.dumps(record)) > 10_000_000


MISFITS = [
    ("cross_entropy(x, t)", {"x": (3, 120_000), "t": [1, 2, 120_000]}, "x is 3x120000, t is 3: an index is outside 0 to 119999"),
    ("sum(layer_norm(x, weight=w))", {"x": (600, 600), "w": (500,)}, f"x is 600x600, w is 500: {_ELEMENTS}"),
    ("sum(x @ y)", {"x": (600, 600), "y": (500, 600)},
     "x is 600x600, y is 500x600: `@` needs as many columns on the left as there are rows on the right"),
    ("sum(softmax(x, dim=2))", {"x": (600, 600)}, "x is 600x600: dim 2 is out of range: from -2 to 1 are there"),
]  # fmt: skip


@each("text, shapes, told", MISFITS, ids=lambda cell: cell[0])
def test_shapes_that_do_not_fit_are_told_of_large_programs(text, shapes, told):
    """As of small ones, though they are never taken apart."""
    at = {n: s if isinstance(s, list) else np.ones(s) for n, s in shapes.items()}
    with pytest.raises(PointError) as failure:
        gradcheck_cli.check(text, at=at)
    assert failure.value.mistakes[0].message == f"shapes do not fit: {told}"


def test_sizes_are_known_before_anything_is_made():
    """As many operations as are unrolled, or a few more, and the shape."""
    inputs = {"x": (32, 784), "W": (784, 128), "t": np.arange(32)}
    assert program_size(parse("x @ W"), inputs).shape == (32, 128)
    size = program_size(parse("cross_entropy(x @ W, t)"), inputs)
    assert size.shape == ()
    assert 6_422_528 < size.operations < 7_000_000
    assert isinstance(program_size(parse("x @ x"), inputs), ShapeError)
    assert program_size(parse("x[0] @ W"), inputs).shape == (128,)
    assert program_size(parse("x @ W[:, 0]"), inputs).shape == (32,)
