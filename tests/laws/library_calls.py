"""Calls of the language's functions as other libraries take them: every name that both have, every
setting by its place, its name and the names that other libraries give it, at scalars, vectors,
matrices and three dimensions.
"""

from __future__ import annotations

import math
import warnings
from fractions import Fraction
from importlib import import_module
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import sympy
import torch
from sympy.polys.polyerrors import BasePolynomialError

from gradcheck_cli.functions import names, table
from gradcheck_cli.functions.deviations import Elsewhere
from gradcheck_cli.language.errors import ProgramError
from gradcheck_cli.language.libraries import METHODS, SYNONYMS
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.text import setting_text

from .points import INPUTS
from .test_same_shapes import CHOICES, of_balls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradcheck_cli.functions.row import Function

# What stands behind each prefix; `special` may be torch's as well.
MODULES = {
    "torch": "torch", "torch.nn.functional": "torch.nn.functional", "nn.functional": "torch.nn.functional", "F": "torch.nn.functional",
    "torch.special": "torch.special", "torch.linalg": "torch.linalg", "np": "numpy", "numpy": "numpy", "np.linalg": "numpy.linalg",
    "numpy.linalg": "numpy.linalg", "math": "math", "sp": "sympy", "sympy": "sympy", "scipy.special": "scipy.special", "special": "scipy.special",
    "jnp": "numpy", "jax.numpy": "numpy", "jnp.linalg": "numpy.linalg", "jax.numpy.linalg": "numpy.linalg", "jax.scipy.special": "scipy.special",
}  # fmt: skip
# Libraries of numbers: nothing there has three dimensions.
SCALAR = ("math", "sympy")
# More to try for a setting than for our own rows.
MORE = {
    "ord": (None, "fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf, 3),
    "p": (2, 1, 3, math.inf, "fro", "nuc"),
    "negative_slope": (Fraction(1, 5),),
    "alpha": (Fraction(3, 10),),
    "beta": (Fraction(3, 2), 0),
    "threshold": (Fraction(1, 2), 20),
    "value": (-1,),
    "lambd": (Fraction(1, 5),),
    "min_val": (Fraction(-1, 2),),
    "max_val": (Fraction(1, 2),),
    "approximate": ("none", "tanh"),
    "dimension": (0, 1),
    "shape": (*CHOICES["shape"], (3,), (2, 2)),
}
SCALARS = ((7.5, -2.0, 0.4), (-7.5, 2.0, 0.6), (0.3, 0.7, 0.2), (2.5, 0.5, -1.5), (-0.4, 3.0, 1.0))
SHAPES = (
    ((3,), (3,), (3,)), ((2, 2), (2, 2), (2, 2)), ((2, 3), (3,), (3,)), ((2, 2, 3), (2, 2, 3), (2, 2, 3)), ((3, 3), (2, 3, 3), (3,)), ((3, 3),) * 3,
    ((1, 1, 2, 2),) * 3, ((2, 2, 2), (2, 2, 2), (2,)), ((2, 3), (3, 2), ()),
)  # fmt: skip
# A meaning that differs does so by far more; the slackest of torch's own functions is off by 6e-7.
ROOM = 1e-6


class Written(NamedTuple):
    """A call: its inputs' kinds, and its further arguments, in words and as Python's values."""

    kinds: tuple[str, ...]
    variadic: bool
    tail: tuple[Any, ...]
    keywords: tuple[tuple[str, Any], ...]
    names: tuple[str, ...] = ()
    places: tuple[str, ...] = ()

    def in_place(self, inputs: list[Any], tail: list[Any]) -> list[Any]:
        """Inputs and settings in the order in which the function takes them."""
        if not (self.places and tail):
            return [*inputs, *tail]
        if self.variadic:
            return [*tail, *inputs]
        given = dict(zip(self.names, [*inputs, *tail], strict=False))
        return [given[name] for name in self.places if name in given] + [
            value for name, value in given.items() if name not in self.places
        ]

    def text(self, name: str, *, method: bool = False) -> str:
        """In the language."""
        forms = {"condition": "({} > 0)"}
        inputs = [
            forms.get(kind, "{}").format(x) for x, kind in zip(INPUTS, self.kinds, strict=False)
        ]
        if self.variadic and not method:
            inputs = [f"[{', '.join(inputs)}]"]
        written = self.in_place(inputs, [setting_text(value) for value in self.tail])
        receiver = f"{written.pop(0)}." if method else ""
        if self.variadic and method:
            written = [f"[{written[0]}]", *written[1:]] if written else []
        written += [f"{key}={setting_text(value)}" for key, value in self.keywords]
        return f"{receiver}{name}({', '.join(written)})"

    def call(self, function: Any, inputs: list[Any]) -> Any:
        """As the library takes it."""
        given = [
            x > 0 if kind == "condition" else x for x, kind in zip(inputs, self.kinds, strict=False)
        ]
        given = [given] if self.variadic else given
        keywords = {key: plain(value) for key, value in self.keywords}
        piece = keywords.pop("piece", None)
        answer = function(*self.in_place(given, [plain(value) for value in self.tail]), **keywords)
        return answer if piece is None else answer[piece]


def plain(value: Any) -> Any:
    """A setting as Python has it."""
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return float(value) if isinstance(value, Fraction) else value


def choices(name: str) -> tuple[Any, ...]:
    """What to try for a setting."""
    return MORE.get(name) or CHOICES.get(name, ())


def written(row: Function) -> list[Written]:
    """Calls of a row, and of those that it stands for in other libraries, once each."""
    meant = [e.function for e in row.foreign.values() if isinstance(e, Elsewhere) and e.function]
    rows = [row, *(table()[name] for name in dict.fromkeys(meant))]
    return list(dict.fromkeys(call for row in rows for call in forms(row)))


def shapes_of(row: Function) -> list[Written]:
    """A call of a row for each set of settings, by place and by name, whatever their values."""
    kinds = {
        (call.kinds, len(call.tail), tuple(key for key, _ in call.keywords)): call
        for call in written(row)
    }
    return list(kinds.values())


def forms(row: Function) -> Iterator[Written]:
    """Calls of a row: bare, with each setting by place and by each of its names, and with two."""
    parsed = row.parsed
    other = {name: [n for n, own in SYNONYMS.items() if own == name] for name in SYNONYMS.values()}
    for count in {sum(p.required for p in parsed.args), min(len(parsed.args), 3)}:
        kinds = ("", "") if parsed.variadic else tuple(p.kind for p in parsed.args[:count])
        names = (*parsed.names[:count], *(p.name for p in parsed.settings))
        start = Written(kinds, parsed.variadic, (), (), names, row.places)
        if not any(p.required for p in parsed.settings):
            yield start
        for places in range(1, min(len(parsed.settings), 3) + 1):
            given = [choices(p.name) for p in parsed.settings[:places]]
            yield from (start._replace(tail=tail) for tail in product(*given))
        for places in range(row.has_pieces and len(parsed.settings)):
            for tail in product(*(choices(p.name) for p in parsed.settings[:places])):
                yield start._replace(tail=tail, keywords=(("piece", 0),))
                yield start._replace(tail=tail, keywords=(("piece", 1),))
        for setting in parsed.settings:
            for name in (setting.name, *other.get(setting.name, ())):
                for value in choices(setting.name):
                    yield start._replace(keywords=((name, value),))
        for one, two in zip(parsed.settings, parsed.settings[1:], strict=False):
            for values in product(choices(one.name), choices(two.name)):
                for first in (one.name, *other.get(one.name, ())):
                    yield start._replace(keywords=((first, values[0]), (two.name, values[1])))


def points(row: Function, module: str) -> Iterator[list[np.ndarray[Any, Any]]]:
    """Inputs of a row: three arrays of every shape, and scalars on all sides of what matters."""
    random = np.random.default_rng(5)
    if any(p.kind == "index" for p in row.parsed.args):
        yield from indexed(row, random)
        return
    for values in SCALARS:
        yield [np.array(value) for value in values]
    for shapes in SHAPES[:2] if module in SCALAR else SHAPES:
        yield [np.round(random.uniform(0.1, 0.9, shape), 2) for shape in shapes]


def indexed(row: Function, random: np.random.Generator) -> Iterator[list[np.ndarray[Any, Any]]]:
    """Inputs of a row that takes integers too: classes, or an order."""
    for shape, less in (
        ((), ()),
        ((3,), ()),
        ((2, 3), (2,)),
        ((2, 3, 2), (2, 2)),
        ((2, 2), (2, 2)),
    ):
        arrays = []
        for p in row.parsed.args:
            drawn = random.integers(0, 2, less) if p.kind else random.uniform(0.1, 0.9, shape)
            arrays.append(np.round(drawn, 2) if not p.kind else np.asarray(drawn))
        yield arrays
        if len(arrays) == 3:  # every place once, and a number to put there
            places = np.arange(arrays[1].size).reshape(less)
            yield [arrays[0], places, arrays[2]]
            yield [arrays[0], places, np.array(0.7)]


def numbers(value: Any) -> np.ndarray[Any, Any] | None:
    """What a library answers as an array of numbers; None where that is something else."""
    if isinstance(value, torch.Size):
        return None
    if isinstance(value, tuple) and hasattr(value, "indices"):  # the largest, and where they are
        value = value.values
    if isinstance(value, torch.Tensor):
        value = value.numpy()
    if isinstance(value, sympy.MatrixBase | list | tuple):
        value = np.array(value, dtype=object)
    try:
        flat = [complex(item) for item in np.asarray(value, dtype=object).reshape(-1)]
    except (TypeError, ValueError):
        return None
    return np.array(flat).reshape(np.shape(value))


def of_library(function: Any, call: Written, inputs: list[Any]) -> np.ndarray[Any, Any] | None:
    """The library's own numbers; None where it refuses the call."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return numbers(call.call(function, inputs))
    except (TypeError, ValueError, RuntimeError, IndexError, AttributeError, NotImplementedError, ArithmeticError, MemoryError):  # fmt: skip
        return None
    except (sympy.SympifyError, BasePolynomialError):
        return None


def of_language(text: str, inputs: list[np.ndarray[Any, Any]]) -> Any:
    """Balls; None where the language refuses the call."""
    try:
        variables = parse(text).variables
    except ProgramError:
        return None
    given = dict(zip(INPUTS, inputs, strict=False))
    found = _balls_of(text, {name: given[name] for name in variables})
    return None if isinstance(found, Exception) else found


def _balls_of(text: str, given: dict[str, np.ndarray[Any, Any]]) -> Any:
    """As `of_balls`, once for all texts of one program: other names of a library and of its settings
    come to the same.
    """
    numbers = tuple((name, a.dtype.char, a.shape, a.tobytes()) for name, a in given.items())
    key = parse(text).nodes, numbers
    if key not in _KNOWN:
        _KNOWN[key] = of_balls(text, given)
    return _KNOWN[key]


_KNOWN: dict[Any, Any] = {}


def differs(theirs: np.ndarray[Any, Any], ours: Any) -> bool:
    """Whether a number of ours is another one than the library's."""
    if theirs.shape != ours.shape and not theirs.size == ours.size == 1:
        return True  # NumPy's running sums make a vector of a number
    for value, ball in zip(theirs.reshape(-1).tolist(), ours.reshape(-1).tolist(), strict=True):
        number, room = float(ball) if isinstance(ball, bool) else math.nan, 0.0
        if not isinstance(ball, bool):  # a ball that holds a jump has room for both sides
            number, room = float(ball.mid()), float(ball.rad())
        if math.isfinite(number) and not abs(value - number) <= ROOM * (1 + abs(number)) + room:
            return True
    return False


def inputs_for(module: str, arrays: list[np.ndarray[Any, Any]]) -> list[Any]:
    """The same numbers as the library takes them."""
    if module.startswith("torch"):
        return [torch.tensor(array) for array in arrays]
    if module == "sympy":
        return [
            sympy.Matrix(array.tolist()) if array.ndim == 2 else sympy.Float(array.item()) if not array.ndim else array.tolist()
            for array in arrays
        ]  # fmt: skip
    return [array.item() if not array.ndim else array for array in arrays]


class Walk(NamedTuple):
    """What a walk over calls came to.

    Attributes:
        answered: names to which the library gave an answer, and the language too or not.
        compared: names for which both did.
        different: calls to which both gave an answer, and another one.
    """

    answered: set[str]
    compared: set[str]
    different: list[str]


def walk(prefix: str, rows: list[Function] | None = None, module: str = "") -> Walk:
    """Every name that a library and the language share, held against each other."""
    found = Walk(set(), set(), [])
    module = module or MODULES.get(prefix, "torch")
    library = torch.Tensor if prefix == METHODS else import_module(module)
    for name, own in names().items():
        row = table()[own]
        function = getattr(library, name, None)
        if callable(function) and row.operator != "[]" and (rows is None or row in rows):
            given = list(points(row, module))
            for call in written(row):
                text = (
                    call.text(name, method=True)
                    if prefix == METHODS
                    else f"{prefix}.{call.text(name)}"
                )
                is_read = _is_read(text)
                for arrays in given:
                    if not is_read and name in found.answered:
                        break  # what is refused is refused at every point
                    theirs = of_library(function, call, inputs_for(module, arrays))
                    compare(found, name, text, theirs, arrays)
    return found


def _is_read(text: str) -> bool:
    try:
        parse(text)
    except ProgramError:
        return False
    return True


def compare(found: Walk, name: str, text: str, theirs: Any, arrays: list[Any]) -> None:
    """One call at one point."""
    if theirs is None:
        return
    found.answered.add(name)
    ours = of_language(text, arrays)
    if ours is None:
        return
    found.compared.add(name)
    if differs(theirs, ours):
        at = [array.tolist() for array in arrays]
        found.different.append(f"{text} at {at}: {theirs.tolist()}, not {ours.tolist()}")
