"""What the backward gives, divided by the derivative: a number, or a formula of what the forward
computed.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcheck_cli.diagnosis.closeness import CLOSE
from gradcheck_cli.diagnosis.diagnosis import Diagnosis
from gradcheck_cli.diagnosis.scene import fittings
from gradcheck_cli.language.program import Number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.diagnosis.case import Case
    from gradcheck_cli.diagnosis.closeness import SampleNumbers

# Numerators and denominators that people get by mistake: sizes, or what stands beside a formula.
_MOST_TERM, _MOST_COEFFICIENT = 1_000, 64
# Right to so many digits and not to more: a number is held in float32 somewhere.
_FLOAT32 = 2e-6
# Arrays that are tried two at a time, at most.
_MOST_PAIRED = 160


class FormPower(NamedTuple):
    """A form of an array to a power, at every sample and element."""

    words: str
    exponent: Fraction
    values: SampleNumbers


def constant_factor(case: Case) -> Diagnosis | None:
    """One number times the derivative."""
    ratio = ratio_of(case.mine, case.true)
    number = None if ratio is None else the_number(ratio)
    if not number:
        return None
    words = factor_words(case, number)
    kind = "sign" if number == -1 else "factor"
    return Diagnosis(kind, words, _text(number))


def few_digits(case: Case) -> Diagnosis | None:
    """Right to the digits of float32."""
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(case.true), 1e-3 * np.abs(case.true).max())
        error = float(np.nanmax(np.abs(case.mine - case.true) / size))
    if not 0 < error < _FLOAT32:
        return None
    digits = int(-np.log10(error))
    words = f"right to {digits} digits only: a constant is rounded, to float32 perhaps"
    return Diagnosis("digits", words)


def missing_factor(case: Case) -> Diagnosis | None:
    """The derivative with factors of the forward that are missing, or too much."""
    found = chain_factor(case)
    return None if found is None or found.kind == "chain-factor" else found


def chain_factor(case: Case) -> Diagnosis | None:
    """The derivative times powers of what the forward computed."""
    ratio = ratio_of(case.mine, case.true)
    return None if ratio is None else formula_factor(case, ratio)


def ratio_of(mine: SampleNumbers, true: SampleNumbers) -> SampleNumbers | None:
    """Both sides divided, one row a sample, NaN where both are 0; None where it is of no use."""
    zero = true == 0
    if zero.all() or (mine[zero] != 0).any():
        return None
    with np.errstate(all="ignore"):
        return np.where(zero, np.nan, mine / np.where(zero, 1.0, true))


def the_number(ratio: SampleNumbers) -> Fraction | float | None:
    """The one number that a ratio is everywhere, a fraction of small terms where it is one; None
    where it is none, or 1.
    """
    values = ratio[~np.isnan(ratio)]
    if values.size < 2 or not _is_constant(values):
        return None
    value = float(values[0])
    number = Fraction(value).limit_denominator(_MOST_TERM)
    if abs(float(number) - value) <= 4 * CLOSE * abs(value) and abs(number.numerator) <= _MOST_TERM:
        return None if number == 1 else number
    return value


def factor_words(case: Case, number: Fraction | float) -> str:
    """What a constant factor is, in words."""
    if number == -1:
        return "the sign is wrong"
    sign = "the sign is wrong, and it is " if number < 0 else ""
    size = -number if number < 0 else number
    plain = float(size)
    constant = _constant_words(case, plain)
    if constant and not (isinstance(size, Fraction) and 1 in (size.numerator, size.denominator)):
        return f"{sign}{plain:.6g} times the derivative: {constant}"
    if isinstance(size, Fraction):
        named = {Fraction(2): "twice", Fraction(1, 2): "half"}.get(size, f"{size} times")
        return f"{sign}{named} the derivative{_meaning(case, size)}"
    return f"{sign}{plain:.6g} times the derivative"


def _constant_words(case: Case, size: float) -> str:
    """What a number of the forward has to do with a factor; empty where none has."""
    for constant in fractions_of(case):
        if abs(1 / constant - size) <= 4 * CLOSE * size:
            return f"the factor {constant:.6g} of the forward is missing"
        if abs(constant - size) <= 4 * CLOSE * size:
            return f"the factor {constant:.6g} of the forward is too much, or not divided by"
    return ""


def fractions_of(case: Case) -> list[float]:
    """The numbers of the forward that are not whole."""
    nodes = case.scene.recording.tape.builder.nodes[: case.scene.recording.forward]
    made = [float(n.value) for n in nodes if isinstance(n, Number) and n.value != 0]
    return [abs(v) for v in made if np.isfinite(v) and v != int(v)]


def _meaning(case: Case, size: Fraction) -> str:
    """What a number is in this call: a size, or the inverse of one."""
    inverse = size < 1
    number = 1 / size if inverse else size
    if number.denominator != 1 or number <= 2:
        return _of_size(case, int(number)) if number == 2 else ""
    words = _of_size(case, int(number))
    if not words:
        return ""
    other = "a mean stands for a sum" if inverse else "a sum stands for a mean"
    return f"{words}: {other}, or a division is {'too much' if inverse else 'missing'}"


def _of_size(case: Case, number: int) -> str:
    """Which size a number is."""
    recording = case.scene.recording
    shapes = {f"`{name}`": shape for name, shape in recording.shapes.items()}
    shapes["the result"] = recording.outputs.shape
    for name, shape in shapes.items():
        if len(shape) > 1 and shape[0] == number:
            return f" ({number} is the size of the batch, {name} along dim 0)"
    for name, shape in shapes.items():
        if prod(shape) == number:
            return f" ({number} is the number of elements of {name})"
    for name, shape in shapes.items():
        if number in shape:
            return f" ({number} is the size of {name} along dim {shape.index(number)})"
    return ""


def formula_factor(case: Case, ratio: SampleNumbers) -> Diagnosis | None:
    """What a ratio is: a product of at most two powers, times a number."""
    keep = ~np.isnan(ratio)
    values = ratio[keep]
    if values.size < 2 or not np.isfinite(values).all() or (values == 0).any():
        return None
    powers = list(_powers(case, keep))
    for power in powers:
        number = _coefficient(values / power.values)
        if number is not None:
            return _formula(number, [power])
    return _pairs(powers, values)


def _pairs(powers: Sequence[FormPower], values: SampleNumbers) -> Diagnosis | None:
    # Two signs make a sign of nearly anything.
    small = [p for p in powers if abs(p.exponent) <= 1 and not p.words.startswith("sign(")]
    plain = small[:_MOST_PAIRED]
    logs = np.array([np.log(np.abs(p.values)) for p in plain])
    target = np.log(np.abs(values))
    for i, first in enumerate(plain):
        rest = target - logs[i] - logs[i + 1 :]
        for k in np.flatnonzero(np.ptp(rest, axis=1) < 1e-9) if len(rest) else ():
            second = plain[i + 1 + int(k)]
            number = _coefficient(values / first.values / second.values)
            if second.words != first.words and number is not None:
                return _formula(number, [first, second])
    return None


def _powers(case: Case, keep: Any) -> Iterator[FormPower]:
    """Powers of the forward's arrays that fit the input's shape and are not constant."""
    for known in case.words.arrays:
        for nodes in () if known.is_constant else fittings(known.nodes, case.shape):
            values = case.scene.numbers(nodes)[keep]
            for words, form in _forms(known.words, values):
                if np.isfinite(form).all() and (form != 0).all() and not _is_constant(form):
                    yield from _raised(words, form)
            with np.errstate(all="ignore"):
                # A sign is its own inverse: it is one that is missing.
                sign, bare = 1 / np.sign(values), known.words.strip("`")
            if np.isfinite(sign).all() and not _is_constant(sign):
                yield FormPower(f"sign({bare})", Fraction(-1), sign)


def _raised(words: str, form: SampleNumbers) -> Iterator[FormPower]:
    for exponent in (1, -1, 2, -2, 3, -3):
        yield FormPower(words, Fraction(exponent), form**exponent)
    if (form > 0).all():
        for half in (Fraction(1, 2), Fraction(-1, 2)):
            yield FormPower(words, half, form ** float(half))


def _forms(words: str, values: SampleNumbers) -> Iterator[tuple[str, SampleNumbers]]:
    bare = words.strip("`")
    one = f"({bare})" if " " in bare and not bare.endswith(")") else bare
    yield one, values
    yield f"(1 - {one})", 1 - values
    yield f"(1 + {one})", 1 + values
    yield f"(1 - {one}**2)", 1 - values**2
    yield f"(1 + {one}**2)", 1 + values**2
    if np.abs(values).max(initial=0) < 300:
        yield f"exp({bare})", np.exp(values)
    yield f"sin({bare})", np.sin(values)
    yield f"cos({bare})", np.cos(values)


def _coefficient(values: SampleNumbers) -> Fraction | None:
    """The number that remains; None where it is none of small terms."""
    if not np.isfinite(values).all() or not _is_constant(values):
        return None
    number = Fraction(float(values.flat[0])).limit_denominator(_MOST_COEFFICIENT)
    is_small = number and abs(number.numerator) <= _MOST_COEFFICIENT
    is_it = abs(float(number) - values.flat[0]) <= 8 * CLOSE * abs(float(number))
    return number if is_small and is_it else None


def _is_constant(values: SampleNumbers) -> bool:
    """Whether numbers are all the same, NaN left out."""
    first = values.flat[0]
    return bool((np.abs(values - first) <= 4 * CLOSE * abs(first)).all())


def _formula(number: Fraction, powers: Sequence[FormPower]) -> Diagnosis:
    exponents = Counter({p.words: p.exponent for p in powers})
    formula = _spelled(number, exponents)
    if all(e < 0 for e in exponents.values()):
        missing = _spelled(1 / number, {w: -e for w, e in exponents.items()})
        words = f"the factor `{missing}` is missing (returned / true = {formula})"
        return Diagnosis("missing-factor", words, formula)
    if all(e > 0 for e in exponents.values()):
        words = f"the factor `{formula}` is too much, or a division by it is missing"
        words = f"{words} (returned / true = {formula})"
        return Diagnosis("extra-factor", words, formula)
    words = f"returned / true = {formula}: a factor of the chain rule is another"
    return Diagnosis("chain-factor", words, formula)


def _spelled(number: Fraction, exponents: Any) -> str:
    above = [_power(w, e) for w, e in exponents.items() if e > 0]
    below = [_power(w, -e) for w, e in exponents.items() if e < 0]
    top, bottom = abs(number.numerator), number.denominator
    above = [str(top), *above] if top != 1 or not above else above
    below = [str(bottom), *below] if bottom != 1 else below
    sign = "-" if number < 0 else ""
    if not below:
        return f"{sign}{'*'.join(above)}"
    under = "*".join(below)
    return f"{sign}{'*'.join(above)}/{f'({under})' if len(below) > 1 else under}"


def _power(words: str, exponent: Fraction) -> str:
    if exponent == 1:
        return words
    if exponent == Fraction(1, 2):
        return f"sqrt({words.strip('()')})"
    return f"{words}**{exponent}"


def _text(number: Fraction | float) -> str:
    return str(number) if isinstance(number, Fraction) else f"{number:.12g}"
