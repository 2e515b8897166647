"""Law: a row's pullback is the formula that the installed torch ships, and the row calls torch's
own function.

torch's wheel holds `derivatives.yaml`, from which its backward is generated. Its formulas are
evaluated in float64 and held against ours, also where an exact partial would give other digits (the
slope of sigmoid at 40 is 0 in torch).
"""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib.resources import files
from math import e, isfinite, isnan, log, pi, sqrt
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import torch
import yaml
from each import each

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language.program import fold
from gradcheck_cli.worlds import tensors

from .points import Sample, case_of, differentiable_rows, enclose, inputs_of, named, samples
from .slopes import gradient_program
from .torch_defects import gradient_errs

if TYPE_CHECKING:
    from gradcheck_cli.functions.row import Function

# Rounded at most this often between two ways to write the same formula.
ULPS = 64
COTANGENTS = (1.0, -2.5)
# Where formulas part that are equal in exact arithmetic: cancellation, saturation, small numbers.
STRESS = ("1e-8", "-1e-5", "0.999999", "-0.999999", "1.000001", "18.5", "-18.5", "39.5", "-39.5")

# C++ helpers of `FunctionsManual.cpp` that Python cannot call; law `test_pullbacks` covers these
# rows in exact arithmetic.
IN_CPP = {
    "add": "handle_r_to_c", "sub": "handle_r_to_c", "mul": "mul_tensor_backward", "div": "div_tensor_self_backward, div_tensor_other_backward",
    "pow": "pow_backward_self, pow_backward_exponent", "clamp": "clamp_backward_min_max", "log1p": "log1p_backward", "atan2": "atan2_backward",
    "sinc": "sinc_backward", "deg2rad": "deg2rad_backward", "rad2deg": "rad2deg_backward", "i1": "i1_backward", "i1e": "i1e_backward",
    "rrelu": "rrelu_with_noise_backward", "addcmul": "handle_r_to_c", "addcdiv": "handle_r_to_c", "rsub": "handle_r_to_c", "copysign": "copysign_tensor_self_backward",
    "masked_fill": "masked_fill_backward", "clamp_min": "scalar_tensor with options", "clamp_max": "scalar_tensor with options",
    "bce": "binary_cross_entropy_backward reduces", "angle": "angle_backward", "nan_to_num": "at::isfinite", "bce_with_logits": "binary_cross_entropy_with_logits_backward reduces",
}  # fmt: skip
# Rows whose torch function is composed of others, and the node that its backward begins with.
COMPOSED = {
    "square": "Pow",
    "ndtr": "Mul",
    "relu6": "Hardtanh",
    "selu": "Elu",
    "softsign": "Div",
    "tanhshrink": "Sub",
    **dict.fromkeys(("sec", "csc", "sech", "csch", "coth", "cbrt", "gamma"), "Mul"),
    "cot": "Div",
    "float_power": "Pow",
    # torch hands the argument on.
    **dict.fromkeys(
        ("contiguous", "positive", "real", "conj", "conj_physical", "resolve_conj", "resolve_neg"),
        "",
    ),
    "asec": "Acos",
    "acsc": "Asin",
    "acot": "Atan",
    "asech": "Acosh",
    "acsch": "Asinh",
    "acoth": "Atanh",
}
# Rows under another name than torch's.
RENAMED = {
    "bce": "binary_cross_entropy",
    "bce_with_logits": "binary_cross_entropy_with_logits",
    "logsigmoid": "log_sigmoid_forward",
    "rrelu": "rrelu_with_noise",
}
NODES = {"logsigmoid": "LogSigmoidBackward"}  # the generator drops `_forward`
# What a few roundings do not cover: the kernel of tanh fuses `1 - y * y`, and so saves the rounding
# of a number below 1; that of gelu rounds x / sqrt(2) in its own way, which the square in the
# exponent amplifies.
ROOMS = {
    "tanh": lambda x, slope: 2.0**-53,
    "gelu": lambda x, slope: 4 * x * x * 2.0**-53 * abs(slope),
}


# The constants of C's `math.h`: torch 2.13 writes 2.0 / sqrt(M_PI), and 2.14 M_2_SQRTPI.
CONSTANTS = {
    "M_E": e, "M_LOG2E": 1 / log(2), "M_LOG10E": 1 / log(10), "M_LN2": log(2), "M_LN10": log(10), "M_PI": pi, "M_PI_2": pi / 2, "M_PI_4": pi / 4,
    "M_1_PI": 1 / pi, "M_2_PI": 2 / pi, "M_2_SQRTPI": 2 / sqrt(pi), "M_SQRT2": sqrt(2), "M_SQRT1_2": 1 / sqrt(2),
}  # fmt: skip


class Entry(NamedTuple):
    """One function of derivatives.yaml: name, parameters with their defaults, a formula for each
    differentiable one.
    """

    base: str
    parameters: tuple[tuple[str, str, str], ...]
    formulas: dict[str, str]


@cache
def entries() -> dict[str, list[Entry]]:
    """Everything in derivatives.yaml, by the name before the dot."""
    text = (
        files("torchgen").joinpath("packaged/autograd/derivatives.yaml").read_text(encoding="utf-8")
    )
    found: dict[str, list[Entry]] = {}
    for item in yaml.safe_load(text):
        head, _, rest = item["name"].partition("(")
        parameters = re.findall(
            r"([\w\[\]?]+)(?:\([a-z!]\))? (\w+)(?:=([^,)]+))?",
            rest.partition(")")[0].replace("*, ", ""),
        )
        formulas = {
            k: v
            for k, v in item.items()
            if k not in ("name", "result", "dispatch", "output_differentiability", "auto_linear")
        }
        base = head.partition(".")[0]
        found.setdefault(base, []).append(
            Entry(
                base, tuple(parameters), {k: v for k, v in formulas.items() if isinstance(v, str)}
            )
        )
    return found


def entry_of(row: Function) -> Entry | None:
    """The entry of a row's torch function whose tensors are the row's arguments; None where torch
    composes the function.
    """
    wanted = len(row.parsed.args)
    for base in (RENAMED.get(row.name, row.name), f"special_{row.name}"):
        for entry in entries().get(base, []):
            tensors_ = [
                p
                for p in entry.parameters
                if p[0] in ("Tensor", "int") or (p[0] == "Tensor?" and p[1] in ("min", "max"))
            ]
            if len(tensors_) == wanted and entry.formulas:
                return entry
    return None


class Formula:
    """Evaluates torch's text of a formula with a whitelist of names, operators and methods: nothing
    of it is executed.
    """

    FUNCTIONS = (
        "exp",
        "sqrt",
        "pow",
        "where",
        "xlogy",
        "special_xlog1py",
        "special_i1",
        "special_i1e",
        "digamma",
        "polygamma",
        "zeros_like",
    )
    METHODS = ("pow", "sgn", "cos", "sin", "cosh", "sinh", "rsqrt", "exp", "neg", "div", "log", "square", "erfinv", "isnan", "masked_fill", "masked_fill_",
               "logical_or_", "logical_not_", "logical_or", "add")  # fmt: skip
    OPERATORS: ClassVar[dict[type, Any]] = {
        ast.Add: lambda a, b: a + b, ast.Sub: lambda a, b: a - b, ast.Mult: lambda a, b: a * b, ast.Div: lambda a, b: a / b, ast.BitAnd: lambda a, b: a & b,
        ast.Eq: lambda a, b: a == b, ast.Lt: lambda a, b: a < b, ast.Gt: lambda a, b: a > b, ast.LtE: lambda a, b: a <= b, ast.GtE: lambda a, b: a >= b,
    }  # fmt: skip

    def __init__(self, text: str, names: dict[str, Any]) -> None:
        text = re.sub(r"/\*.*?\*/", "", text)
        text = re.sub(r"\b(at|std)::", "", text).replace("GradMode::is_enabled()", "false")
        ternary = re.fullmatch(r"(.+?) \? (.+) : (.+)", text)
        if ternary:
            text = f"({ternary[2]}) if ({ternary[1]}) else ({ternary[3]})"
        self.tree = ast.parse(text.strip(), mode="eval").body
        self.names = {**names, **CONSTANTS, "true": True, "false": False}

    def value(self, node: ast.AST | None = None) -> Any:
        """The number that the formula comes to.

        Raises:
            LookupError: it names something that is not on the list.
        """
        match node or self.tree:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self.names[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.value(operand)
            case (
                ast.BinOp(left=left, op=op, right=right)
                | ast.Compare(left=left, ops=[op], comparators=[right])
            ):
                return self.OPERATORS[type(op)](self.value(left), self.value(right))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.value(body) if self.value(test) else self.value(orelse)
            case ast.Call(func=ast.Attribute(value=inner, attr=method), args=args):
                return self.method(self.value(inner), method, [self.value(arg) for arg in args])
            case ast.Call(func=ast.Name(id=name), args=args):
                return self.function(name, [self.value(arg) for arg in args])
        raise LookupError(ast.dump(node or self.tree))

    def method(self, inner: Any, name: str, args: list[Any]) -> Any:
        if name == "conj":
            return inner
        if name == "is_complex":
            return False
        if name == "toFloat":  # a C++ float
            return float(np.float32(inner))
        if name == "div" and len(args) == 2:
            return inner.div(args[0], rounding_mode=args[1])
        if name not in self.METHODS:
            raise LookupError(name)
        return getattr(inner, name)(*args)

    def function(self, name: str, args: list[Any]) -> Any:
        if name.endswith("_backward") and hasattr(torch.ops.aten, name):
            words = {"approximate": args.pop()} if isinstance(args[-1], str) else {}
            return getattr(torch.ops.aten, name)(*args, **words)
        if name == "masked_fill_inplace_if_safe":
            return args[0].masked_fill(*args[1:])
        if name not in self.FUNCTIONS:
            raise LookupError(name)
        plain = not any(isinstance(a, torch.Tensor) for a in args)
        args = [
            torch.tensor(a, dtype=torch.float64) if plain and isinstance(a, float) else a
            for a in args
        ]
        function = {
            "special_i1": torch.special.i1,
            "special_i1e": torch.special.i1e,
            "special_xlog1py": torch.special.xlog1py,
        }.get(name)
        return (function or getattr(torch, name))(*args)


def forward(sample: Sample) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """The inputs of a sample as leaves, and torch's value of it."""
    found = case_of(sample)
    like = torch.empty((), dtype=torch.float64)
    leaves = {
        name: torch.tensor(array, requires_grad=name in sample.numbers)
        for name, array in found.at.items()
    }
    return leaves, fold(found.specification, tensors.Tensors(found.dtype.round, like), leaves)[
        found.specification.result
    ]


def shipped(sample: Sample, entry: Entry, ybar: float) -> dict[str, float]:
    """torch's formulas at a sample, by our names of the inputs."""
    leaves, result = forward(sample)
    settings = sample_settings(sample)
    names: dict[str, Any] = {
        "grad": torch.tensor(ybar, dtype=torch.float64),
        "result": result.detach(),
    }
    inputs = iter(leaves.items())
    ours: dict[str, str] = {}
    for (kind, name, default), p in zip(
        entry.parameters, [*sample.row.parsed.args, *[None] * len(entry.parameters)], strict=False
    ):
        if p is not None and p.kind == "index":
            names[name] = order_of(sample)
        elif p is not None:
            ours[name], leaf = next(inputs)
            names[name] = leaf.detach() > 0 if p.kind == "condition" else leaf.detach()
        elif name in settings:
            names[name] = settings[name]
        elif default:
            names[name] = (
                None
                if default == "None"
                else default.strip("'")
                if kind == "str"
                else float(default)
            )
    if entry.base == "log_sigmoid_forward":
        names["buffer"] = torch.ops.aten.log_sigmoid_forward(names["self"])[1]
    wanted = {
        key: text
        for key, text in entry.formulas.items()
        if text != "non_differentiable" and key in ours
    }
    return {ours[key]: float(Formula(text, names).value()) for key, text in wanted.items()}


def order_of(sample: Sample) -> int:
    """The integer that a sample's call begins with."""
    return int(sample.text.partition("(")[2].partition(",")[0])


# What torch takes where softplus's threshold is not written.
NOT_WRITTEN = 20


def sample_settings(sample: Sample) -> dict[str, Any]:
    """The settings of a sample's call, as torch is given them."""
    found = case_of(sample)
    call = next(
        node
        for node in found.specification.nodes
        if getattr(node, "function", "") == sample.row.name
    )
    settings = sample.row.bound(dict(call.settings))
    return {
        name: value if isinstance(value, str) else float(NOT_WRITTEN if value is None else value)
        for name, value in settings.items()
    }


def stated(sample: Sample, ybar: float) -> dict[str, float]:
    """Our pullbacks, run in torch's float64."""
    program, nodes = gradient_program(sample.text, as_torch=True)
    like = torch.empty((), dtype=torch.float64)
    inputs = {
        name: torch.tensor(value, dtype=torch.float64)
        for name, value in {**sample.values, "ybar": ybar}.items()
    }
    values = fold(program, tensors.Tensors(DTYPES["float64"].round, like), inputs)
    return {
        name: float(values[nodes[name]]) if nodes[name] >= 0 else 0.0 for name in sample.numbers
    }


def measured(sample: Sample, ybar: float) -> dict[str, float]:
    """What torch's backward answers."""
    leaves, result = forward(sample)
    (result * ybar).sum().backward()
    return {name: float(leaves[name].grad) for name in sample.numbers}


def same(a: float, b: float, room: float = 0.0) -> bool:
    """Equal but for a few roundings; two infinities of one sign are equal, and two NaN."""
    if not (isfinite(a) and isfinite(b)):
        return (isnan(a) and isnan(b)) or a == b
    return bool(abs(a - b) <= max(ULPS * np.spacing(max(abs(a), abs(b))), room))


def stressed(row: Function) -> list[Sample]:
    """A row's samples, and points where formulas that are equal in exact arithmetic part."""
    found = list(samples(row))
    for text in dict.fromkeys(sample.text for sample in found):
        names = inputs_of(text)
        found += [
            Sample(row, text, tuple(zip(names, (value, "0.7", "1.3"), strict=False)))
            for value in STRESS
        ]
    return [
        sample
        for sample in found
        if enclose(sample.text, sample.values).is_finite() and not gradient_errs(sample)
    ]


FORMULAS = [
    row for row in differentiable_rows() if entry_of(row) is not None and row.name not in IN_CPP
]


@each("row", FORMULAS, ids=named)
def test_our_pullback_is_torchs_formula(row):
    """In float64, to a few roundings, also where the formula itself cancels."""
    entry = entry_of(row)
    room_at = ROOMS.get(row.name, lambda x, slope: 0.0)
    for sample in stressed(row):
        for ybar in COTANGENTS:
            theirs, ours = shipped(sample, entry, ybar), stated(sample, ybar)
            assert set(theirs) == set(ours)
            for name in ours:
                room = room_at(sample.values[name], theirs[name]) * max(1.0, abs(ybar))
                assert same(ours[name], theirs[name], room), (
                    f"{sample}, ybar={ybar}: d/d{name} is {theirs[name]} by {entry.formulas}, {ours[name]} by our pullback"
                )


@each("row", FORMULAS, ids=named)
def test_torchs_formula_is_what_torch_runs(row):
    """The formula in the wheel is the one behind `backward`."""
    for sample in stressed(row):
        theirs, answer = shipped(sample, entry_of(row), -2.5), measured(sample, -2.5)
        assert all(same(theirs[name], answer[name]) for name in answer), (
            f"{sample}: {theirs} by the formula, {answer} by backward"
        )


@each("row", FORMULAS, ids=named)
def test_another_formula_is_seen(row):
    """The comparison above can fail: a cotangent off by one part in a million is caught."""
    entry = entry_of(row)
    pairs = [(shipped(sample, entry, 1.0), stated(sample, 1 + 1e-6)) for sample in samples(row)]
    slopes = [(theirs[name], ours[name]) for theirs, ours in pairs for name in ours]
    assert all(a == b == 0 for a, b in slopes) or not all(same(a, b) for a, b in slopes)


def test_every_row_is_held_against_its_formula_or_said_why_not():
    """A new row has a formula in derivatives.yaml, or is named above with the reason."""
    found = {row.name for row in FORMULAS}
    absent = {row.name for row in differentiable_rows()} - found
    assert absent == set(IN_CPP) | set(COMPOSED)
    for name, helpers in IN_CPP.items():
        (row,) = [row for row in differentiable_rows() if row.name == name]
        texts = " ".join((entry_of(row) or entries()[RENAMED.get(name, name)][0]).formulas.values())
        assert all(helper.split()[0] in texts for helper in helpers.split(", ")), texts


@each("row", differentiable_rows(), ids=named)
def test_the_row_calls_torchs_own_function(row):
    """The node of the result is the one generated for this function: its own backward runs, not
    that of its meaning.
    """
    _, result = forward(samples(row)[0])
    node = re.sub(r"\d+$", "", result.grad_fn.name()) if result.grad_fn else "Backward"
    entry = entry_of(row)
    base = entry.base if entry else RENAMED.get(row.name, row.name)
    camel = "".join(part.title() for part in base.split("_"))
    expected = (
        f"{COMPOSED[row.name]}Backward"
        if row.name in COMPOSED
        else NODES.get(row.name, f"{camel}Backward")
    )
    assert node == expected
