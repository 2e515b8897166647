"""The rules of extrapolation for one column, written as one reads them: step by step, with lists
cut to the window.
"""

from __future__ import annotations

from itertools import pairwise
from math import inf, isfinite, nextafter, ulp

import numpy as np

from gradcheck_cli.witnesses.extrapolation import ORDERS, SMALLEST, Slope


def one_column(slopes, noise, order):
    """A Slope, or None where fewer than three steps are usable."""
    usable = [isfinite(a) and isfinite(b) for a, b in zip(slopes, noise, strict=True)]
    while usable and not usable[-1]:
        usable.pop()
    first = len(usable) - [*usable[::-1], False].index(False)
    if sum(usable) < 3 or len(usable) - first < 3:
        # There are values, but nothing is known of their errors.
        there = [a for a in slopes if isfinite(a)]
        return Slope(float(there[-1]), inf) if len(there) >= 3 else None
    column, error = np.array(slopes[first : len(usable)]), np.array(noise[first : len(usable)])
    with np.errstate(all="ignore"):
        if tails(column, error)[-1] == inf:
            last = np.abs(column[-6:])
            return Slope(float(column[-1]), inf, all(b > a for a, b in pairwise(last)))
        best = min(entries(column, error, order), key=lambda entry: entry[0], default=(inf, 0.0))
    if best[0] == inf:
        return None
    return Slope(best[1], max(2 * best[0] + spacing(best[1]), SMALLEST))


def spacing(value):
    """Distance from a number to the next larger one; nothing is known beyond the largest."""
    return ulp(value) if isfinite(nextafter(abs(value), inf)) else np.nan


def entries(column, error, order):
    """(total error, value) of every entry of the table whose total is finite, row by row of rising
    order.
    """
    for j in range(ORDERS + 1):
        if j:
            factor = 2.0 ** (order * j)
            before = column
            column = (factor * column[1:] - column[:-1]) / (factor - 1)
            error = (factor * error[1:] + error[:-1]) / (factor - 1)
            truncation = [
                max_or_nan(abs(c - before[k + 1]), abs(c - before[k])) for k, c in enumerate(column)
            ]
        else:
            following = [*column[1:], 2 * column[-1] - column[-2]]
            truncation = [abs(b - a) for a, b in zip(column, following, strict=True)]
        for k, tail in enumerate(tails(column, error)):
            total = truncation[k] * tail + error[k] + contradiction(column, error, k)
            if isfinite(total):
                yield float(total), float(column[k])
        if len(column) < 2:
            return


def tails(column, error):
    """By how much the change at each step is to be multiplied."""
    found = [1.0] * len(column)
    if len(column) < 4:
        return found
    change = np.abs(np.diff(column))
    slow = [False, False]
    for k in range(2, len(column)):
        ratio = change[k - 1] / change[k - 2]
        slow.append(
            bool(ratio > 0.55 and change[k - 1] > 4 * error[k] and change[k - 2] > 4 * error[k - 1])
        )
        if slow[k] and (k == 2 or slow[k - 1]):
            found[k] = max(ratio / (1 - ratio), 1.0) if ratio < 0.98 else inf
    return found


def contradiction(column, error, k):
    """How far an entry lies above what any later one allows, or below it."""
    above = [column[k] - (c + e) for c, e in zip(column[k + 1 :], error[k + 1 :], strict=True)]
    below = [(c - e) - column[k] for c, e in zip(column[k + 1 :], error[k + 1 :], strict=True)]
    return max_or_nan(*above, *below, 0.0)


def max_or_nan(*values):
    """The largest, NaN if one is."""
    return float(np.max(values))
