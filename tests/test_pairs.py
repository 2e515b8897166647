"""Forwards in NumPy with a backward beside them: right ones are proved, broken ones are found."""

from __future__ import annotations

import numpy as np
import pairs
import pytest

from gradcheck_cli.code.call import CodeCall, check_code, follow
from gradcheck_cli.code.variants import tried as attempted
from gradcheck_cli.code.variants import variants_of
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.judge.all_inputs import proved_for_all_inputs
from gradcheck_cli.recording.recording import BackwardRaised
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.subjects.function import FunctionSubject
from gradcheck_cli.subjects.pair_calls import NumpyPair
from gradcheck_cli.subjects.pairs import as_function


def draw(*shape):
    """Numbers of three decimals, the same for the same shape."""
    return np.random.default_rng(sum(shape) + 10 * len(shape)).normal(size=shape).round(3)


NET = pairs.TwoLayerNet()
NET_ARRAYS = {"W1": draw(2, 3), "b1": draw(3), "W2": draw(3, 3), "b2": draw(3)}
# (forward, right backward, broken ones, inputs, constants); None: gradients are behind the value.
CASES = {
    "affine": (pairs.affine_forward, pairs.affine_backward, (pairs.affine_backward_a, pairs.affine_backward_b, pairs.affine_backward_c), {"x": draw(4, 3), "w": draw(3, 3), "b": draw(3)}, {}),
    "relu": (pairs.relu_forward, pairs.relu_backward, (pairs.relu_backward_a, pairs.relu_backward_b), {"x": draw(3, 4)}, {}),
    "leaky": (pairs.leaky_forward, pairs.leaky_backward, (pairs.leaky_backward_a,), {"x": draw(3, 4)}, {"alpha": 0.1}),
    "batchnorm": (pairs.batchnorm_forward, pairs.batchnorm_backward, (pairs.batchnorm_backward_a, pairs.batchnorm_backward_b), {"x": draw(4, 2), "gamma": draw(2), "beta": draw(2)}, {"bn_param": {"mode": "train"}}),
    "layernorm": (pairs.layernorm, pairs.layernorm_backward, (pairs.layernorm_backward_a, pairs.layernorm_backward_b), {"x": draw(2, 3), "gamma": draw(3), "beta": draw(3)}, {}),
    "conv": (pairs.conv_forward, pairs.conv_backward, (pairs.conv_backward_a,), {"x": draw(1, 2, 3, 3), "w": draw(2, 2, 2, 2), "b": draw(2)}, {"conv_param": {"stride": 1, "pad": 1}}),
    "pool": (pairs.pool_forward, pairs.pool_backward, (pairs.pool_backward_a,), {"x": draw(1, 2, 4, 4)}, {"pool_param": {"size": 2, "stride": 2}}),
    "rnn step": (pairs.rnn_step_forward, pairs.rnn_step_backward, (pairs.rnn_step_backward_a,), {"x": draw(2, 3), "prev_h": draw(2, 2), "Wx": draw(3, 2), "Wh": draw(2, 2), "b": draw(2)}, {}),
    "lstm step": (pairs.lstm_step_forward, pairs.lstm_step_backward, (pairs.lstm_step_backward_a,), {"x": draw(1, 2), "prev_h": draw(1, 1), "prev_c": draw(1, 1), "Wx": draw(2, 4), "Wh": draw(1, 4), "b": draw(4)}, {}),
    "dropout": (pairs.dropout_forward, pairs.dropout_backward, (pairs.dropout_backward_a,), {"x": draw(3, 4)}, {"p": 0.5}),
    "attention": (pairs.attention, pairs.attention_backward, (pairs.attention_backward_a,), {"q": draw(2, 2), "k": draw(2, 2).T, "v": draw(2, 3)}, {}),
    "normalise": (pairs.normalise, pairs.normalise_backward, (pairs.normalise_backward_a,), {"x": draw(2, 3)}, {}),
    "mse": (pairs.mse, pairs.mse_backward, (pairs.mse_backward_a,), {"pred": draw(3, 2), "target": draw(2, 3).T}, {}),
    "bce": (pairs.bce, pairs.bce_backward, (pairs.bce_backward_a,), {"z": draw(4)}, {"y": np.array([1, 0, 0, 1])}),
    "embedding": (pairs.embedding_forward, pairs.embedding_backward, (pairs.embedding_backward_a,), {"W": draw(4, 2)}, {"x": np.array([[1, 3], [1, 0]])}),
    "sigmoid": (pairs.sigmoid, pairs.sigmoid_backward, (pairs.sigmoid_backward_a,), {"x": draw(3)}, {}),
    "global": (pairs.global_forward, pairs.global_backward, (pairs.global_backward_a,), {"x": draw(3), "w": draw(3) / 2}, {}),
    "inverse": (pairs.inverse_forward, pairs.inverse_backward, (pairs.inverse_backward_a,), {"a": draw(3, 3), "b": draw(3)}, {}),
}  # fmt: skip
# (right, broken, inputs, constants) of functions that give their gradients behind the value.
LOSSES = {
    "softmax loss": (pairs.softmax_loss, pairs.softmax_loss_a, {"x": draw(3, 4)}, {"y": np.array([1, 0, 3])}),
    "svm loss": (pairs.svm_loss, pairs.svm_loss_a, {"x": draw(3, 4)}, {"y": np.array([1, 0, 3])}),
    "logistic loss": (pairs.regularised_loss, pairs.regularised_loss_a, {"W": draw(3)}, {"X": draw(2, 3), "y": np.array([1, -1]), "reg": 0.1}),
    "two-layer net": (NET.loss, NET.loss_a, NET_ARRAYS, {"X": draw(3, 2), "y": np.array([0, 2, 1])}),
}  # fmt: skip


def call_of(forward, backward, arrays, constants, dtype="float64"):
    """A call of a pair at its arrays."""
    pair = NumpyPair(forward, backward, tuple(arrays), constants)
    subject = FunctionSubject(as_function(pair), forward.__name__, pair.inputs)
    return CodeCall(subject, arrays, pair.inputs, DTYPES[dtype])


def tried(*case, dtype="float64"):
    """The outcome of a pair, and why it was not followed, if it was not."""
    try:
        result, followed = check_code(call_of(*case, dtype=dtype), numeric=False)
    except BackwardRaised as error:
        return Outcome.WRONG, str(error), None
    return result.outcome, followed.reason, result


RIGHT = [(f, b, arrays, fixed) for f, b, _, arrays, fixed in CASES.values()]
RIGHT += [(f, None, arrays, fixed) for f, _, arrays, fixed in LOSSES.values()]
BROKEN = [(f, b, arrays, fixed) for f, _, bs, arrays, fixed in CASES.values() for b in bs]
BROKEN += [(f, None, arrays, fixed) for _, f, arrays, fixed in LOSSES.values()]


def name_of(case):
    """What a test is called."""
    return (case[1] or case[0]).__name__ if callable(case[0]) else ""


@pytest.mark.parametrize("case", RIGHT, ids=name_of)
def test_a_right_backward_agrees_and_is_proved_for_all_inputs(case):
    """Every element, under a seeded cotangent; and as an identity."""
    outcome, reason, result = tried(*case)
    assert (outcome, reason) == (Outcome.AGREE, "")
    proof = proved_for_all_inputs(result.evidence.point)
    assert proof.holds, proof.reason


@pytest.mark.parametrize("case", BROKEN, ids=name_of)
def test_a_broken_backward_is_wrong(case):
    """And by its formula, not by how it was rounded."""
    outcome, reason, result = tried(*case)
    assert outcome is Outcome.WRONG
    if result is not None:
        assert reason == ""
        assert any(verdict.cause == "formula" for verdict in result.verdicts)


@pytest.mark.parametrize("name", ["affine", "leaky", "rnn step", "mse"])
def test_a_right_backward_is_right_in_float32_as_well(name):
    """Constants and buffers of NumPy code are float64 all the same."""
    forward, right, _, arrays, fixed = CASES[name]
    arrays = {n: a.astype(np.float32).astype(np.float64) for n, a in arrays.items()}
    assert tried(forward, right, arrays, fixed, dtype="float32")[:2] == (Outcome.AGREE, "")


@pytest.mark.parametrize("case", [RIGHT[0], RIGHT[9]], ids=name_of)
def test_variants_of_a_right_pair_agree(case):
    """All but the backward's own backward, which NumPy does not have."""
    call = call_of(*case)
    found = {v.name: attempted(v) for v in variants_of(call, rows=("x",), batched=("x",))}
    last = found.pop("double-backward")
    assert last.reason == "not tried: a backward in NumPy cannot be differentiated once more"
    assert {name: t.outcome for name, t in found.items()} == dict.fromkeys(found, Outcome.AGREE)
    assert {"twice", "strided", "expanded", "more-samples", "cotangent"} <= set(found)


def test_a_cache_that_two_calls_share_is_found_by_the_variant_of_two_calls():
    """One call is right."""
    last = {}

    def forward(x):
        last["x"] = x
        return x**3

    def backward(dout):
        return 3 * last["x"] ** 2 * dout

    call = call_of(forward, backward, {"x": draw(3)}, {})
    assert check_code(call, numeric=False)[0].outcome is Outcome.AGREE
    found = {v.name: attempted(v).outcome for v in variants_of(call, rows=(), batched=())}
    assert [name for name, outcome in found.items() if outcome is Outcome.WRONG] == ["twice"]


# What a forward gives, what the backward takes, and what that is given: all of x**2 + c.
ROLES = {
    "by the forward's names": (lambda x: x**2, lambda dout, x: 2 * x * dout),
    "the cotangent last": (lambda x: x**2, lambda x, upstream: 2 * x * upstream),
    "another name for it": (lambda x: x**2, lambda x, whatever: 2 * x * whatever),
    "a cache": (lambda x: (x**2, {"x": [x]}), lambda dy, cache: 2 * cache["x"][0] * dy),
    "the value": (lambda x: x**2, lambda dout, out: 2 * np.sqrt(out) * dout),
    "several caches": (lambda x: (x**2, x, 2), lambda grad, x_saved, two: two * x_saved * grad),
    "a value that has no cotangent": (lambda x: (x**2, x, [x]), lambda dz, cache: 2 * cache[0] * dz),
    "several values": (lambda x: (x**2, -x), lambda da, db, x: 2 * x * da - db),
    "by keyword": (lambda x, *, c=1: x**2 + c, lambda g, *, x, c=1: {"dx": 2 * x * g}),
    "gradients by name": (lambda x: x**2, lambda grad_output, x: {"grad_x": 2 * x * grad_output}),
    "gradients of constants": (lambda x, c: x**2 + c, lambda g, x, c: (2 * x * g, None)),
    "value and gradient": (lambda x: (np.sum(x**2), 2 * x), None),
    "value and gradients by name": (lambda x: (np.sum(x**2), {"x": 2 * x}), None),
}  # fmt: skip


@pytest.mark.parametrize("name", ROLES)
def test_parameters_tell_what_they_are(name):
    """By their names; and what is given back by its place or its name."""
    forward, backward = ROLES[name]
    fixed = {"c": 2} if "c" in forward.__code__.co_varnames and "constants" in name else {}
    outcome, reason, _ = tried(forward, backward, {"x": np.array([0.5, 1.25, 2.0])}, fixed)
    assert (outcome, reason) == (Outcome.AGREE, "")


MISFITS = {
    "no cotangent": (lambda x: x**2, lambda x: 2 * x, "the backward takes no cotangent, such as `dout`"),
    "no cache": (lambda x: (x**2,), lambda dout, cache: 2 * cache, "nothing is known of the backward's `cache`: the forward leaves 0 values beside its own"),
    "too few values": (lambda x: x**2, lambda da, db, x: 2 * x, "the forward gives 1 values, and the backward takes 2 cotangents"),
    "too many gradients": (lambda x: x**2, lambda dout, x: (2 * x, x, x), "3 gradients for 1 inputs, `x`"),
    "another name": (lambda x: x**2, lambda dout, x: {"dw": x}, "no gradient of `x` among `dw`"),
    "another shape": (lambda x: x**2, lambda dout, x: x[None], "`x` has the shape (3,), and its gradient (1, 3)"),
    "no gradients": (lambda x: np.sum(x**2), None, "the function gives no value with gradients behind it"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISFITS)
def test_what_does_not_fit_is_said(name):
    """A shape that torch would sum up to the input's is none either."""
    forward, backward, message = MISFITS[name]
    with pytest.raises((BackwardRaised, RuntimeError)) as caught:
        check_code(call_of(forward, backward, {"x": draw(3)}, {}))
    assert str(caught.value) == f"PairError: {message}"


def test_what_cannot_be_followed_is_decided_by_differences():
    """And says where; a wrong one is found all the same."""

    def forward(x):
        return np.fft.fft(x).real + np.fft.fft(x).imag

    def backward(dout, x):
        spread = np.fft.fft(dout)
        return spread.real + spread.imag

    arrays = {"x": draw(3)}
    result, followed = check_code(call_of(forward, backward, arrays, {}))
    assert result.outcome is Outcome.AGREE
    assert followed.reason == "not followed: `numpy.fft` has no row in the function table"
    assert followed.place == f"{__file__}:{forward.__code__.co_firstlineno + 1}"
    wrong = call_of(forward, lambda dout, x: 2 * backward(dout, x), arrays, {})
    assert check_code(wrong)[0].outcome is Outcome.WRONG


def test_what_is_caught_is_not_followed_either():
    """Code that goes another way because it is recorded is not the code."""

    def forward(x):
        try:
            return np.fft.fft(x).real * 1.0
        except Exception:  # noqa: BLE001 - as people write it
            return x

    call = call_of(forward, lambda dout, x: dout, {"x": draw(3)}, {})
    assert follow(call).reason == "not followed: `numpy.fft` has no row in the function table"


def test_an_array_of_an_earlier_run_is_not_followed():
    """Its nodes are those of another tape."""
    kept = []

    def forward(x):
        kept.append(x)
        return x + kept[0]

    call = call_of(forward, lambda dout, x: dout, {"x": draw(3)}, {})
    follow(call)
    assert follow(call).reason == "not followed: it uses an array of an earlier run"


def test_random_numbers_are_the_same_in_every_run_and_go_on_in_the_backward():
    """And nobody else's are touched."""
    np.random.seed(7)
    state = np.random.get_state()[1].tolist()
    seen = []

    def forward(x):
        seen.append(np.random.rand())
        return x * 1.0

    def backward(dout, x):
        seen.append(np.random.rand())
        return dout

    tried(forward, backward, {"x": draw(2)}, {})
    first, *_ = seen = [float(number) for number in seen]
    assert len(set(seen)) == 2
    assert seen.count(first) == 3
    assert np.random.get_state()[1].tolist() == state


def test_constants_are_as_they_were_for_every_run():
    """A forward that writes to its arguments does not do so to the caller's."""
    fixed = {"bn_param": {"mode": "train"}}
    arrays = CASES["batchnorm"][3]
    tried(pairs.batchnorm_forward, pairs.batchnorm_backward, arrays, fixed)
    assert fixed == {"bn_param": {"mode": "train"}}


def test_inputs_written_to_in_place_are_the_pair_s_own():
    """The softmax that shifts its argument: the backward sees it shifted, as it does in a program."""

    def forward(x):
        x -= np.max(x)
        e = np.exp(x)
        return e / e.sum()

    def backward(dout, x):
        e = np.exp(x)
        s = e / e.sum()
        return s * (dout - np.sum(s * dout))

    x = draw(4)
    before = x.copy()
    assert tried(forward, backward, {"x": x}, {})[:2] == (Outcome.AGREE, "")
    assert x.tolist() == before.tolist()
