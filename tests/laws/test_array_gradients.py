"""Law: torch's gradient of a row over arrays is the certified one, and a lie of one part in a
million about it is caught.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from asking import reference

from gradcheck_cli.functions import table
from gradcheck_cli.judge.rounding import rounding
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.questions.numbers import read_value
from gradcheck_cli.witnesses.reference import Proof
from gradcheck_cli.witnesses.truth import Certified

from .points import array_rows, case, named, seeded, verdicts_of
from .test_planted_lies import ROOM, lying
from .test_same_shapes import of_torch, samples

if TYPE_CHECKING:
    from gradcheck_cli.functions.row import Function
    from gradcheck_cli.judge.verdict import Verdict
    from gradcheck_cli.questions.batch import Point

COUNT = 8
# Arrays that rest on a shape alone: nothing of them has a derivative.
CONSTANT = ("zeros_like", "ones_like", "full_like")
# Inputs that only lend their shape have no derivative, and torch rightly has no path from them.
FLAT = (
    "size",
    "broadcast_like",
    "pairwise_distance",
    "expand_as",
    "view_as",
    "meshgrid",
    "broadcast_tensors",
    "slogdet",
    *CONSTANT,
)  # pairwise_distance with p=0
# torch's backward overlooks that norms are clamped at eps: told in `test_torch_defects`.
DEFECTS = tuple(f"cosine_similarity(x, y, dim={dim}, eps=0.3)" for dim in (0, 1, -1, -2))


def texts_of(values: dict[str, np.ndarray[Any, Any]]) -> str:
    """A point of arrays as `--at` takes it."""
    return ",".join(f"{name}={array.tolist()}" for name, array in values.items())


@cache
def cases(row: Function) -> tuple[Point, ...]:
    """Some of a row's calls that torch accepts and whose every partial is certified, each with a
    random cotangent.
    """
    random = seeded(f"gradients of {row.name}")
    candidates = samples(row)
    random.shuffle(candidates)
    found: list[Point] = []
    for text, values in candidates:
        result = of_torch(text, values)
        if (
            isinstance(result, Exception)
            or not result.numel()
            or text in DEFECTS
            or len(found) == COUNT
        ):
            continue
        weights = np.round(
            np.array([random.uniform(0.5, 2.0) for _ in range(result.numel())]).reshape(
                tuple(result.shape)
            ),
            2,
        ).tolist()
        try:
            made = case(text, texts_of(values), cotangent=read_value(str(weights)))
        except UserError:  # a shape that we refuse: `test_same_shapes` says which
            continue
        proved = reference(made)
        if isinstance(proved, Proof) and all(
            isinstance(answer, Certified) for answer in (*proved.forward, *proved.partials)
        ):
            found.append(made)
    return tuple(found)


def shown(found: Point) -> str:
    """A case in words that can be retyped."""
    return f"{found.specification.text} at {texts_of(dict(found.at))}, cotangent {found.question.cotangent}"


@pytest.mark.parametrize("row", array_rows(), ids=named)
@pytest.mark.filterwarnings("ignore")
def test_torchs_gradient_of_arrays_is_the_certified_one(row):
    """For several shapes, settings and cotangents."""
    assert cases(row)
    for found in cases(row):
        for verdict in verdicts_of(found):
            assert verdict.outcome in ("agree", "imprecise") or flat(row, verdict), (
                f"{shown(found)}: {verdict}"
            )


def flat(row: Function, verdict: Verdict) -> bool:
    """Whether a verdict says, of a row of which that is true, that there is neither a path nor a
    slope.
    """
    return row.name in FLAT and verdict.outcome == "detached" and not verdict.failed


@pytest.mark.parametrize(
    "row", [row for row in array_rows() if row.name not in ("size", *CONSTANT)], ids=named
)
@pytest.mark.filterwarnings("ignore")
def test_a_lie_about_arrays_is_caught(row, monkeypatch):
    """Every partial of every array that rounding leaves sharp enough."""
    sharp = [(found, seen(found)) for found in cases(row)]
    monkeypatch.setitem(table(), row.name, lying(row))
    caught = 0
    for found, partials in sharp:
        verdicts = verdicts_of(found)
        for k in partials:
            assert verdicts[k].outcome == "wrong", f"{shown(found)}: {verdicts[k]}"
            caught += 1
    assert caught


def seen(found: Point) -> list[int]:
    """Positions of the partials of which rounding cannot explain a tenth of the lie; a lie about 0
    is planted only where torch's answer is 0.
    """
    positions = []
    truths, honest, budgets = reference(found).partials, verdicts_of(found), rounding(found)
    for k, (truth, verdict) in enumerate(zip(truths, honest, strict=True)):
        size = abs(float(truth.ball.mid()))
        is_agreed = verdict.outcome == "agree" and (size > 0 or verdict.error == 0)
        if is_agreed and 4 * budgets.of_partial(found, k, found.dtype).total <= ROOM * (size or 1):
            positions.append(k)
    return positions
