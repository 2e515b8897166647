"""A script that shows a finding by torch and mpmath alone: for those at whose library it is."""

from __future__ import annotations

import keyword
from dataclasses import dataclass
from time import thread_time
from typing import TYPE_CHECKING, Any

from gradcheck_cli import __version__
from gradcheck_cli.language.errors import mistake
from gradcheck_cli.language.program import Call, steps
from gradcheck_cli.records.outcome import Outcome
from gradcheck_cli.witnesses.truth import Certified
from gradcheck_cli.worlds.code import Code, MpmathCode, TorchCode, Unwritable, float_text
from gradcheck_cli.worlds.decimals import digits_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradcheck_cli.checks.result import Result
    from gradcheck_cli.judge.verdict import Verdict
    from gradcheck_cli.language.errors import PointError
    from gradcheck_cli.language.program import Program
    from gradcheck_cli.questions.batch import Point

# Digits of the derivative, and bits that they take; seconds for these bits.
DIGITS = 30
_BITS, _MOST_BITS, _SECONDS = 110, 32_768, 10.0
# Scalar operations that are written down, and characters of one that goes on one line.
_MOST_STEPS, _WIDE = 2_000, 72
# Names that a script has for itself.
_TAKEN = ("torch", "mp", "mpf", "mpmath", "sys", "platform", "value", "gradient", "main", "float")

_SCRIPT = '''\
"""{title}

{program}

{found}

It ends with 1 while torch's answer is further from the derivative than rounding explains, with 0
once it is not, and with 2 if the derivative that is proved and the one computed here are not the
same. Written by gradcheck {version}.
"""

import platform
import sys

import mpmath
import torch
from mpmath import mp, mpf

# The derivative, proved in ball arithmetic.
PROVED = "{proved}"
# The largest error that rounding explains.
ALLOWED = {allowed}
# Digits that are computed with.
mp.dps = {digits}


def gradient():
    """torch's answer."""
{torch}


def value({variable}):
    """The same function in mpmath, of the number that it is differentiated by."""
{mpmath}


def main():
    """Compare them."""
    print(f"torch {{torch.__version__}}, mpmath {{mpmath.__version__}}, "
          f"Python {{platform.python_version()}}, {{platform.platform()}}")
    x = {point}
    true = mp.diff(value, x{step})
    proved = mpf(PROVED)
    print("derivative, proved:   ", PROVED)
    print("derivative, by mpmath:", mp.nstr(true, {shown}))
    if not abs(true - proved) <= {room}:
        print("these are not the same: nothing is said of torch")
        return 2
    answer = gradient()
    print("torch's answer:       ", "none" if answer is None else repr(float(answer)))
    error = mp.inf if answer is None else abs(mpf(float(answer)) - proved)
    if not error <= ALLOWED:
        print(f"wrong: off by {{mp.nstr(error, 3)}}, where rounding explains {{ALLOWED}}")
        return 1
    print("right, as far as rounding allows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
'''

_SAID = {Outcome.AGREE: "is right about", Outcome.IMPRECISE: "loses most digits of"}


@dataclass(frozen=True)
class _Finding:
    """A partial whose derivative is proved."""

    result: Result
    k: int

    @property
    def point(self) -> Point:
        return self.result.evidence.point

    @property
    def verdict(self) -> Verdict:
        return self.result.verdicts[self.k]


def demonstration(results: Sequence[Result]) -> str:
    """The script of the worst finding.

    Raises:
        PointError: nothing is proved that could be shown, or it cannot be written down.
    """
    finding = _worst(results)
    point, key = finding.point, finding.verdict.key
    element = _element(key.variable, key.index)
    try:
        names = _python_names([*point.at])
        lines = _torch_lines(point, names, element)
        body = _mpmath_lines(point, element)
    except Unwritable as error:
        raise _refusal(str(error)) from error
    proved, bits = _proved(finding)
    at = point.scalars[element]
    what = f"the derivative by `{element}`"
    answer = finding.result.evidence.of("autograd", finding.k)
    torch_says = getattr(answer, "value", None)
    verdict = finding.verdict
    said = "has no path" if torch_says is None else f"answers {torch_says!r}"
    title = f"torch {_SAID.get(verdict.outcome, 'is wrong about')} {what} of"
    found = f"at {_place(point)} in {point.dtype.name}: torch {said}, and it is\n{proved}."
    allowed = verdict.tolerance
    return _SCRIPT.format(
        title=title,
        program="\n".join(f"    {line}" for line in point.specification.text.split("\n")),
        found=found,
        version=__version__,
        proved=proved,
        allowed=float_text(0.0 if allowed is None else allowed),
        digits=max(60, bits * 2 // 3),
        torch="\n".join(f"    {line}" for line in lines),
        variable=_python_name(element),
        mpmath="\n".join(f"    {line}" for line in body),
        point=f"mpf({float_text(at)})",
        step=", h=abs(x) * mpf(2)**(-mp.prec - 10)" if at else "",
        shown=DIGITS,
        room=f"abs(proved) * mpf(10)**-{DIGITS - 2}" if proved != "0" else "mpf(10)**-25",
    )


def _worst(results: Sequence[Result]) -> _Finding:
    """The partial that is shown: the worst of those whose derivative is proved.

    Raises:
        PointError: there is none.
    """
    each = [r for result in results for r in (result, result.also) if r is not None]
    found = [
        _Finding(result, k)
        for result in each
        for k in range(len(result.verdicts))
        if isinstance(result.evidence.of("reference", k), Certified)
    ]
    worst = [verdict for result in each for verdict in result.verdicts]
    if not found:
        outcomes = ", ".join(dict.fromkeys(str(verdict.outcome) for verdict in worst))
        raise _refusal(f"no derivative is proved here ({outcomes or 'nothing was checked'})")
    finding = min(found, key=lambda f: (f.verdict.outcome.rank, -(f.verdict.ulps or 0.0)))
    question = finding.point.question
    if question.order != 1 or question.jacobian:
        raise _refusal("first derivatives of one value are shown, not a Jacobian or second ones")
    bad = [verdict for verdict in worst if verdict.outcome.rank < finding.verdict.outcome.rank]
    if bad and finding.verdict.outcome is Outcome.AGREE:
        raise _refusal(f"where the outcome is {bad[0].outcome} no derivative is proved")
    return finding


def _refusal(why: str) -> PointError:
    return mistake("no-script", f"no script is written: {why}")


def _proved(finding: _Finding) -> tuple[str, int]:
    """The derivative to so many digits, and the bits that they took.

    Raises:
        PointError: there are not so many in the time.
    """
    from gradcheck_cli.worlds import balls

    point = finding.point
    prepared = point.prepared
    node = prepared.gradient.partials[finding.k]
    truth = finding.result.evidence.of("reference", finding.k)
    assert isinstance(truth, Certified)
    ball, bits = truth.ball, truth.bits
    deadline = thread_time() + _SECONDS
    while node is not None and not ball.contains(0) and ball.rel_accuracy_bits() < _BITS:
        bits *= 2
        if bits > _MOST_BITS:
            raise _refusal(f"{DIGITS} digits of the derivative are not found in time")
        try:
            values = prepared.machine.run(point.scalars, bits, point.dtype.round, deadline)
        except balls.OutOfTime as error:
            raise _refusal(f"{DIGITS} digits of the derivative are not found in time") from error
        ball = balls.plain(values[node])
    return digits_of(ball, DIGITS), bits


# Lines of torch


def _torch_lines(point: Point, names: Mapping[str, str], element: str) -> list[str]:
    import torch

    dtype = getattr(torch, point.dtype.name)
    options = f"dtype=torch.{point.dtype.name}"
    if point.device != "cpu":
        options += f', device="{point.device}"'
    like = torch.empty((), dtype=dtype, device=point.device)
    program = point.specification
    lines, inputs = list[str](), dict[str, Code]()
    for name in program.variables:
        numbers = point.at[name]
        made = torch.tensor(numbers.tolist(), device=point.device)
        is_real = numbers.dtype.kind == "f"
        inputs[name] = Code(names[name], value=made.to(dtype) if is_real else made)
        said = options if is_real else options.partition(", ")[2]
        grad = "requires_grad=True" if name in point.question.wrt else ""
        written = ", ".join(filter(None, (_numbers(numbers.tolist()), said, grad)))
        lines.append(f"{names[name]} = torch.tensor({written})")
    taken = {*names.values()}
    values = _named(program, TorchCode(point.dtype.round, like, options), inputs, lines, taken)
    result = values[program.result]
    if not isinstance(result, Code):
        raise Unwritable("the value rests on no input")
    own = result.text
    if not own.isidentifier():
        own = _free("y", taken)
        lines.append(f"{own} = {result.text}")
    weights = point.batch.cotangent
    text = "" if result.value.dim() == 0 else f"torch.ones_like({own})"
    if weights is not None:
        text = f"torch.tensor({_numbers(weights.tolist())}, {options})"
    lines.append(f"{own}.backward({text})")
    name, _, index = element.partition("[")
    lines.append(f"return {names[name]}.grad" if not index else _part(names[name], index))
    return lines


def _named(
    program: Program,
    world: TorchCode | MpmathCode,
    inputs: Mapping[str, Code],
    lines: list[str],
    taken: set[str],
) -> list[Any]:
    """The values of a program's nodes; one that has a name, is used twice or is long has a line."""
    uses = _uses(program)
    values = list[Any]()
    for i, value in enumerate(steps(program, world, inputs)):
        is_new = isinstance(value, Code) and not any(value is other for other in values)
        values.append(value)
        name = program.names.get(i, "")
        if not is_new or not isinstance(program.nodes[i], Call):
            continue
        if name or uses[i] > 1 or (len(value.text) > _WIDE and i != program.result):
            own = _free(_python_name(name or "t"), taken)
            lines.append(f"{own} = {value.text}")
            value.text, value.level = own, Code("").level
    return values


def _part(name: str, index: str) -> str:
    return f"return None if {name}.grad is None else {name}.grad[{index}"


def _numbers(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_numbers, value))}]"
    return float_text(value) if isinstance(value, float) else repr(value)


# Lines of mpmath


def _mpmath_lines(point: Point, element: str) -> list[str]:
    program = point.prepared.gradient.forward_program
    if len(program.nodes) > _MOST_STEPS:
        raise Unwritable(f"it comes to more than {_MOST_STEPS:,} scalar operations")
    inputs = {name: Code(_python_name(name)) for name in program.variables}
    lines = [
        f"{inputs[name].text} = mpf({float_text(point.scalars[name])})"
        for name in program.variables
        if name != element
    ]
    taken = {each.text for each in inputs.values()}
    values = _named(program, MpmathCode(point.dtype.round), inputs, lines, taken)
    return [*lines, f"return {values[program.result].text}"]


def _uses(program: Program) -> list[int]:
    """How often each node is an argument."""
    uses = [0] * len(program.nodes)
    for node in program.nodes:
        if isinstance(node, Call):
            for j in node.args:
                uses[j] += 1
    return uses


# Names


def _element(name: str, index: Sequence[int]) -> str:
    return f"{name}[{','.join(map(str, index))}]" if index else name


def _python_names(names: Sequence[str]) -> dict[str, str]:
    return {name: _python_name(name) for name in names}


def _python_name(name: str) -> str:
    """A name of a script for an input, or for an element of one."""
    plain = name.replace("[", "_").replace(",", "_").replace("]", "")
    return f"{plain}_" if keyword.iskeyword(plain) or plain in _TAKEN else plain


def _free(name: str, taken: set[str]) -> str:
    own, number = name, 1
    while own in taken:
        number += 1
        own = f"{name}{number}"
    taken.add(own)
    return own


def _place(point: Point) -> str:
    texts = (
        f"{name} = {_numbers(point.at[name].tolist())}" for name in point.specification.variables
    )
    return ", ".join(texts)
