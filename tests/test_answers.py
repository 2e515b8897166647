"""Functions that answer several arrays, and settings that stand before arguments: how they are
written, and what is refused.
"""

from __future__ import annotations

import pytest

from gradcheck_cli.language.errors import ProgramError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.text import program_text

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
        ("frexp(x).exponent", "bad-index", "`frexp` answers `exponent` there, of which there is no derivative"),
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
