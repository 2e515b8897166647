"""A trial of code: the call asked for, the variants of it, and what is proved for all inputs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gradcheck_cli.code.arguments import array_of, value_of
from gradcheck_cli.code.call import CodeCall, Followed, check_code
from gradcheck_cli.code.callables import adapt
from gradcheck_cli.code.variants import Tried, tried, variants_of
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.judge.all_inputs import proved_for_all_inputs
from gradcheck_cli.language.errors import Mistake, PointError, did_you_mean
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.subjects.function import FunctionSubject
from gradcheck_cli.worlds.identity import Identity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gradcheck_cli.checks.result import Result
    from gradcheck_cli.code.arguments import Argument
    from gradcheck_cli.judge.evidence import Tolerance
    from gradcheck_cli.questions.arrays import RoundedNumber


@dataclass(frozen=True)
class Wanted:
    """What is asked of code.

    Attributes:
        variants: names of those that are tried; None for all, empty for none.
        order: 2 where what is wrong with the backward's own backward counts.
    """

    wrt: tuple[str, ...] = ()
    dtype: str = "float64"
    device: str = "cpu"
    cotangent: Sequence[float] | None = None
    seed: int = 0
    variants: tuple[str, ...] | None = None
    order: int = 1
    tolerance: Tolerance | None = None


@dataclass(frozen=True, eq=False)
class Trial:
    """What became of code.

    Attributes:
        tried: the variants, in order.
        identity: whether the backward is right for all inputs of these shapes.
        place: where the code is defined.
    """

    result: Result
    followed: Followed
    tried: tuple[Tried, ...] = ()
    identity: Identity = field(default_factory=lambda: Identity(None))
    rounded: tuple[RoundedNumber, ...] = ()
    place: str = ""

    @property
    def outcome(self) -> Outcome:
        """That of the call; `wrong` where a variant is."""
        wrong = any(one.is_wrong for one in self.tried)
        return Outcome.WRONG if wrong else self.result.outcome


def call_of(
    found: Any,
    title: str,
    arguments: Mapping[str, Argument],
    wanted: Wanted,
    rounded: list[RoundedNumber],
) -> tuple[CodeCall, str]:
    """The call that is asked for, and where the code is defined.

    Raises:
        PointError: names or numbers are not right.
    """
    dtype = DTYPES[wanted.dtype]
    tensors = [n for n, a in arguments.items() if a.kind == "tensor" or n in wanted.wrt]
    if not tensors:
        tensors = [name for name, a in arguments.items() if a.kind == "number"]
    arrays = {n: array_of(arguments[n], dtype, wanted.seed, rounded) for n in tensors}
    fixed = {n: value_of(a) for n, a in arguments.items() if n not in arrays}
    adapted = adapt(found, title, tuple(arguments), fixed)
    everything = {**arrays, **adapted.parameters}
    unknown = [name for name in wanted.wrt if name not in everything]
    if unknown:
        help_ = did_you_mean(unknown[0], everything) or f"there are {', '.join(everything)}"
        raise PointError([Mistake("unknown-input", f"no input `{unknown[0]}` to differentiate", help=help_)])  # fmt: skip
    wrt = wanted.wrt or tuple(everything)
    if not wrt:
        hint = "give one with a decimal point, a list or `randn(3)`"
        raise PointError([Mistake("no-input", "there is no tensor to differentiate", help=hint)])
    subject = FunctionSubject(adapted.function, title, tuple(everything))
    given = wanted.cotangent
    cotangent: Callable[[int], Sequence[float]] | None = None if given is None else lambda _: given
    call = CodeCall(subject, everything, wrt, dtype, wanted.device, cotangent)
    return call, adapted.place


def try_code(
    found: Any,
    title: str,
    arguments: Mapping[str, Argument],
    wanted: Wanted,
    tell: Callable[[str], None] = lambda name: None,
) -> Trial:
    """What becomes of code.

    Args:
        tell: is given the name of each step when it begins.
    Raises:
        PointError: names or numbers are not right.
        RuntimeError: the forward raises, whatever it is.
    """
    rounded: list[RoundedNumber] = []
    call, place = call_of(found, title, arguments, wanted, rounded)
    tell("call")
    result, followed = check_code(call, wanted.tolerance)
    trial = Trial(result, followed, (), Identity(None), tuple(rounded), place)
    if followed.recording is not None and result.outcome is not Outcome.WRONG:
        tell("proof")
        trial = replace(trial, identity=proved_for_all_inputs(result.evidence.point))
    return replace(trial, tried=tuple(_tried(call, arguments, wanted, tell)))


def _tried(
    call: CodeCall, arguments: Mapping[str, Argument], wanted: Wanted, tell: Callable[[str], None]
) -> Iterator[Tried]:
    rows = [n for n in arguments if n in call.arrays and call.arrays[n].ndim]
    size = call.arrays[rows[0]].shape[0] if rows else 0
    batched = tuple(n for n in rows if call.arrays[n].shape[0] == size)
    for variant in variants_of(call, batched=batched, order=wanted.order):
        if wanted.variants is None or variant.name in wanted.variants:
            tell(variant.name)
            yield tried(variant)
