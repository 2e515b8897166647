"""Forwards in NumPy with a backward beside them: right ones are proved, broken ones are found."""

from __future__ import annotations

import numpy as np
import pairs
import pytest

from gradcheck_cli.code.call import CodeCall, check_code
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
