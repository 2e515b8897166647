"""Sampling shared by the laws: calls of a row as texts, points in short decimals, and what they
come to in balls.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from asking import autograd, evidence, points, reference

from gradcheck_cli.calculus.cuts import stopped
from gradcheck_cli.calculus.formulas import is_elementwise
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.functions import table
from gradcheck_cli.judge.bench import judge
from gradcheck_cli.judge.forward import forward_note
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.program import fold
from gradcheck_cli.language.text import setting_text
from gradcheck_cli.subjects import Execution
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.autograd import Backward
from gradcheck_cli.witnesses.reference import Proof
from gradcheck_cli.witnesses.truth import Certified
from gradcheck_cli.worlds import balls, tensors
from gradcheck_cli.worlds.scalars import expand

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradcheck_cli.functions.row import Function
    from gradcheck_cli.judge.evidence import Evidence
    from gradcheck_cli.judge.verdict import Verdict
    from gradcheck_cli.questions.batch import Point

INPUTS = ("x", "y", "z", "w", "v")
# (low, high, decimals): near 0, on both sides of 1, probabilities, the middle range, and where
# exponentials are large.
_RANGES = (
    (-0.99, 0.99, 2),
    (-3.0, 3.0, 2),
    (0.05, 0.95, 2),
    (1.1, 9.0, 1),
    (-15.0, 15.0, 1),
    (-4.0, 4.0, 0),
)
_TRIES = 600
# Settings that are words: the table gives the default only.
_WORDS = {"approximate": ("none", "tanh")}
# Settings without a default, which no rule could guess.
_REQUIRED = {"threshold": Fraction("0.3"), "value": Fraction("-0.7")}


class Sample(NamedTuple):
    """One call of a row at one point; `gradcheck TEXT --at POINT` repeats it."""

    row: Function
    text: str
    point: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"gradcheck {self.text!r} --at {self.at}"

    @property
    def at(self) -> str:
        """The point as `--at` takes it."""
        return ",".join(f"{name}={value}" for name, value in self.point)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Inputs that stand for numbers, not for a condition; the others have no part in a
        derivative.
        """
        kinds = [p.kind for p in self.row.parsed.args if p.kind != "index"]
        return tuple(name for (name, _), kind in zip(self.point, kinds, strict=False) if not kind)

    @property
    def values(self) -> dict[str, float]:
        """The point as floats: short decimals, so these are the numbers that float64 takes for
        them.
        """
        return {name: float(value) for name, value in self.point}


def named(row: Function) -> str:
    """Test id of a row."""
    return row.name


def all_rows() -> list[Function]:
    """Every row of the table."""
    return list(table().values())


def elementwise_rows() -> list[Function]:
    """Rows that act on each element by itself."""
    return [row for row in all_rows() if is_elementwise(row.name)]


def array_rows() -> list[Function]:
    """Rows that act on whole arrays."""
    return [row for row in all_rows() if not is_elementwise(row.name)]


def followed_rows() -> list[Function]:
    """Elementwise rows whose gradient is that of their value: none is stopped (`test_stops`)."""
    return [row for row in elementwise_rows() if not stopped(row.name)]


def differentiable_rows() -> list[Function]:
    """Elementwise rows that take a number and that torch differentiates."""
    return [
        row
        for row in followed_rows()
        if row.backward and not row.condition and any(not p.kind for p in row.parsed.args)
    ]


def variants(row: Function) -> list[dict[str, Any]]:
    """Settings to try: the defaults, every word, and numbers a little off their defaults (0.3 is no
    dyadic number).
    """
    plain: dict[str, Any] = {p.name: _REQUIRED[p.name] for p in row.parsed.settings if p.required}
    moved = {
        p.name: p.default + Fraction(3, 10)
        for p in row.parsed.settings
        if isinstance(p.default, Fraction)
    }
    words = [{p.name: word} for p in row.parsed.settings for word in _WORDS.get(p.name, ())]
    return [plain, *([plain | moved] if moved else []), *(plain | word for word in words)]


def call_text(row: Function, settings: Mapping[str, Any], order: int = 1) -> str:
    """A call of an elementwise row on the inputs x, y, z; `order` stands where an integer is
    needed.
    """
    forms, names = {"condition": "({} > 0)", "": "{}"}, iter(INPUTS)
    args = [
        str(order) if p.kind == "index" else forms[p.kind].format(next(names))
        for p in row.parsed.args
    ]
    args += [f"{name}={setting_text(value)}" for name, value in settings.items()]
    text = f"{row.name}({', '.join(args)})" if args else f"{row.name} * x"
    return f"where({text}, 1, 0)" if row.condition else text


def inputs_of(text: str) -> tuple[str, ...]:
    """Names of the inputs of a program."""
    return parse(text).variables


@cache
def samples(row: Function, count: int = 6) -> tuple[Sample, ...]:
    """For each variant of a row's settings, up to `count` points inside the domain and off every
    kink.
    """
    found: list[Sample] = []
    for k, settings in enumerate(variants(row)):
        random = seeded(f"{row.name} {k}")
        inside: list[Sample] = []
        for _ in range(_TRIES):
            text = call_text(row, settings, order=random.randint(0, 4))
            candidate = Sample(row, text, tuple((name, short(random)) for name in inputs_of(text)))
            if candidate not in inside and is_inside(candidate):
                inside.append(candidate)
            if len(inside) == count:
                break
        assert len(inside) == count, (
            f"{row.name}: {len(inside)} of {_TRIES} points are inside its domain"
        )
        found += inside
    return tuple(found)


def seeded(text: str) -> Random:
    """A generator that gives the same numbers for the same text, on every machine."""
    return Random(text)  # noqa: S311 - points, not secrets


def short(random: Random) -> str:
    """A short decimal, such as -1.25."""
    low, high, decimals = random.choice(_RANGES)
    text = f"{random.uniform(low, high):.{decimals}f}"
    return text if float(text) else "0"


def is_inside(sample: Sample) -> bool:
    """Whether torch takes the point, and balls certify the value and every partial there: neither
    outside the domain nor on a kink.
    """
    found = case_of(sample)
    proved = reference(found)
    return (
        torch_value(found) is not None
        and isinstance(proved, Proof)
        and all(isinstance(answer, Certified) for answer in (*proved.forward, *proved.partials))
    )


def case_of(sample: Sample, dtype: str = "float64", cotangent: Any = None) -> Point:
    """The point of a sample."""
    return case(sample.text, sample.at, dtype, cotangent, sample.numbers)


def case(
    text: str, at: str, dtype: str = "float64", cotangent: Any = None, wrt: tuple[str, ...] = ()
) -> Point:
    """A program at a point, as the command line makes it."""
    return points(text, [at], wrt=wrt, cotangent=cotangent, dtypes=[dtype])[0]


def evidence_of(found: Point) -> Evidence:
    """What reference and autograd say; SymPy is not asked, nor are differences."""
    nobody = Abstention("not asked")
    return evidence(
        found, reference=reference(found), analytic=nobody, autograd=autograd(found), numeric=nobody
    )


def torch_value(found: Point) -> tuple[float, ...] | None:
    """torch's value alone, row-major: some functions refuse when a gradient is wanted. None where
    torch refuses the point.
    """
    import torch

    like = torch.empty((), dtype=getattr(torch, found.dtype.name))
    try:
        values = fold(
            found.specification,
            tensors.Tensors(found.dtype.round, like),
            {name: torch.tensor(array).to(like) for name, array in found.at.items()},
        )
    except RuntimeError:
        return None
    return tuple(
        tensors.tensor(values[found.specification.result], like).double().reshape(-1).tolist()
    )


def forward_told(found: Point) -> str | None:
    """What the judge says against torch's value; None where rounding explains it."""
    nobody = Abstention("not asked")
    value = torch_value(found)
    assert value is not None, "torch refuses the point"
    return forward_note(
        evidence(
            found,
            reference=reference(found),
            analytic=nobody,
            autograd=Backward(value, (), (), Execution(None)),
            numeric=nobody,
        )
    )


def verdicts_of(found: Point) -> tuple[Verdict, ...]:
    """The judge's verdict on each partial, from reference and autograd alone."""
    return judge(evidence_of(found))


def enclose(text: str, at: Mapping[str, float], bits: int = 256) -> Any:
    """The ball of a scalar program's value."""
    scalars = expand(parse(text), dict.fromkeys(inputs_of(text), ()))
    program = scalars.builder.program(scalars.values[parse(text).result])
    return balls.plain(
        balls.Machine(program).run(at, bits, DTYPES["float64"].round)[program.result]
    )
