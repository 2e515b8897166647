"""Functions with a backward of their own, broken and right: what this tool finds, and what
`torch.autograd.gradcheck` finds, its fast mode too; which lies they still see; and what recording a
function costs beside running it.

Usage: python benchmarks/functions.py [CASES]...

CASES: a YAML list of `object`, `twin` (`MODULE:NAME` beside the file) and `args`, or a Python file
that has `ROWS` of `broken`, `twin` and `args`. Each checker is given the call as it stands; this tool
is asked with its variants as well. Times are of this process: of the second of two runs, so that
imports do not count.
"""

from __future__ import annotations

import sys
import warnings
from importlib import util
from pathlib import Path
from statistics import median
from time import process_time
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
import yaml

from gradcheck_cli import check
from gradcheck_cli.code.arguments import python_arguments, read_arguments
from gradcheck_cli.code.call import follow
from gradcheck_cli.code.trial import TrialOptions, call_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gradcheck_cli.code.call import CodeCall

# Milliseconds that recording may take beyond running, twice as it is done.
GOAL = 50.0
LIES = [10.0**-k for k in range(1, 16)]


class Pair(NamedTuple):
    """A broken function and its right twin, and what both are called with."""

    name: str
    broken: Any
    right: Any
    at: dict[str, Any]
    wrt: tuple[str, ...] = ()


def loaded(file: Path) -> Any:
    """A module by its file."""
    spec = util.spec_from_file_location(f"benchmarked_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(file)
    module = util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def pairs_of(file: Path) -> Iterator[Pair]:
    """The pairs of a file; what is its own twin is broken on purpose, and left out."""
    if file.suffix == ".py":
        module = loaded(file)
        for row in module.ROWS:
            at = {text.partition("=")[0]: text.partition("=")[2] for text in row.args}
            broken, right = (getattr(module, name) for name in (row.broken, row.twin))
            yield Pair(row.broken, broken, right, at, tuple(row.wrt))
        return
    modules: dict[str, Any] = {}
    for row in yaml.safe_load(file.read_text(encoding="utf-8")):
        if row["object"] == row["twin"]:
            continue
        objects = []
        for place in (row["object"], row["twin"]):
            name, _, inner = place.partition(":")
            if name not in modules:
                modules[name] = loaded(file.parent / f"{name}.py")
            objects.append(getattr(modules[name], inner))
        yield Pair(row["id"], *objects, row["args"], tuple(row.get("wrt", ())))


def called(found: Any, at: dict[str, Any], wrt: tuple[str, ...]) -> CodeCall:
    """The call that is checked, its numbers drawn as they are for this tool."""
    texts = [f"{name}={value}" for name, value in at.items() if isinstance(value, str)]
    arguments = {**read_arguments(texts)}
    arguments |= python_arguments({n: v for n, v in at.items() if not isinstance(v, str)})
    ordered = {name: arguments[name] for name in at}
    return call_of(found, "function", ordered, TrialOptions(wrt=wrt), [])[0]


def leaves_of(call: CodeCall) -> dict[str, Any]:
    """New tensors for a call."""
    made = {name: torch.tensor(array, dtype=torch.float64) for name, array in call.arrays.items()}
    return {name: t.requires_grad_() if name in call.wrt else t for name, t in made.items()}


def value_of(call: CodeCall, tensors: dict[str, Any]) -> Any:
    """What the function of a call gives."""
    like = torch.empty((), dtype=torch.float64)
    return call.subject.run(tensors, call.dtype.round, like).result


def torch_finds(call: CodeCall, *, fast: bool) -> bool:
    """Whether `torch.autograd.gradcheck` fails, with its defaults."""
    leaves = leaves_of(call)
    names = list(leaves)

    def function(*values: Any) -> Any:
        return value_of(call, dict(zip(names, values, strict=True)))

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return not torch.autograd.gradcheck(function, tuple(leaves.values()), fast_mode=fast)
    except Exception:  # noqa: BLE001 - whatever it is, the check did not pass
        return True


def finds(found: Any, at: dict[str, Any], wrt: tuple[str, ...], *, variants: str) -> bool:
    """Whether this tool says that a function is wrong."""
    report = check(found, at, wrt=wrt, variants=variants)
    return report.exit_code == 1


CHECKERS: dict[str, Callable[..., bool]] = {
    "gradcheck": lambda found, at, wrt: finds(found, at, wrt, variants="all"),
    "gradcheck, one call": lambda found, at, wrt: finds(found, at, wrt, variants="none"),
    "torch gradcheck": lambda found, at, wrt: torch_finds(called(found, at, wrt), fast=False),
    "torch, fast mode": lambda found, at, wrt: torch_finds(called(found, at, wrt), fast=True),
}


class Score(NamedTuple):
    """What a checker makes of all pairs: names, and milliseconds of each call."""

    missed: list[str]
    alarms: list[str]
    times: list[float]


def scored(checker: Callable[..., bool], pairs: list[Pair]) -> Score:
    """A checker before all pairs."""
    score = Score([], [], [])
    for pair in pairs:
        arguments = pair.at, pair.wrt
        if not checker(pair.broken, *arguments):
            score.missed.append(pair.name)
        checker(pair.right, *arguments)
        begun = process_time()
        if checker(pair.right, *arguments):
            score.alarms.append(pair.name)
        score.times.append(1e3 * (process_time() - begun))
    return score


class _Lie(torch.autograd.Function):
    """The identity, and a gradient times a factor."""

    @staticmethod
    def forward(ctx: Any, x: Any, factor: float) -> Any:
        """The value itself."""
        ctx.factor = factor
        return x.clone()

    @staticmethod
    def backward(ctx: Any, ybar: Any) -> Any:
        """Times the factor."""
        return ybar * ctx.factor, None


def _layer_norm(x: Any) -> Any:
    centred = x - x.mean(-1, keepdim=True)
    return centred * torch.rsqrt(centred.square().mean(-1, keepdim=True) + 1e-5)


HONEST: dict[str, tuple[Any, str]] = {
    "swish": (lambda x: x * torch.sigmoid(x), "randn(6)"),
    "softmax": (lambda x: torch.softmax(x, -1), "randn(2,3)"),
    "layer norm": (_layer_norm, "randn(2,4)"),
    "log-sum-exp": (lambda x: torch.logsumexp(x, -1), "randn(2,3)"),
    "gram": (lambda x: x @ x.T, "randn(3,2)"),
    "distances": (lambda x: torch.cdist(x[:2], x[2:]), "randn(4,2)"),
}


def smallest_lie(checker: Callable[..., bool], honest: Any, shape: str) -> float | None:
    """The smallest factor 1 + d that a checker still finds, d falling by tens."""
    seen = None
    for size in LIES:
        if not checker(lambda x, d=size: honest(_Lie.apply(x, 1 + d)), {"x": shape}, ()):
            return seen
        seen = size
    return seen


def cost_of_recording(pairs: list[Pair]) -> list[tuple[float, str]]:
    """Milliseconds of CPU that following takes beyond running a function and its backward once."""
    found = []
    for pair in pairs:
        call = called(pair.right, pair.at, pair.wrt)
        times: dict[str, list[float]] = {"follow": [], "run": []}
        for _ in range(4):
            begun = process_time()
            follow(call)
            times["follow"].append(process_time() - begun)
            begun = process_time()
            value_of(call, leaves_of(call)).sum().backward()
            times["run"].append(process_time() - begun)
        found.append((1e3 * (min(times["follow"]) - min(times["run"])), pair.name))
    return sorted(found, reverse=True)


def main() -> None:
    """Print what each finds, its false alarms and times, lies, and the cost of recording."""
    torch.set_num_threads(1)
    pairs = [pair for name in sys.argv[1:] for pair in pairs_of(Path(name))]
    print(f"{len(pairs)} broken functions and their twins")
    if pairs:
        base = None
        for name, checker in CHECKERS.items():
            score = scored(checker, pairs)
            time = median(score.times)
            base = base or time
            print(
                f"{name:<20} finds {len(pairs) - len(score.missed):>3}, false alarms "
                f"{len(score.alarms):>2}; {time:>7.1f} ms, ratio {time / base:>5.2f}"
            )
            for words, names in (("misses", score.missed), ("alarms", score.alarms)):
                if names:
                    print(f"  {words}: {', '.join(names)}")
    print(f"{'smallest lie seen':<20} {' '.join(f'{name:>12}' for name in HONEST)}")
    for name, checker in CHECKERS.items():
        if name == "gradcheck":
            continue  # variants see no smaller ones
        lies = [smallest_lie(checker, *honest) for honest in HONEST.values()]
        words = ["none" if size is None else f"{size:.0e}" for size in lies]
        print(f"{name:<20} {' '.join(f'{word:>12}' for word in words)}")
    costs = cost_of_recording(
        pairs or [Pair(n, None, f, {"x": at}) for n, (f, at) in HONEST.items()]
    )
    most, slowest = costs[0]
    print(
        f"recording twice, beyond running once: median {median(c for c, _ in costs):.1f} ms, "
        f"largest {most:.1f} ms ({slowest}); goal {GOAL:g} ms: {'met' if most <= GOAL else 'MISSED'}"
    )


if __name__ == "__main__":
    main()
