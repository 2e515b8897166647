"""What a function is called with: tensors of numbers, whole numbers, and anything else as it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gradcheck_cli.language.errors import PointError, elide, mistake
from gradcheck_cli.questions.arrays import float_array, integer_array
from gradcheck_cli.questions.constructors import read_given
from gradcheck_cli.questions.numbers import Exact, Grid, NonFinite, read_value
from gradcheck_cli.questions.points import Sample, points_of
from gradcheck_cli.questions.python_numbers import read_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.questions.arrays import Array, RoundedNumber
    from gradcheck_cli.questions.points import Given

_NAMED = re.compile(r"\s*([^\W\d][\w.]*)\s*=\s*(.*)", re.DOTALL)
_WORDS = {"none": None, "true": True, "false": False}


@dataclass(frozen=True)
class CodeArgument:
    """One argument.

    Attributes:
        kind: `tensor` of numbers; `number`, one that may be meant as a tensor or as it is;
            `integers`; or `value`, anything else.
        given: numbers as they were read; of a value the value.
    """

    name: str
    kind: Literal["tensor", "number", "integers", "value"]
    given: Any


def read_arguments(texts: Iterable[str]) -> dict[str, CodeArgument]:
    """Arguments from `NAME=VALUE`.

    Raises:
        PointError: one is no such thing, or is given twice.
    """
    found: dict[str, CodeArgument] = {}
    for text in texts:
        named = _NAMED.fullmatch(text)
        if named is None:
            hint = "write NAME=VALUE, such as `x=[0.5, -1]`, `W=randn(4, 3)` or `y=int:[0, 2]`"
            raise mistake("bad-argument", f"`{elide(text)}` is no argument", help=hint)
        name, value = named[1], named[2].strip()
        if name in found:
            raise mistake("bad-argument", f"`{name}` is given twice")
        found[name] = _argument(name, value)
    return found


def _argument(name: str, text: str) -> CodeArgument:
    if text.lower() in _WORDS:
        return CodeArgument(name, "value", _WORDS[text.lower()])
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return CodeArgument(name, "value", text[1:-1])
    head, _, rest = text.partition(":")
    if head.strip() == "int":
        return CodeArgument(name, "integers", read_value(rest))
    try:
        return _of_numbers(name, read_given(text))
    except PointError as error:
        if not text.isidentifier():
            raise
        hint = f"write \"{name}='{text}'\": a text stands in quotes within quotes"
        raise mistake("bad-argument", f"`{name}` is no number: `{text}`", help=hint) from error


def _of_numbers(name: str, given: Given) -> CodeArgument:
    if isinstance(given, Grid):
        message = f"`{name}` is a grid: a function is called at one point"
        raise mistake("bad-argument", message, help="write a list, such as `[0, 0.5, 1]`")
    alone = isinstance(given, Exact | NonFinite)
    return CodeArgument(name, "number" if alone else "tensor", given)


def python_arguments(values: Mapping[str, Any]) -> dict[str, CodeArgument]:
    """Arguments from values of Python: arrays and tensors by their dtype, numbers, texts as on the
    command line, and anything else as it is.

    Raises:
        PointError: a number is none.
    """
    return {name: _of_python(name, value) for name, value in values.items()}


def _of_python(name: str, value: Any) -> CodeArgument:
    if isinstance(value, str):
        return _argument(name, value)
    if value is None or isinstance(value, bool):
        return CodeArgument(name, "value", value)
    if isinstance(value, complex):
        raise mistake("bad-argument", f"`{name}` has complex numbers")
    if isinstance(value, int | float):
        return CodeArgument(name, "number", read_object(name, value))
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        kind = str(value.dtype).rpartition(".")[2]
        if kind.startswith("complex"):
            raise mistake("bad-argument", f"`{name}` has complex numbers")
        if kind.startswith(("int", "uint", "long")):
            return CodeArgument(name, "integers", np.asarray(value.tolist(), dtype=np.int64))
        if kind.startswith(("float", "bfloat")):
            return CodeArgument(name, "tensor", read_object(name, value))
        return CodeArgument(name, "value", value)
    if isinstance(value, list | tuple) and _is_of_numbers(value):
        return CodeArgument(name, "tensor", read_object(name, value))
    return CodeArgument(name, "value", value)


def _is_of_numbers(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and all(map(_is_of_numbers, value))
    return isinstance(value, int | float) and not isinstance(value, bool)


def numbers_array(
    argument: CodeArgument, dtype: DType, seed: int, rounded: list[RoundedNumber]
) -> Array:
    """The numbers of a tensor as the dtype holds them.

    Raises:
        PointError: it cannot hold one, or rows are of unequal length.
    """
    given = argument.given
    if isinstance(given, Sample):
        given = points_of({argument.name: given}, seed)[0][argument.name]
    return float_array(given, argument.name, dtype, rounded)


def plain_value(argument: CodeArgument) -> Any:
    """What a function is given for an argument that is no tensor of numbers: of whole numbers a
    tensor, or one as it is.
    """
    if argument.kind == "number":
        given = argument.given
        is_whole = isinstance(given, Exact) and given.value.denominator == 1
        return int(given.value) if is_whole and "." not in given.text else float(given.value)
    if argument.kind != "integers":
        return argument.given
    if isinstance(argument.given, np.ndarray):
        array = argument.given
    else:
        array = integer_array(argument.given, argument.name)
    return int(array) if not array.ndim else array


def argument_text(argument: CodeArgument) -> str:
    """What `--arg` takes for it; what it has no words for is `...`."""
    value = plain_value(argument)
    if argument.kind == "integers":
        return f"int:{value if isinstance(value, int) else value.tolist()}"
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return repr(value)
    return "..."
