"""False alarms and lies: random programs at random points, judged by this tool and by
`torch.autograd.gradcheck`.

Usage: python benchmarks/verdicts.py survey|honest FILE.jsonl [PROGRAMS] [SEED]
       python benchmarks/verdicts.py table FILE.jsonl... [--wrong WRONG.txt]

`survey` appends a line for each program, point and dtype, so that pieces of different seeds add up;
`honest` plants no lies in them; `table` adds them up, and lists every answer of torch that was called wrong. Half of the programs
are of numbers, half of arrays; core points are of magnitude 0.1 to 3, wide ones of 1e-6 to 1e6.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import drawn
import torch
from lies import KINDS, LyingSubject, lie_of

from gradcheck_cli.checks.check import check_batches
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.judge.measure import format_ball, ulp
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.questions.batching import batches
from gradcheck_cli.questions.numbers import read_points, read_value
from gradcheck_cli.questions.points import points_of
from gradcheck_cli.questions.question import question_of
from gradcheck_cli.witnesses import Abstention, Trust
from gradcheck_cli.witnesses.autograd import Autograd, Measured
from gradcheck_cli.witnesses.reference import Reference
from gradcheck_cli.witnesses.truth import Certified

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.checks.result import Result
    from gradcheck_cli.questions.question import Question

DRAWN = ("float64", "float32", "bfloat16", "float16")
# What a gradient is multiplied by, in the dtypes in which lies are planted; half precision leaves
# little to tell them from. In float64 a millionth more; in float32 four times what half of the
# digits leave open, 0.14 %.
FACTORS = {"float64": 1 + 1e-6, "float32": 1 + 4 * (2 * DTYPES["float32"].unit_roundoff) ** 0.5}
UNTOLD = "how much of that is rounding cannot be told"
# A lie that moves the gradient by less is none.
MOVED = 4


@dataclass(frozen=True)
class Quiet:
    """A witness that is not asked."""

    name: str
    trust: Trust = Trust.ESTIMATED

    def prepare(self, batch: Any) -> None:
        """Nothing."""

    def answer(self, batch: Any) -> Abstention:
        """An abstention."""
        return Abstention("not asked")


PANEL = (Reference(), Quiet("analytic"), Autograd(), Quiet("numeric"))


def checked(question: Question, given: Any, dtype: str) -> Result:
    """What this tool says of a point."""
    groups = batches(question, points_of(given), [(DTYPES[dtype], "cpu")])
    (result,) = check_batches(groups, PANEL)
    return result


def torch_passes(question: Question, result: Result) -> bool:
    """Whether `torch.autograd.gradcheck` passes, with its defaults."""
    point = result.evidence.point
    like = torch.empty((), dtype=torch.float64)
    inputs = {name: torch.tensor(array) for name, array in point.at.items()}
    names = list(question.wrt)

    def call(*values: Any) -> Any:
        given = inputs | dict(zip(names, values, strict=True))
        return question.subject.run(given, point.dtype.round, like).result

    leaves = [inputs[name].double().requires_grad_() for name in names]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return bool(torch.autograd.gradcheck(call, leaves, check_undefined_grad=False))
    except Exception:  # noqa: BLE001 - whatever it is, the check did not pass
        return False


def survey(file: Path, count: int, seed: int, kinds: Sequence[str]) -> None:
    """Append the lines of some programs, with lies of some kinds planted in them."""
    with file.open("a", encoding="utf-8") as out:
        for i in range(count):
            random = Random(f"{seed}:{i}")  # noqa: S311 - points that repeat, not secrets
            program = (drawn.arrays if i % 2 else drawn.elementwise)(random)
            for line in _lines(program, random, kinds):
                print(json.dumps({"seed": seed, "i": i, **line}), file=out, flush=True)


def _lines(program: drawn.Drawn, random: Random, kinds: Sequence[str]) -> Iterator[dict[str, Any]]:
    """What is said of a program at a core and a wide point in each dtype."""
    ones = all(not n for n in program.result) or random.random() < 0.3
    weights = None if ones else drawn.numbers(random, program.result, "core", "float64")
    for dtype in DRAWN:
        for span in ("core", "wide"):
            point = {
                name: drawn.numbers(random, shape, span, dtype)
                for name, shape in program.shapes.items()
            } | program.classes
            at = ",".join(f"{name}={value}" for name, value in point.items())
            try:
                yield from _line(
                    program, at, weights, dtype, span, kinds if dtype in FACTORS else ()
                )
            except UserError as error:
                print(f"refused: {program.text} at {at}: {error}", file=sys.stderr)
            except Exception as error:  # noqa: BLE001 - a defect of the tool, to be counted
                crash = f"{type(error).__name__}: {error}"
                yield {"program": program.text, "at": at, "dtype": dtype, "crash": crash}


def _line(
    program: drawn.Drawn, at: str, weights: Any, dtype: str, span: str, kinds: Sequence[str]
) -> Iterator[dict[str, Any]]:
    given, parsed = read_points([at]), parse(program.text)
    if set(parsed.variables) != set(given):
        return
    cotangent = None if weights is None else read_value(str(weights))
    question = question_of(parsed, given, cotangent=cotangent, subject=LyingSubject(parsed))
    result = checked(question, given, dtype)
    honest = [_partial(result, k) for k in range(len(result.verdicts))]
    passes = torch_passes(question, result) if dtype == "float64" else None
    lies = [_lied(question, given, result, kind, f"{kind} {at}") for kind in kinds]
    yield {
        "program": program.text, "at": at, "cotangent": weights, "dtype": dtype, "span": span,
        "kind": "arrays" if any(program.shapes.values()) else "numbers",
        "partials": honest, "torch": passes, "lies": [lie for lie in lies if lie is not None],
    }  # fmt: skip


def _partial(result: Result, k: int) -> dict[str, Any]:
    verdict, evidence = result.verdicts[k], result.evidence
    answer, truth = evidence.of("autograd", k), evidence.of("reference", k)
    found: dict[str, Any] = {"outcome": str(verdict.outcome), "cause": str(verdict.cause)}
    found["undecided"] = verdict.undecided
    if verdict.outcome != "agree":
        found["reason"] = verdict.reason
        found["key"] = f"{verdict.key.variable}{list(verdict.key.index) or ''}"
        found["answer"] = repr(answer.value) if isinstance(answer, Measured) else "none"
        found["truth"] = format_ball(truth.ball, 17) if isinstance(truth, Certified) else "none"
    return found


def _lied(
    question: Question, given: Any, honest: Result, kind: str, seed: str
) -> dict[str, Any] | None:
    """Who catches a lie of a kind; None where it moves nothing that torch had right."""
    dtype = honest.evidence.point.dtype
    random = Random(seed)  # noqa: S311 - places that repeat, not secrets
    lie = lie_of(kind, question.specification, random, FACTORS[dtype.name])
    if lie is None:
        return None
    lying = replace(question, subject=LyingSubject(question.specification, lie))
    result = checked(lying, given, dtype.name)
    caught = [
        result.verdicts[k].outcome == "wrong"
        for k in range(len(result.verdicts))
        if _moved(honest, result, k)
    ]
    if not caught:
        return None
    passes = torch_passes(lying, result) if dtype.name == "float64" else None
    missed = [
        f"{v.key.variable}{list(v.key.index) or ''}: {v.reason}"
        for k, v in enumerate(result.verdicts)
        if v.outcome != "wrong" and _moved(honest, result, k)
    ]
    return {"lie": list(lie), "caught": caught, "torch": passes, "missed": missed[:2]}


def _moved(honest: Result, lying: Result, k: int) -> bool:
    """Whether a lie moves a partial that torch has right, or as right as rounding lets it, away
    from the truth; where that is exactly 0, ulps have no meaning, and nothing counts.
    """
    before, after = (result.evidence.of("autograd", k) for result in (honest, lying))
    truth = honest.evidence.of("reference", k)
    fair = honest.verdicts[k].outcome in ("agree", "imprecise")
    if not fair or not isinstance(truth, Certified) or truth.ball.contains(0):
        return False
    if not isinstance(before, Measured) or not isinstance(after, Measured):
        return False
    if before.value == after.value:  # two infinities, where the truth is beyond the range
        return False
    least = MOVED * ulp(truth.ball, lying.evidence.point.dtype)
    right = abs(truth.ball - after.value) <= least
    return not right and not abs(before.value - after.value) <= least


def table(files: list[Path], wrong: Path | None) -> None:
    """Print the sums, and list what was called wrong."""
    lines = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]
    crashes = [line for line in lines if "crash" in line]
    lines = [line for line in lines if "crash" not in line]
    print(*(f"crash: {x['program']} at {x['at']}: {x['crash']}" for x in crashes), sep="\n")
    print(*_outcomes(lines), "", *_lies(lines), sep="\n")
    if wrong is not None:
        wrong.write_text("\n".join(_wrong(lines)) + "\n", encoding="utf-8")


def _outcomes(lines: list[dict[str, Any]]) -> Iterator[str]:
    names = ("agree", "imprecise", "wrong", "kink", "undefined", "detached", "inconclusive")
    head = ("partials", *names, "untold", "torch fails")
    yield f"{'':26}" + "".join(f"{name:>13}" for name in head)
    groups = {(x["kind"], x["dtype"], x["span"]) for x in lines}
    for kind, dtype, span in [*sorted(groups), ("all", "", "")]:
        own = [x for x in lines if kind == "all" or (x["kind"], x["dtype"], x["span"]) == (kind, dtype, span)]  # fmt: skip
        found = [p for x in own for p in x["partials"]]
        counts = Counter(p["outcome"] for p in found)
        untold = sum(UNTOLD in p.get("reason", "") for p in found)
        asked = [x["torch"] for x in own if x["torch"] is not None]
        fails = f"{asked.count(False)}/{len(asked)}" if asked else ""
        cells = (len(found), *(counts[name] for name in names), untold, fails)
        yield f"{kind:8}{dtype:10}{span:8}" + "".join(f"{cell:>13}" for cell in cells)


def _lies(lines: list[dict[str, Any]]) -> Iterator[str]:
    head = ("planted", "caught", "share", "partials", "share", "torch's share")
    yield f"{'':36}" + "".join(f"{name:>14}" for name in head)
    groups = sorted({(x["dtype"], x["span"]) for x in lines})
    for dtype, span in groups:
        found = [y for x in lines if (x["dtype"], x["span"]) == (dtype, span) for y in x["lies"]]
        for kind in (*KINDS, "all"):
            own = [y for y in found if kind in (y["lie"][0], "all")]
            if not own:
                continue
            caught = sum(any(y["caught"]) for y in own)
            each = [one for y in own for one in y["caught"]]
            asked = [y["torch"] for y in own if y["torch"] is not None]
            theirs = f"{asked.count(False) / len(asked):.2%}" if asked else ""
            shares = f"{caught / len(own):.2%}", len(each), f"{sum(each) / len(each):.2%}", theirs
            cells = (len(own), caught, *shares)
            yield f"{dtype:10}{span:8}{kind:18}" + "".join(f"{cell:>14}" for cell in cells)


def _wrong(lines: list[dict[str, Any]]) -> Iterator[str]:
    for x in lines:
        for p in x["partials"]:
            if p["outcome"] == "wrong":
                yield f"{x['program']}\n  at {x['at']} cotangent {x['cotangent']} {x['dtype']} {x['span']} seed {x['seed']}:{x['i']}"
                yield f"  {p['key']}: torch {p['answer']} truth {p['truth']} {p['cause']}: {p['reason']}"


def main() -> None:
    """`survey`, `honest` or `table`."""
    torch.set_num_threads(1)
    what, *rest = sys.argv[1:]
    if what != "table":
        count, seed = (int(n) for n in (*rest[1:], *("100", "0")[len(rest) - 1 :]))
        survey(Path(rest[0]), count, seed, KINDS if what == "survey" else ())
        return
    listed = Path(rest[rest.index("--wrong") + 1]) if "--wrong" in rest else None
    files = [Path(name) for name in rest if name.endswith(".jsonl")]
    table(files, listed)


if __name__ == "__main__":
    main()
