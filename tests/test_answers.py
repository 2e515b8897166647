"""Functions that answer several arrays, and settings that stand before arguments: how they are
written, and what is refused.
"""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck_cli.language.errors import ProgramError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.text import program_text
from gradcheck_cli.worlds.scalars import ShapeError, expand

# Each pair means one program.
SAME = [
    ("split(x, 2)[1]", "split(x, 2, piece=1)"),
    ("torch.chunk(x, 2, dim=1)[-1]", "chunk(x, 2, dim=1, piece=-1)"),
    ("x.unbind()[0][1:]", "unbind(x, piece=0)[1:]"),
    ("slogdet(A)[1]", "slogdet(A).logabsdet"),
    ("torch.linalg.slogdet(A).sign", "slogdet(A, piece=0)"),
    ("torch.max(x, dim=0)[0]", "max(x, dim=0)"),
    ("torch.max(x, 0)[0]", "max(x, dim=0)"),
    ("torch.sort(x)[0][1]", "sort(x).values[1]"),
    ("x.topk(2).values", "topk(x, 2)"),
    ("torch.max(x, y)[0]", "maximum(x, y)[0]"),
    ("einsum('ij,j->i', A, x)", "einsum([A, x], equation='ij,j->i')"),
    ("torch.index_select(x, 0, i)", "index_select(x, i, dim=0)"),
    ("x.scatter_add(0, i, y)", "scatter_add(x, i, y, dim=0)"),
    ("torch.gather(x, 1, i)", "gather_elements(x, i, dim=1)"),
    ("np.flip(x, axis=0)", "flip(x, 0)"),
]


@pytest.mark.parametrize(("text", "other"), SAME)
def test_two_ways_to_write_one_call(text, other):
    """And the text of either reads back as it."""
    assert list(parse(text).nodes) == list(parse(other).nodes)
    assert list(parse(program_text(parse(text))).nodes) == list(parse(text).nodes)


def test_without_a_prefix_an_index_is_one_of_the_values():
    """As it is of `max`: what is answered here are the values."""
    assert list(parse("sort(x)[1]").nodes) != list(parse("sort(x)").nodes)
    assert list(parse("max(x, dim=0)[0]").nodes) != list(parse("max(x, dim=0)").nodes)


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("split(x, 2)[0:1]", "bad-index", "`split` answers several arrays: pick one by an integer, as in `split(...)[0]`"),
        ("torch.sort(x)[0, 1]", "bad-index", "`sort` answers several arrays: pick one by an integer, as in `sort(...)[0]`"),
        ("torch.sort(x)[2]", "bad-index", "`sort` answers 2 arrays, there is no number 2"),
        ("trapezoid(y, x, 2)", "arity", "`trapezoid_over` takes 2 values without a name, 3 are given"),
        ("torch.sort(x)[1]", "bad-index", "`sort` answers `indices` there, of which there is no derivative"),
        ("x.topk(2).indices", "bad-index", "`topk` answers `indices` there, of which there is no derivative"),
        ("index_select(x, 0, i, 1)", "arity", "`index_select` takes 3 values without a name, 4 are given"),
        ("split(x, 2, 0, 1)", "arity", "`split` takes 1 to 4 arguments, 4 are given"),
        ("sin(x).values", "unknown-attribute", "there is no attribute `values`"),
    ],
)  # fmt: skip
def test_what_cannot_be_picked_is_told(text, code, message):
    """At its place, in words."""
    with pytest.raises(ProgramError) as caught:
        parse(text)
    (found,) = caught.value.mistakes
    assert (found.code, found.message) == (code, message)


def test_an_answer_without_a_derivative_is_told_where_the_shapes_are_known():
    """Of functions whose answers are counted: which one is meant, or why it cannot be had."""
    told = {
        "var_mean(x)": "var_mean answers var and mean: pick one, as in var_mean(x)[0]",
        "var_mean(x)[2]": "var_mean answers 2 arrays, there is no number 2",
        "frexp(x)": "frexp answers a mantissa and an exponent: write frexp(x)[0]",
        "frexp(x).exponent": "of what frexp answers only the mantissa, number 0, has a derivative",
        "lstsq(x, x)": "lstsq answers several arrays: pick one, as in lstsq(A, B)[0]",
    }
    for text, message in told.items():
        with pytest.raises(ShapeError) as caught:
            expand(parse(text), {"x": (3, 2)})
        assert str(caught.value) == message


@pytest.mark.parametrize(("own", "meant"), [("x.H", "x.T"), ("x.mH", "x.mT")])
def test_a_conjugate_transpose_is_a_transpose(own, meant):
    """Numbers are real here."""
    assert parse(own).nodes == parse(meant).nodes


def test_a_mask_of_true_and_false_is_one_of_infinities():
    """As torch takes it, and not as 1 and 0; numbers are added."""
    call = "scaled_dot_product_attention(q, k, v, {})"
    assert parse(call.format("m > 0")).nodes == parse(call.format("where(m > 0, 0, -inf)")).nodes
    assert parse(call.format("m")).nodes != parse(call.format("m > 0")).nodes


def test_a_target_that_torch_ignores_is_asked_for():
    """`-100` is torch's own, which is told; written out it is read."""
    shapes = {"x": (2, 3), "t": np.array([0, -100])}
    with pytest.raises(ShapeError) as caught:
        expand(parse("cross_entropy(x, t)"), shapes)
    assert str(caught.value).endswith(
        "an index is outside 0 to 2; for a target of -100 that a loss ignores write ignore_index=-100"
    )
    expand(parse("cross_entropy(x, t, ignore_index=-100)"), shapes)
