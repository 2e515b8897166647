"""Integers in worlds of whole arrays: what is written or given as an index stays one."""

from __future__ import annotations

import numpy as np
import pytest
from each import each
from test_layers import checked, outcomes

from gradcheck_cli.language.parse import parse
from gradcheck_cli.worlds.sizes import Size, program_size

X = "randn(3,4)"
# fmt: off
INDEXED = [
    ("sum(log(index_select(x, [0,2], dim=0)**2))", {"x": X}),
    ("sum(index_select(x, i, dim=0)**3)", {"x": X, "i": [0, 2]}),
    ("sum(index_select(x, i, dim=0) * i)", {"x": "randn(4)", "i": [1, 2]}),
    ("sum(index_select(x, [0,1] + 1, dim=0)**3)", {"x": X}),
    ("cross_entropy(x @ w, [1,2,3])", {"x": X, "w": "randn(4,5)"}),
    ("cross_entropy(x, [0,-100,1], weight=[1,2,0.5,1], ignore_index=-100)", {"x": X}),
    ("nll_loss(log_softmax(x, dim=1), [1,2,3], weight=v)", {"x": X, "v": [1.0, 2.0, 0.5, 1.0]}),
    ("sum((embedding([0,2,2], w) @ v)**3)", {"w": X, "v": "randn(4,2)"}),
    ("sum(embedding_bag([[0,2],[2,1]], w)**3)", {"w": X}),
    ("sum(gather(x, [0,2,1])**3)", {"x": X}),
    ("sum(take_along_dim(x, [[0],[2],[1]], dim=1)**3)", {"x": X}),
    ("sum(scatter(x, [[0,2,1,0]], y, dim=0)**3)", {"x": X, "y": "randn(1,4)"}),
    ("sum(index_reduce(x, [0,2], y, dim=0, reduce='prod')**3)", {"x": X, "y": "randn(2,4)"}),
    ("sum(put(x, [0,2], y, accumulate=True)**3)", {"x": X, "y": "randn(2)"}),
    ("multilabel_margin_loss(x, [[0,2,-1,1],[1,-1,0,0],[3,2,1,0]])", {"x": X}),
    ("sum(polygamma(n, x))", {"x": [0.5, 1.5], "n": "2"}),
]
SIZED = [
    ("index_select(x, [0,1,1], dim=0)", (3, 5)),
    ("gather_elements(x, [[0,1],[1,0]], dim=0)", (2, 2)),
    ("embedding([[0,1],[1,0]], x)", (2, 2, 5)),
    ("take(x, reshape([0,9], [2,1]))", (2, 1)),
    ("take(x, [0, 2*4] + 1)", (2,)),
]
# fmt: on


@pytest.fixture(params=["float64", "balls"])
def arrays(request, monkeypatch):
    """The arrays that decide: where those in float64 know nothing, those of balls do."""
    from gradcheck_cli.witnesses import bulk_proof, reference

    def unknown(point):
        count = len(point.keys)
        return bulk_proof.BulkProof(bulk_proof._unknown(1), bulk_proof._unknown(count))

    if request.param == "balls":
        monkeypatch.setattr(reference, "bulk_proof", unknown)
    return request.param


@each("text, at", INDEXED, ids=lambda cell: cell[0])
def test_indices_that_are_written_or_given(text, at, arrays):
    """Every partial is proved, and agrees."""
    record = checked(text, at, 0)
    assert record["in_bulk"][0].startswith("judged in bulk: ")
    assert set(outcomes(record)) == {"agree"}


@each("text, shape", SIZED, ids=lambda cell: cell[0])
def test_the_shape_that_written_indices_give(text, shape):
    """They are integers to who counts, not the shape of a list."""
    assert program_size(parse(text), {"x": (2, 5)}).shape == shape


def test_what_is_no_index_has_no_shape():
    """One outside, or another number, is left to who makes the scalars."""
    sizes = {"x": (2, 5), "i": np.array([0, 1])}
    for index in ("[0,2]", "[0.5,1]", "i / 2", "[0, inf]"):
        assert not isinstance(program_size(parse(f"index_select(x, {index}, dim=0)"), sizes), Size)
