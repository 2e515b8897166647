"""The factor between a claim and the derivative: a number, or a formula of what the program has.

It is looked for at a few elements, and told only where it makes the one of the other at every
sample and element.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcheck_cli.claims.verdict import Explanation
from gradcheck_cli.worlds.balls import Machine, exact_ball, midpoint, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.claims.board import Board
    from gradcheck_cli.claims.rivals import Rivals
    from gradcheck_cli.worlds.scalars import Indices

# Numerators and denominators of factors that people make by mistake: sizes, or what stands beside a
# formula. Both are guesses; larger ones are found by chance.
_MOST_TERM, _MOST_COEFFICIENT = 1_000, 64
# Elements of a tensor at which a factor is looked for.
_MOST_ELEMENTS = 4
_POWERS = (-1, 1, -2, 2)


class _Candidate(NamedTuple):
    """A quantity of the program: its scalars, and its values where a factor is looked for."""

    words: str
    nodes: Indices
    values: list[Any]


class _Power(NamedTuple):
    base: _Candidate
    exponent: int


def factor_between(board: Board, pair: Rivals) -> Explanation | None:
    """Claimed / true as a constant, or as a product of powers of what the program has."""
    samples = _samples(pair)
    ratios = [claimed / true for sides, _ in samples for claimed, true in sides]
    if not ratios or not all(ratio.is_finite() for ratio in ratios):
        return None
    number = _constant(ratios, _MOST_TERM)
    if number is not None:
        # A factor that is 1 to 70 digits is none that could be told.
        holds = number != 1 and _makes(board, pair, number, ())
        return _of_number(board, number) if holds else None
    if pair.fixed:
        return None
    for factors, divided in _products(_candidates(board, pair, samples), ratios):
        number = _constant(divided, _MOST_COEFFICIENT)
        if number is not None and _makes(board, pair, number, factors):
            return _of_formula(number, [(f.base.words, f.exponent) for f in factors])
    return None


def _makes(board: Board, pair: Rivals, number: Fraction, factors: Sequence[_Power]) -> bool:
    """Whether the derivative times a factor is what is claimed."""
    nodes = board.mapped("mul", pair.true, board.builder.number(number))
    for base, exponent in factors:
        power = board.mapped("pow", base.nodes, board.builder.number(exponent))
        nodes = board.mapped("mul", nodes, power)
    return np.shape(nodes) == np.shape(pair.claimed) and pair.beside(pair.claimed, nodes).agree()


def _of_number(board: Board, number: Fraction) -> Explanation:
    meaning = _meaning(board, abs(number))
    sign = "its sign is wrong, and " if number < 0 else ""
    words = f"{sign}it is {abs(number)} times the derivative{meaning}"
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
    if all(power < 0 for _, power in factors):
        missing = _spelled(1 / number, [(words, -power) for words, power in factors])
        words = f"claimed / true = {formula}: the factor {missing} is missing"
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


def _samples(pair: Rivals) -> list[tuple[list[tuple[Any, Any]], dict[str, float]]]:
    """Both sides of the first elements at the samples where none of them is 0; nothing where there
    are fewer than two, which any number fits.
    """
    found = []
    for at in pair.samples():
        sides = list(zip(*pair.sides(at), strict=True))[:_MOST_ELEMENTS]
        if all(c.is_finite() and t.is_finite() and not t.contains(0) for c, t in sides):
            found.append((sides, at))
    return found if len(found) > 1 else []


def _candidates(board: Board, pair: Rivals, samples: Any) -> list[_Candidate]:
    """Quantities that are one number, or one for each element of the derivative."""
    shape = np.shape(pair.true)
    known = {n: nodes for n, nodes in board.values.items() if np.shape(nodes) in ((), shape)}
    forms = [form for name, nodes in known.items() for form in _forms(board, name, nodes)]
    flat = [np.broadcast_to(nodes, shape).reshape(-1)[:_MOST_ELEMENTS] for _, nodes in forms]
    program = board.scalar_program([int(node) for nodes in flat for node in nodes])
    machine, runs = Machine(program), []
    for _, at in samples:
        values = pair.evaluated(machine, at)
        runs.append(iter([plain(values[i]) for i in program.outputs]))
    found = []
    for (words, nodes), places in zip(forms, flat, strict=True):
        values = [next(run) for run in runs for _ in places]
        if all(v.is_finite() and not v.contains(0) for v in values):
            found.append(_Candidate(words, nodes, values))
    return found


def _forms(board: Board, name: str, nodes: Indices) -> Iterator[tuple[str, Indices]]:
    one = board.builder.number(1)
    yield name, nodes
    yield f"(1 - {name})", board.mapped("sub", one, nodes)
    yield f"(1 + {name})", board.mapped("add", one, nodes)
    yield f"exp({name})", board.mapped("exp", nodes)
    yield f"sin({name})", board.mapped("sin", nodes)
    yield f"cos({name})", board.mapped("cos", nodes)


def _products(
    candidates: Sequence[_Candidate], ratios: list[Any]
) -> Iterator[tuple[tuple[_Power, ...], list[Any]]]:
    """Products of one power, then of two, and the ratios divided by each."""
    singles = []
    for base in candidates:
        for exponent in _POWERS:
            divided = [r / v**exponent for r, v in zip(ratios, base.values, strict=True)]
            singles.append((_Power(base, exponent), divided))
            yield (singles[-1][0],), divided
    # Floats find the pair, balls confirm it.
    logs = np.array([[_log(a / b) for a, b in zip(ratios, d, strict=True)] for _, d in singles])
    target = np.array([_log(r) for r in ratios])
    for i, (first, divided) in enumerate(singles):
        rest = target - logs[i] - logs[i + 1 :]
        for k in np.flatnonzero(np.ptp(rest, axis=1) < 1e-9) if len(rest) else ():
            second = singles[i + 1 + int(k)][0]
            if second.base is not first.base:
                values = zip(divided, second.base.values, strict=True)
                yield (first, second), [d / v**second.exponent for d, v in values]


def _log(value: Any) -> float:
    size = abs(float(value.mid()))
    return float(np.log(size)) if 0 < size < np.inf else float("nan")


def _constant(ratios: Sequence[Any], most: int) -> Fraction | None:
    """The one number of small terms that all ratios are; None where there is none."""
    if not ratios[0].is_finite():
        return None
    number = midpoint(ratios[0]).limit_denominator(most)
    if not number or abs(number.numerator) > most:
        return None
    ball = exact_ball(number)
    return number if all(ratio.overlaps(ball) for ratio in ratios) else None
