"""How far answers are from a truth that is told in float64, point by point, and the spacing of a
dtype there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.witnesses.polynomials import Polynomial
    from gradcheck_cli.worlds.tensors import Tensor


def distances(p: Polynomial, x: Tensor, answers: Tensor) -> tuple[Tensor, Tensor]:
    """|answer - truth| times the polynomial's scale, and the truth times it, in float64."""
    answers = answers * p.scale if p.scale != 1.0 else answers
    if p.rests:
        truth, rest = _pairs(p, x)
        return (answers - truth).sub_(rest).abs_(), truth
    if len(p.coefficients) == 1:
        truth = answers.new_full(answers.shape, p.coefficients[0])
        return (answers - p.coefficients[0]).abs_(), truth
    t = (x - p.centre).mul_(1.0 / p.width)
    truth = t * p.coefficients[-1]
    for coefficient in p.coefficients[-2:0:-1]:
        truth.add_(coefficient).mul_(t)
    truth.add_(p.coefficients[0])
    return (answers - truth).abs_(), truth


def _pairs(p: Polynomial, x: Tensor) -> tuple[Tensor, Tensor]:
    """The truth as a sum of two: the leading product and sum are exact, by halves of 24 bits and by
    the error of a sum.

    Source: Knuth 1969, section 4.2.2, theorem B; Dekker 1971 for products of halves.
    """
    first, *more = p.coefficients
    if not more:
        truth = x.new_full(x.shape, first)
        return truth, truth.new_full(x.shape, p.rests[0])
    t = (x - p.centre).mul_(1.0 / p.width)
    upper = t.float().double()
    product = upper * more[0]
    truth = product + first
    back = truth - product
    rest = (first - back).add_(product.sub_(truth - back)).add_((t - upper).mul_(more[0]))
    further = t * 0.0
    for coefficient in more[:0:-1]:
        further.add_(coefficient).mul_(t)
    further.add_(p.rests[1]).mul_(t)
    return truth, rest.add_(further).add_(p.rests[0])


def ulps_of(sizes: Tensor, dtype: DType) -> Tensor:
    """Spacing of a dtype at numbers of float64 that are not below 0, from their exponents."""
    import torch

    bits = sizes.view(torch.int64) & (0x7FF << 52)
    least, down = (dtype.least + 1023) << 52, (dtype.digits - 1) << 52
    if least > down:
        return bits.clamp_(min=least).sub_(down).view(torch.float64)
    # Of float64 itself: subnormal spacings have no exponent of their own.
    return bits.clamp_(min=1 << 52).view(torch.float64) * 2.0 ** (1 - dtype.digits)
