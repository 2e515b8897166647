"""A person's own function on trial: it is recorded, twice, and what was recorded is held against
its own derivative; where it cannot be followed, its own differences decide.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gradcheck_cli.calculus.cuts import has_stops
from gradcheck_cli.checks.check import check_batches
from gradcheck_cli.checks.result import Result
from gradcheck_cli.code.standards import Standard
from gradcheck_cli.code.twins import beside_twin
from gradcheck_cli.code.unasked import NO_EXPRESSION, Unasked
from gradcheck_cli.judge.bounds import ForwardNoise
from gradcheck_cli.judge.evidence import Evidence
from gradcheck_cli.judge.forward import forward_note
from gradcheck_cli.judge.verdict import Verdict
from gradcheck_cli.language.errors import mistake
from gradcheck_cli.language.program import Call, Program, Variable
from gradcheck_cli.questions.batch import Batch, Point
from gradcheck_cli.questions.prepared import Oversize, Prepared
from gradcheck_cli.questions.question import Question
from gradcheck_cli.questions.recorded import forward_scalars, short, specification_of
from gradcheck_cli.questions.seeded import seeded_numbers
from gradcheck_cli.recording.recording import record
from gradcheck_cli.recording.tape import Unfollowed
from gradcheck_cli.records.outcome import Cause, Outcome
from gradcheck_cli.records.record import WITNESSES
from gradcheck_cli.witnesses import Abstention
from gradcheck_cli.witnesses.autograd import Autograd
from gradcheck_cli.witnesses.formula import OwnFormula
from gradcheck_cli.witnesses.numeric import Numeric
from gradcheck_cli.witnesses.reference import Reference
from gradcheck_cli.worlds import tensors
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.judge.evidence import Tolerance
    from gradcheck_cli.questions.arrays import Array
    from gradcheck_cli.recording.recording import BackwardRaised, Recording
    from gradcheck_cli.subjects.function import FunctionSubject

# Numbers that are differenced one by one, at most, where nothing else decides, and beside a proof:
# each takes about a hundred runs.
MOST_DIFFERENCED, MOST_BESIDE = 64, 8
# How far beside the point a function is recorded again, relative to its numbers.
_BESIDE = 2.0**-20


@dataclass(frozen=True, eq=False)
class CodeCall:
    """A function at a point.

    Attributes:
        arrays: the numbers of each input that is a tensor, by its name.
        wrt: the inputs to differentiate.
        cotangent: of as many numbers as it is told, row-major; None for a seeded one, or 1 where
            the value is one number.
        standard: what the gradient is held against.
    """

    subject: FunctionSubject
    arrays: Mapping[str, Array]
    wrt: tuple[str, ...]
    dtype: DType
    device: str = "cpu"
    cotangent: Callable[[int], Sequence[float]] | None = None
    standard: Standard = field(default_factory=Standard)


@dataclass(frozen=True)
class Followed:
    """How far a function was followed.

    Attributes:
        recording: what was recorded; None where the forward was not followed, or where it does not
            compute the same beside the point, so that nothing of it counts.
        reason: why not, in words.
        place: `FILE:LINE` of that, or empty.
    """

    recording: Recording | None
    reason: str = ""
    place: str = ""


def check_code(
    call: CodeCall,
    tolerance: Tolerance | None = None,
    *,
    numeric: bool = True,
    followed: Followed | None = None,
) -> tuple[Result, Followed]:
    """What becomes of one call.

    Args:
        numeric: whether it is differenced even where it was followed.
        followed: how far it was followed, where that is known.
    Raises:
        BackwardRaised: the backward does, where the forward has a value.
        RuntimeError: the forward does, whatever it raises.
    """
    followed = follow(call) if followed is None else followed
    twin = call.standard.twin
    standard = None if twin is None else follow(replace(call, subject=twin))
    batch = batch_of(call, followed, standard)
    witnesses = (
        Reference(),
        NO_EXPRESSION,
        Autograd(),
        _numeric(call, batch, numeric),
        OwnFormula(),
    )
    (result,) = check_batches([(batch,)], witnesses, tolerance)
    note = forward_note(result.evidence)
    if note is not None and call.standard.kind == "meant":
        # It is the gradient that is meant, and not the value.
        result = replace(result, notes=tuple(n for n in result.notes if n != note))
    if twin is not None:
        result = beside_twin(result, twin)
    return result, followed


def raised_result(call: CodeCall, error: BackwardRaised) -> Result:
    """What becomes of a call whose backward raises an exception."""
    batch = batch_of(call, Followed(None, str(error), error.place))
    place = f" at {short(error.place)}" if error.place else ""
    reason = f"the backward raises {error}{place}"
    unasked = Abstention("the backward raises an exception")
    evidence = Evidence(Point(batch, 0), dict.fromkeys(WITNESSES, unasked))
    verdicts = [Verdict(key, Outcome.WRONG, reason, Cause.RAISED) for key in batch.keys]
    return Result(evidence, tuple(verdicts))


def follow(call: CodeCall) -> Followed:
    """A recording that can be relied on, or why there is none."""
    try:
        first = _recorded(call, call.arrays)
    except Unfollowed as error:
        return Followed(None, f"not followed: {error}", error.place)
    except TooLarge as error:
        return Followed(None, f"not followed: {error}")
    beside = {name: array * (1 + _BESIDE) + _BESIDE**2 for name, array in call.arrays.items()}
    try:
        second = _recorded(call, beside)
    except (Unfollowed, TooLarge) as error:
        return Followed(
            None, f"not followed beside the point: {error}", getattr(error, "place", "")
        )
    if not first.same_program(second):
        if not first.same_program(_recorded(call, call.arrays)):
            why = (
                "run again it computes something else: it keeps state, or draws numbers of its own"
            )
            return Followed(None, why, first.difference(second))
        escapes = [remark for remark in first.remarks if remark.kind == "escape"]
        place = first.difference(second) or (escapes[0].place if escapes else "")
        why = "numbers leave the tensors: beside the point it computes something else"
        return Followed(None, why, place)
    return Followed(first)


def _recorded(call: CodeCall, arrays: Mapping[str, Array]) -> Recording:
    import torch

    like = torch.empty((), dtype=tensors.dtype_of(call.dtype.name), device=call.device)
    leaves = {}
    for name, array in arrays.items():
        leaf = torch.tensor(array, dtype=torch.float64).to(like)
        leaves[name] = leaf.requires_grad_() if name in call.wrt else leaf
    run = call.subject.run
    return record(lambda inputs: run(inputs, call.dtype.round, like).result, leaves, tuple(arrays))


def batch_of(call: CodeCall, followed: Followed, standard: Followed | None = None) -> Batch:
    """The question that a call asks, at its point.

    Args:
        standard: how far the twin was followed, where there is one.
    """
    recording = followed.recording
    program, source = call.standard.program, standard or followed
    if program is not None:
        # What is not followed may be wrong all the same, and a program tells.
        subject = replace(call.subject, recording=recording)
        question = Question(subject, program, call.wrt)
        arrays = {**call.arrays, **call.standard.further}
        mine = {name: arrays[name] for name in program.variables}
        prepared, _ = question.prepared({**call.arrays, **mine}, call.dtype)
        count = len(prepared.outputs)
        _require_size(call, count)
    else:
        # What is not known to be followed is not known to have a shape either.
        subject = replace(call.subject, recording=recording, is_flat=source.recording is None)
        prepared, count = _prepared(call, source)
        question = Question(subject, prepared.specification, call.wrt)
    weights = None if call.cotangent is None else call.cotangent(count)
    if weights is None and (count != 1 or source.recording is None):
        weights = seeded_numbers("cotangent", count) if count > 1 else [1.0]
    if weights is not None and source.recording is not None:
        weights = source.recording.weighed(weights)
    packed = None if weights is None else tuple(map(float, weights))
    prepared = replace(prepared, weights=packed, _shared={})
    points = {name: array[None] for name, array in {**call.arrays, **call.standard.further}.items()}
    return Batch(question, prepared, points, call.dtype, call.device, ((),), ({},))


def _prepared(call: CodeCall, source: Followed) -> tuple[Prepared, int]:
    """What was recorded, ready to be differentiated, and how many numbers its value has."""
    recording = source.recording
    shapes = {name: array.shape for name, array in call.arrays.items()}
    if recording is not None:
        if not recording.outputs.size:
            message = f"the value of `{call.subject.name}` has no elements"
            raise mistake("empty-tensor", f"{message}: there is nothing to differentiate")
        specification = specification_of(recording, call.subject.name)
        expansion: Any = forward_scalars(recording, lowered=True).expansion
        return Prepared(specification, shapes, call.wrt, None, expansion), recording.outputs.size
    names = tuple(map(Variable, call.arrays))
    places = tuple(range(len(names)))
    specification = Program((*names, Call("stack", places)), (len(names),), call.subject.name)
    oversize = Oversize(source.reason)
    return Prepared(specification, shapes, call.wrt, None, oversize), _size_of_value(call)


def _require_size(call: CodeCall, count: int) -> None:
    """Nothing, if the function gives as many numbers as the program.

    Raises:
        PointError: it does not.
    """
    size = _size_of_value(call)
    if size != count:
        message = f"the function gives {size} numbers, the program {count}"
        raise mistake("shape-mismatch", message)


def _size_of_value(call: CodeCall) -> int:
    import torch

    like = torch.empty((), dtype=tensors.dtype_of(call.dtype.name), device=call.device)
    inputs = {n: torch.tensor(a, dtype=torch.float64).to(like) for n, a in call.arrays.items()}
    return int(call.subject.run(inputs, call.dtype.round, like).result.numel())


def _numeric(call: CodeCall, batch: Batch, wanted: bool) -> Numeric | Unasked:
    """Differences, as far as they are worth their time.

    Args:
        wanted: even where something is proved.
    """
    if call.standard.kind == "meant":
        return Unasked("numeric", "the value is not what the gradient is meant to be of")
    expansion = batch.prepared.expansion
    is_open = isinstance(expansion, Oversize)
    if not isinstance(expansion, Oversize) and has_stops(expansion.builder.nodes):
        return Unasked("numeric", "what is a constant by definition moves when it is differenced")
    most = MOST_DIFFERENCED if is_open else MOST_BESIDE * wanted
    count = differentiated_count(call)
    if count > most:
        return Unasked("numeric", f"{count} numbers, and at most {most} are differenced here")
    return Numeric(None, ForwardNoise())


def differentiated_count(call: CodeCall) -> int:
    """How many numbers are differentiated."""
    return sum(call.arrays[name].size for name in call.wrt)
