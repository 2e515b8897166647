"""A trial of code: the call asked for, the variants of it, and what is proved for all inputs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from time import process_time
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.code.arguments import argument_text, numbers_array, plain_value
from gradcheck_cli.code.call import (
    CodeCall,
    Followed,
    check_code,
    follow,
    raised_result,
)
from gradcheck_cli.code.callables import Adapted, adapt
from gradcheck_cli.code.directions import directed
from gradcheck_cli.code.explained import explained, is_wrong, variant_explained
from gradcheck_cli.code.parts import with_parts
from gradcheck_cli.code.repeats import repeated
from gradcheck_cli.code.standards import Standard, standard_of
from gradcheck_cli.code.upstream import weighed
from gradcheck_cli.code.variants import EVERY_VARIANT, Tried, Variant, tried, variants_of
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.judge.all_inputs import proved_for_all_inputs
from gradcheck_cli.language.errors import Mistake, PointError, did_you_mean
from gradcheck_cli.recording.recording import BackwardRaised
from gradcheck_cli.records.numbers import typed_text
from gradcheck_cli.settings.readers import RETURNED
from gradcheck_cli.subjects.function import FunctionSubject
from gradcheck_cli.subjects.pair_calls import PairError
from gradcheck_cli.worlds.identity import Identity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gradcheck_cli.checks.result import Result
    from gradcheck_cli.code.arguments import CodeArgument
    from gradcheck_cli.diagnosis.diagnosis import Diagnosis
    from gradcheck_cli.judge.evidence import Tolerance
    from gradcheck_cli.questions.arrays import Array, RoundedNumber


# Seconds of computing for all variants together; one that has begun goes on to its own limit.
VARIANTS_LIMIT = 30.0


@dataclass(frozen=True)
class TrialOptions:
    """What is asked of code.

    Attributes:
        variants: names of those that are tried; None for all, empty for none.
        order: 2 where what is wrong with the backward's own backward counts.
        spec, meant, twin: what it is held against, as `code.standards` has it.
        backward: that of a function of NumPy arrays, or `RETURNED`.
        repeat: how often it is run.
        is_named: whether a command finds it by its title.
    """

    wrt: tuple[str, ...] = ()
    dtype: str = "float64"
    device: str = "cpu"
    cotangent: Sequence[float] | None = None
    seed: int = 0
    variants: tuple[str, ...] | None = None
    order: int = 1
    tolerance: Tolerance | None = None
    spec: str | None = None
    meant: str | None = None
    twin: Any = None
    twin_title: str = ""
    backward: Any = None
    backward_title: str = ""
    repeat: int = 1
    is_named: bool = False


@dataclass(frozen=True, eq=False)
class Trial:
    """What became of code.

    Attributes:
        tried: the variants, in order.
        identity: whether the backward is right for all inputs of these shapes.
        place: where the code is defined.
        doing: the step that begins now, empty at the end.
    """

    result: Result
    followed: Followed
    tried: tuple[Tried, ...] = ()
    identity: Identity = field(default_factory=lambda: Identity(None))
    rounded: tuple[RoundedNumber, ...] = ()
    place: str = ""
    diagnosis: Diagnosis | None = None
    directions: int | None = None
    standard: str = "recording"
    leaves_out: bool = False
    doing: str = ""


def call_of(
    found: Any,
    title: str,
    arguments: Mapping[str, CodeArgument],
    wanted: TrialOptions,
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
    arrays = {n: numbers_array(arguments[n], dtype, wanted.seed, rounded) for n in tensors}
    fixed = {n: plain_value(a) for n, a in arguments.items() if n not in arrays}
    if wanted.backward is not None and wanted.wrt:
        # A backward by hand has gradients of what is asked for, and of nothing else.
        fixed |= {name: array for name, array in arrays.items() if name not in wanted.wrt}
        arrays = {name: array for name, array in arrays.items() if name in wanted.wrt}
    adapted = _adapted(found, title, tuple(arguments), fixed, wanted)
    everything = {**arrays, **adapted.parameters}
    wrt = _differentiated(wanted.wrt, everything)
    spoken: tuple[str, ...] = ()
    if wanted.is_named:
        spoken = ("gradcheck", "fn", title, *_spoken(arguments, arrays, wanted))
    subject = FunctionSubject(adapted.function, title, tuple(everything), spoken=spoken)
    given = wanted.cotangent
    cotangent = None if given is None else partial(_weights, given)
    standard = Standard()
    if wanted.spec is not None:
        standard = standard_of("spec", wanted.spec, wrt, everything, fixed)
    elif wanted.meant is not None:
        standard = standard_of("meant", wanted.meant, wrt, everything, fixed)
    elif wanted.twin is not None:
        twin = adapt(wanted.twin, wanted.twin_title, tuple(arguments), fixed)
        other = FunctionSubject(twin.function, wanted.twin_title, tuple(everything))
        standard = Standard("twin", twin=other)
    call = CodeCall(subject, everything, wrt, dtype, wanted.device, cotangent, standard)
    call = with_parts(call)
    return weighed(call) if standard.upstream else call, adapted.place


def _differentiated(asked: tuple[str, ...], inputs: Mapping[str, Any]) -> tuple[str, ...]:
    """The inputs to differentiate: those that are asked for, else all.

    Raises:
        PointError: there is no such input, or none at all.
    """
    unknown = [name for name in asked if name not in inputs]
    if unknown:
        help_ = did_you_mean(unknown[0], inputs) or f"there are {', '.join(inputs)}"
        message = f"no input `{unknown[0]}` to differentiate"
        raise PointError([Mistake("unknown-input", message, help=help_)])
    if not inputs:
        hint = "give one with a decimal point, a list or `randn(3)`"
        raise PointError([Mistake("no-input", "there is no tensor to differentiate", help=hint)])
    return asked or tuple(inputs)


def _adapted(
    found: Any, title: str, names: tuple[str, ...], fixed: Mapping[str, Any], wanted: TrialOptions
) -> Adapted:
    if wanted.backward is None:
        return adapt(found, title, names, fixed)
    # What records NumPy code is loaded for those who have some.
    from gradcheck_cli.code.numpy_code import adapt_pair

    behind = wanted.backward == RETURNED
    return adapt_pair(found, None if behind else wanted.backward, title, names, fixed)


def _weights(given: Sequence[float], count: int) -> Sequence[float]:
    """The cotangent that was given, for so many numbers.

    Raises:
        PointError: it has more or fewer.
    """
    if len(given) == count:
        return given
    message = f"the cotangent has {len(given)} numbers, the function gives {count}"
    raise PointError([Mistake("shape-mismatch", message)])


def _spoken(
    arguments: Mapping[str, CodeArgument], arrays: Mapping[str, Array], wanted: TrialOptions
) -> Iterator[str]:
    """The options of a command that checks the same."""
    for name, argument in arguments.items():
        yield "--arg"
        numbers = arrays.get(name)
        text = argument_text(argument) if numbers is None else typed_text(numbers.tolist())
        yield f"{name}={text}"
    if wanted.wrt:
        yield from ("--wrt", ",".join(wanted.wrt))
    if wanted.dtype != "float64":
        yield from ("--dtype", wanted.dtype)
    against = {"spec": wanted.spec, "backward-spec": wanted.meant, "twin": wanted.twin_title,
               "backward": wanted.backward_title}  # fmt: skip
    for option, words in against.items():
        if words:
            yield from (f"--{option}", words)
    if wanted.order != 1:
        yield from ("--order", str(wanted.order))


def try_code(
    found: Any, title: str, arguments: Mapping[str, CodeArgument], wanted: TrialOptions
) -> Iterator[Trial]:
    """What becomes of code, as far as it is known after each step: the call, and where nothing is
    wrong with it the proof for all inputs and the variants, up to the first that is wrong.

    Raises:
        PointError: names or numbers are not right.
        RuntimeError: the forward raises, whatever it is.
    """
    rounded: list[RoundedNumber] = []
    call, place = call_of(found, title, arguments, wanted, rounded)
    try:
        followed = follow(call)
        call, directions = (call, None) if followed.recording else directed(call)
        result, followed = check_code(call, wanted.tolerance, followed=followed)
    except BackwardRaised as error:
        if isinstance(error.__cause__, PairError):
            raise PointError([Mistake("bad-argument", str(error.__cause__))]) from error
        trial = Trial(
            raised_result(call, error), Followed(None, str(error), error.place), place=place
        )
        yield replace(trial, rounded=tuple(rounded))
        return
    trial = Trial(result, followed, rounded=tuple(rounded), place=place)
    trial = replace(trial, standard=call.standard.kind, directions=directions)
    trial = replace(trial, leaves_out=call.subject.parts is not None)
    if is_wrong(result):
        yield replace(trial, doing="what is wrong")
        yield replace(trial, diagnosis=explained(call, result))
        return
    yield replace(trial, doing="the proof for all inputs")
    if followed.recording is not None:
        trial = replace(trial, identity=proved_for_all_inputs(result.evidence.point))
    if wanted.repeat > 1:
        yield replace(trial, doing="the same again")
        trial = replace(trial, tried=(repeated(call, wanted.repeat),))
    begun = process_time()
    for variant in _variants(call, arguments, wanted):
        if process_time() - begun > VARIANTS_LIMIT:
            late = Tried(variant, None, "not tried: those before it took too long")
            trial = replace(trial, tried=(*trial.tried, late))
            continue
        yield replace(trial, doing=variant.name)
        trial = replace(trial, tried=(*trial.tried, tried(variant)))
        if trial.tried[-1].is_wrong:
            trial = replace(trial, diagnosis=variant_explained(call, trial.tried[-1]))
            break
    yield trial


def _variants(
    call: CodeCall, arguments: Mapping[str, CodeArgument], wanted: TrialOptions
) -> Iterator[Variant]:
    if not set(call.arrays) & set(arguments):  # along directions
        return
    rows = tuple(n for n in arguments if n in call.arrays and call.arrays[n].shape[:1] > (1,))
    batched = _batched(call, arguments)
    every = list(variants_of(call, rows=rows, batched=batched, order=wanted.order))
    if wanted.backward is not None:
        # Layers of courses keep what their backward needs, and are asked once.
        every = [variant for variant in every if variant.name != "twice"]
    known = [variant.name for variant in every]
    for name in wanted.variants or ():
        if name not in known and name not in EVERY_VARIANT:
            help_ = did_you_mean(name, known) or f"of this call there are {', '.join(known)}"
            message = f"no variant named `{name}`"
            raise PointError([Mistake("unknown-variant", message, help=help_)])
    yield from (v for v in every if wanted.variants is None or v.name in wanted.variants)


def _batched(call: CodeCall, arguments: Mapping[str, CodeArgument]) -> tuple[str, ...]:
    """The arguments that have a row for each sample: those as long as the first one, where that
    number stands nowhere else.
    """
    shapes = {n: call.arrays[n].shape for n in arguments if n in call.arrays}
    size = next((shape[0] for shape in shapes.values() if shape), 0)
    held = [plain_value(a) for name, a in arguments.items() if name not in shapes]
    arrays = [value.shape for value in held if isinstance(value, np.ndarray)]
    others = [*arrays, *(shape[1:] for shape in shapes.values())]
    is_unclear = any(isinstance(value, list | tuple | dict) for value in held)
    if is_unclear or not size or any(size in shape for shape in others):
        return ()
    return tuple(name for name, shape in shapes.items() if shape[:1] == (size,))
