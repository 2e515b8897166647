"""Where among the elements a gradient is wrong: on one side of a condition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradcheck_cli.diagnosis.diagnosis import Diagnosis
from gradcheck_cli.diagnosis.ratios import factor_words, formula_factor, ratio_of, the_number
from gradcheck_cli.diagnosis.scene import fittings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck_cli.diagnosis.case import Case
    from gradcheck_cli.diagnosis.closeness import SampleNumbers

# Elements at samples on either side, at least: fewer agree by chance.
_FEWEST = 3


def wrong_branch(case: Case) -> Diagnosis | None:
    """Right on one side of a condition, wrong on the other; with the factor there, where it has
    one.
    """
    found = wrong_side(case)
    if found is None:
        return None
    words, side = found
    return Diagnosis("branch", f"{words}{_there(case, side)}")


def wrong_side(case: Case) -> tuple[str, SampleNumbers] | None:
    """On which side of a condition alone a gradient is wrong, in words, and where that is."""
    wrong = ~case.right
    if wrong.all() or wrong.sum() < _FEWEST or case.right.sum() < _FEWEST:
        return None
    for words, other, holds in _conditions(case):
        for side, text in ((holds, words), (~holds, other)):
            if not (wrong & ~side).any() and not (side & ~wrong & (case.true != 0)).any():
                return f"wrong only where `{text}`", side
    return None


def _there(case: Case, side: SampleNumbers) -> str:
    """What is wrong there."""
    mine, true = (np.where(side, numbers, np.nan) for numbers in (case.mine, case.true))
    if not (mine[side] != 0).any():
        return ": 0 there"
    zero = (true == 0) & side
    if (mine[zero] != 0).any():
        return ""
    ratio = ratio_of(np.where(side, mine, 0.0), np.where(side, true, 0.0))
    if ratio is None:
        return ""
    number = the_number(ratio)
    if number is not None:
        return f": there {factor_words(case, number)}"
    formula = formula_factor(case, ratio)
    return "" if formula is None else f": there {formula.text}"


def _conditions(case: Case) -> Iterator[tuple[str, str, SampleNumbers]]:
    """Conditions of the forward that fit the input, then the signs of its arrays."""
    scene, shape = case.scene, case.shape
    for known in case.words.everything:
        bare = known.words.strip("`")
        one = f"({bare})" if " " in bare else bare
        for nodes in () if known.is_constant else fittings(known.nodes, shape):
            values = scene.numbers(nodes)
            if not np.isfinite(values).all():
                continue
            if known.is_condition:
                yield bare, f"not ({bare})", values == 1
            else:
                yield f"{one} > 0", f"{one} <= 0", values > 0
                yield f"{one} < 0", f"{one} >= 0", values < 0
