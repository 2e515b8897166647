"""The factor between a claim and the derivative: a number, or a formula of what the program has."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcheck_cli.claims.verdict import Explanation
from gradcheck_cli.worlds.balls import Machine, exact_ball, midpoint, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.claims.board import Board
    from gradcheck_cli.claims.pair import Rivals

_BITS = 256
# Factors of larger terms than this are found by chance.
_MOST_TERM = 1_000
_MOST_COEFFICIENT = 64
# So many elements of a tensor are looked at.
_MOST_ELEMENTS = 4
_POWERS = (-1, 1, -2, 2)


class _Candidate(NamedTuple):
    """A quantity of the program; `values` at each sample and element."""

    words: str
    values: list[Any]


def factor_between(board: Board, pair: Rivals) -> Explanation | None:
    """Claimed / true as a constant, or as a product of powers of what the program has."""
    rows = _rows(board, pair)
    ratios = [claimed / true for row in rows for claimed, true in row[0]]
    if not ratios or not all(ratio.is_finite() for ratio in ratios):
        return None
    number = _constant(ratios)
    if number is not None:
        # One part in 10^70 is no factor that could be told.
        return None if number == 1 else _of_number(board, number)
    if pair.fixed:
        return None
    candidates = _candidates(board, rows)
    for words, divided in _products(candidates, ratios):
        number = _constant(divided)
        if (
            number is not None
            and max(abs(number.numerator), number.denominator) <= _MOST_COEFFICIENT
        ):
            return _of_formula(number, words)
    return None


def _of_number(board: Board, number: Fraction) -> Explanation:
    meaning = _meaning(board, abs(number))
    sign = "its sign is wrong, and " if number < 0 else ""
    size = abs(number)
    words = f"{sign}it is {size} times the derivative{meaning}"
    return Explanation("factor", words, str(number))


def _meaning(board: Board, size: Fraction) -> str:
    """What a number is in this program: a size, or the inverse of one."""
    for name, nodes in board.values.items():
        for dim, count in enumerate(np.shape(nodes)):
            if count > 1 and size in (count, Fraction(1, count)):
                return f" ({count} is the size of `{name}` along dim {dim})"
    for name, nodes in board.values.items():
        count = int(np.size(nodes))
        if count > 1 and size in (count, Fraction(1, count)):
            return f" (`{name}` has {count} elements)"
    return ""


def _of_formula(number: Fraction, factors: Sequence[tuple[str, int]]) -> Explanation:
    formula = _spelled(number, factors)
    inverse = _spelled(1 / number, [(words, -power) for words, power in factors])
    if all(power < 0 for _, power in factors):
        words = f"claimed / true = {formula}: the factor {inverse} is missing"
        return Explanation("missing-factor", words, formula)
    if all(power > 0 for _, power in factors):
        words = f"claimed / true = {formula}: the factor {formula} is too much"
        return Explanation("extra-factor", words, formula)
    return Explanation("factor", f"claimed / true = {formula}", formula)


def _spelled(number: Fraction, factors: Sequence[tuple[str, int]]) -> str:
    above = [_power(words, power) for words, power in factors if power > 0]
    below = [_power(words, -power) for words, power in factors if power < 0]
    top, bottom = abs(number.numerator), number.denominator
    above = [str(top), *above] if top != 1 or not above else above
    below = [str(bottom), *below] if bottom != 1 else below
    sign = "-" if number < 0 else ""
    over = "*".join(above)
    if not below:
        return f"{sign}{over}"
    under = "*".join(below)
    return f"{sign}{over}/({under})" if len(below) > 1 else f"{sign}{over}/{under}"


def _power(words: str, power: int) -> str:
    return words if power == 1 else f"{words}**{power}"


def _rows(board: Board, pair: Rivals) -> list[tuple[list[tuple[Any, Any]], dict[str, float]]]:
    """At each sample both sides, of the first elements whose true value is not 0."""
    rows = []
    for at in pair.samples():
        claimed, true = pair.sides(at)
        sides = list(zip(claimed, true, strict=True))[:_MOST_ELEMENTS]
        if any(t.is_zero() and not c.contains(0) for c, t in sides):
            return []  # no factor makes something of 0
        if all(c.is_finite() and t.is_finite() and not t.contains(0) for c, t in sides):
            rows.append((sides, at))
    return rows if len(rows) > 1 else []


def _candidates(board: Board, rows: Any) -> list[_Candidate]:
    """Numbers of the program that are the same for all elements, or one for each."""
    from flint import ctx

    size = len(rows[0][0])
    nodes = {}
    for name, given in board.values.items():
        flat = np.reshape(np.asarray(given), -1).tolist()
        if len(flat) == 1 or len(flat) >= size > 1:
            nodes[name] = flat[:size] if len(flat) > 1 else flat * size
    every = [node for flat in nodes.values() for node in flat]
    program = board.scalar_program(every)
    machine = Machine(program)
    found: dict[str, list[Any]] = {name: [] for name in nodes}
    for _, at in rows:
        values = machine.run(at, _BITS, lambda value: value)
        balls = iter([plain(values[i]) for i in program.outputs])
        for name, flat in nodes.items():
            found[name] += [next(balls) for _ in flat]
    with ctx.workprec(_BITS):
        return [c for name, values in found.items() for c in _forms(name, values)]


def _forms(name: str, values: list[Any]) -> Iterator[_Candidate]:
    yield _Candidate(name, values)
    yield _Candidate(f"(1 - {name})", [1 - v for v in values])
    yield _Candidate(f"(1 + {name})", [1 + v for v in values])
    yield _Candidate(f"exp({name})", [v.exp() for v in values])
    yield _Candidate(f"sin({name})", [v.sin() for v in values])
    yield _Candidate(f"cos({name})", [v.cos() for v in values])


def _products(
    candidates: Sequence[_Candidate], ratios: list[Any]
) -> Iterator[tuple[list[tuple[str, int]], list[Any]]]:
    """Products of one power, then of two, and the ratios divided by each."""
    singles = []
    for words, values in candidates:
        if not all(v.is_finite() and not v.contains(0) for v in values):
            continue
        for power in _POWERS:
            divided = [r / v**power for r, v in zip(ratios, values, strict=True)]
            singles.append(((words, power), divided))
            yield [(words, power)], divided
    # Floats find the pair, balls confirm it.
    logs = np.array([[_log(a / b) for a, b in zip(ratios, d, strict=True)] for _, d in singles])
    target = np.array([_log(r) for r in ratios])
    for i, (first, divided) in enumerate(singles):
        rest = target - logs[i] - logs[i + 1 :]
        flat = np.ptp(rest, axis=1) < 1e-9 if len(rest) else []
        for k in np.flatnonzero(flat):
            second = singles[i + 1 + int(k)][0]
            if second[0] != first[0]:
                values = next(c.values for c in candidates if c.words == second[0])
                both = [d / v ** second[1] for d, v in zip(divided, values, strict=True)]
                yield [first, second], both


def _log(value: Any) -> float:
    size = abs(float(value.mid()))
    return float(np.log(size)) if 0 < size < np.inf else float("nan")


def _constant(ratios: Sequence[Any]) -> Fraction | None:
    """The one number of small terms that all ratios are; None where there is none."""
    if not ratios[0].is_finite():
        return None
    number = midpoint(ratios[0]).limit_denominator(_MOST_TERM)
    if not number or abs(number.numerator) > _MOST_TERM:
        return None
    ball = exact_ball(number)
    return number if all(ratio.overlaps(ball) for ratio in ratios) else None
