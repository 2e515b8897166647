"""Random programs for the surveys: compositions of the function table's differentiable functions,
of numbers and of small arrays, and points for them. The same seed draws the same.
"""

from __future__ import annotations

from functools import cache
from math import copysign, log
from typing import TYPE_CHECKING, NamedTuple

from gradcheck_cli.calculus.formulas import is_elementwise
from gradcheck_cli.functions import table

if TYPE_CHECKING:
    from random import Random

Shape = tuple[int, ...]

NAMES = ("x", "y", "z")
# The largest magnitude of a wide point, and the smallest; half precision ends at 65,504.
WIDE = {"float64": (1e-6, 1e6), "float32": (1e-6, 1e6), "bfloat16": (1e-6, 1e6)}
WIDE["float16"] = (1e-4, 5e4)
CORE = (0.1, 3.0)
EXPONENTS = ("2", "3", "4", "-1", "-2", "0.5", "1.5", "-0.5", "2.5", "1/3")
# What makes an argument fit for a function that is not defined everywhere.
POSITIVE = ("exp({})", "({})**2", "abs({})", "softplus({})", "1 + ({})**2")
UNIT = ("tanh({})", "sigmoid({})", "sin({})", "({})/(1 + abs({}))")


class Drawn(NamedTuple):
    """A program, the shapes of its inputs, that of its result, and class indices by name."""

    text: str
    shapes: dict[str, Shape]
    result: Shape
    classes: dict[str, list[int]]


@cache
def _rows() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the elementwise functions of one argument, and of two."""
    found: tuple[list[str], list[str]] = [], []
    for name, row in table().items():
        args, settings = row.parsed.args, row.parsed.settings
        plain = row.backward and not row.condition and not row.operator
        if not plain or any(p.kind for p in args) or any(p.required for p in settings):
            continue
        if len(args) in (1, 2) and is_elementwise(name):
            found[len(args) - 1].append(name)
    return tuple(found[0]), tuple(found[1])


def elementwise(random: Random) -> Drawn:
    """A program of one to three numbers, one to five functions deep."""
    names = NAMES[: random.randint(1, len(NAMES))]
    text = _grown(random, random.randint(1, 5), names)
    used = [name for name in names if name in _words(text)]
    return Drawn(text, dict.fromkeys(used, ()), (), {}) if used else elementwise(random)


def _grown(random: Random, depth: int, names: tuple[str, ...]) -> str:
    if depth == 0:
        leaves = [*names, *names, *names, "2", "0.5", "0.3", "3"]
        return random.choice(leaves)
    inner = _grown(random, depth - 1, names)
    one, two = _rows()
    kind = random.random()
    if kind < 0.45:
        return f"{random.choice(one)}({_fit(random, inner)})"
    if kind < 0.55:
        return f"({inner})**({random.choice(EXPONENTS)})"
    other = _grown(random, random.randint(0, min(2, depth - 1)), names)
    pair = [inner, other]
    random.shuffle(pair)
    if kind < 0.85:
        return f"(({pair[0]}) {random.choice('++--**/')} ({pair[1]}))"
    if kind < 0.97:
        first, second = (_fit(random, part) for part in pair)
        return f"{random.choice(two)}({first}, {second})"
    return f"where({pair[0]} > 0.5, {pair[0]}, {pair[1]})"


def _fit(random: Random, text: str) -> str:
    """An argument as it is, or one that lies where most functions are defined."""
    kind = random.random()
    forms = POSITIVE if kind < 0.2 else UNIT if kind < 0.35 else ("{}",)
    return random.choice(forms).replace("{}", text)


def _words(text: str) -> set[str]:
    return set("".join(c if c.isalnum() else " " for c in text).split())


def arrays(random: Random) -> Drawn:
    """A program of arrays of up to 4 by 4 numbers."""
    rows, columns = random.randint(1, 4), random.randint(2, 4)
    growth = _Growth(random, {"x": (rows, columns)}, {})
    text, shape = "x", (rows, columns)
    for _ in range(random.randint(1, 4)):
        text, shape = growth.step(text, shape)
    if random.random() < 0.4:
        text, shape = growth.loss(text, shape)
    return Drawn(text, growth.shapes, shape, growth.classes)


_SMOOTH = ("sin", "tanh", "exp", "sigmoid", "gelu", "silu", "softplus", "relu", "erf", "atan",
           "square", "log1p(abs({}))", "sqrt(abs({}))", "rsqrt(1 + ({})**2)", "elu", "mish",
           "({})**3", "1/({})")  # fmt: skip
_SHAPED = ("softmax({}, dim=D)", "log_softmax({}, dim=D)", "cumsum({}, dim=D)",
           "cumprod({}, dim=D)", "layer_norm({})", "normalize({}, dim=D)", "flip({}, D)",
           "({}) - mean({}, dim=D, keepdim=True)", "({}) / norm({}, dim=D, keepdim=True)",
           "({}) / std({}, dim=D, keepdim=True)")  # fmt: skip
_REDUCED = ("sum", "mean", "prod", "var", "std", "norm", "logsumexp", "amax", "amin", "norm3")
_LOSSES = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "bce", "bce_with_logits",
           "cross_entropy", "kl_div", "cosine_similarity", "nll", "cross")  # fmt: skip


class _Growth:
    """An array program that grows step by step.

    Attributes:
        shapes: of the inputs so far; `classes` those that hold class indices.
    """

    def __init__(
        self, random: Random, shapes: dict[str, Shape], classes: dict[str, list[int]]
    ) -> None:
        self.random, self.shapes, self.classes = random, shapes, classes

    def step(self, text: str, shape: Shape) -> tuple[str, Shape]:
        """One function more, and the shape of its result."""
        kind, random = self.random.random(), self.random
        if kind < 0.25 or not shape:
            form = random.choice(_SMOOTH)
            return (form.replace("{}", text) if "{" in form else f"{form}({text})"), shape
        if kind < 0.5:
            dim = random.randrange(len(shape))
            form = random.choice(_SHAPED).replace("D", str(dim))
            return form.replace("{}", text), shape
        if kind < 0.65:
            name, columns = self._input((shape[-1], random.randint(1, 3)))
            return f"({text}) @ {name}", (*shape[:-1], columns[-1])
        if kind < 0.85:
            other = (shape, shape[-1:], ())[random.randrange(3)]
            name, _ = self._input(other)
            return f"(({text}) {random.choice('+-**/')} {name})", shape
        return self._reduced(text, shape)

    def _reduced(self, text: str, shape: Shape) -> tuple[str, Shape]:
        name, dim = self.random.choice(_REDUCED), self.random.randrange(len(shape))
        more = ", p=3" if name == "norm3" else ""
        if shape[dim] < 2 or self.random.random() < 0.3:
            return f"{name.rstrip('3')}({text}{more})", ()
        return f"{name.rstrip('3')}({text}{more}, dim={dim})", (*shape[:dim], *shape[dim + 1 :])

    def loss(self, text: str, shape: Shape) -> tuple[str, Shape]:
        """A loss of what there is and a target."""
        name = self.random.choice(_LOSSES)
        if name in ("cross", "cross_entropy", "nll"):
            if len(shape) != 2 or "t" in self.shapes:
                return f"logsumexp({text})", ()
            self.classes["t"] = [self.random.randrange(shape[1]) for _ in range(shape[0])]
            logs = f"log_softmax({text}, dim=1)"
            return (f"nll_loss({logs}, t)" if name == "nll" else f"cross_entropy({text}, t)"), ()
        target, _ = self._input(shape)
        if name == "bce":
            return f"binary_cross_entropy(sigmoid({text}), sigmoid({target}))", ()
        if name == "bce_with_logits":
            return f"binary_cross_entropy_with_logits({text}, sigmoid({target}))", ()
        if name == "kl_div" and shape:
            logs = f"log_softmax({text}, dim=-1)"
            return f"kl_div({logs}, softmax({target}, dim=-1), reduction='sum')", ()
        if name == "cosine_similarity" and shape:
            return f"cosine_similarity({text}, {target}, dim=-1)", shape[:-1]
        plain = name if name.endswith("_loss") else "mse_loss"
        return f"{plain}({text}, {target})", ()

    def _input(self, shape: Shape) -> tuple[str, Shape]:
        """One that is there already, or a new one."""
        same = [name for name, known in self.shapes.items() if known == shape]
        if same and self.random.random() < 0.5:
            return self.random.choice(same), shape
        name = f"w{len(self.shapes)}"
        self.shapes[name] = shape
        return name, shape


def numbers(random: Random, shape: Shape, span: str, dtype: str) -> object:
    """Numbers of a point as nested lists, short decimals."""
    if shape:
        return [numbers(random, shape[1:], span, dtype) for _ in range(shape[0])]
    if span == "core":
        size = random.uniform(*CORE)
    else:
        low, high = WIDE[dtype]
        size = 10 ** random.uniform(log(low) / log(10), log(high) / log(10))
    return float(f"{copysign(size, random.choice((1, 1, -1))):.4g}")
