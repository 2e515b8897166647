"""The worlds of texts of Python: a Program as a person would write it down for torch, and its
scalars for mpmath.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from gradcheck_cli.functions import lookup
from gradcheck_cli.worlds.tensors import Tensors, tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gradcheck_cli.language.program import Call, Number
    from gradcheck_cli.worlds.tensors import Tensor

# How tightly Python binds: a choice, a comparison, a sum, a product, a sign, a power, the rest.
_CHOICE, _COMPARED, _SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(7)
_OPERATORS: Mapping[str, tuple[int, Callable[[Any, Any], Any]]] = {
    "+": (_SUM, operator.add),
    "-": (_SUM, operator.sub),
    "*": (_PRODUCT, operator.mul),
    "/": (_PRODUCT, operator.truediv),
    "@": (_PRODUCT, operator.matmul),
    "%": (_PRODUCT, operator.mod),
    "**": (_POWER, operator.pow),
    "<": (_COMPARED, operator.lt),
    "<=": (_COMPARED, operator.le),
    ">": (_COMPARED, operator.gt),
    ">=": (_COMPARED, operator.ge),
    "==": (_COMPARED, operator.eq),
    "!=": (_COMPARED, operator.ne),
}


class Unwritable(Exception):
    """There is no text for something, and why."""


@dataclass(eq=False)
class Code:
    """A text of Python, and what it stands for where that is known."""

    text: str
    level: int = _ATOM
    value: Any = None

    def within(self, level: int) -> str:
        """The text where only what binds so tightly needs no brackets."""
        return self.text if self.level >= level else f"({self.text})"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or self.value is None:
            raise AttributeError(name)
        return _known(f"{self.within(_ATOM)}.{name}", getattr(self.value, name))

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        parts = [_text(arg) for arg in args]
        parts += [f"{name}={_text(value)}" for name, value in keywords.items()]
        text = f"{self.within(_ATOM)}({', '.join(parts)})"
        if self.value is None:
            return Code(text)
        plain = {name: _plain(value) for name, value in keywords.items()}
        return _known(text, self.value(*map(_plain, args), **plain))

    def __getitem__(self, key: Any) -> Any:
        text = f"{self.within(_ATOM)}[{_index(key)}]"
        return Code(text) if self.value is None else _known(text, self.value[_plain(key)])

    def __len__(self) -> int:
        return len(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __neg__(self) -> Code:
        return Code(f"-{self.within(_POWER)}", _SIGN, None if self.value is None else -self.value)

    def __abs__(self) -> Code:
        return Code(f"abs({self.text})", _ATOM, None if self.value is None else abs(self.value))

    def __bool__(self) -> bool:
        if self.value is None:
            raise Unwritable("a condition is not known while it is written")
        return bool(self.value)


def _known(text: str, value: Any) -> Any:
    """A value of torch with its text; a number, a size or the like as it is."""
    if (
        value is None
        or isinstance(value, bool | int | float | str)
        or type(value).__name__ == "Size"
    ):
        return value
    return Code(text, _ATOM, value)


def _binary(sign: str, *, turned: bool) -> Callable[[Code, Any], Code]:
    level, compute = _OPERATORS[sign]
    gap = "" if sign in ("**", "*", "/") else " "

    def method(self: Code, other: Any) -> Code:
        left, right = (other, self) if turned else (self, other)
        is_power = sign == "**"
        texts = (
            _code(left).within(level + (is_power or level == _COMPARED)),
            _code(right).within(_SIGN if is_power else level + 1),
        )
        known = self.value is not None
        value = compute(_plain(left), _plain(right)) if known else None
        return Code(f"{texts[0]}{gap}{sign}{gap}{texts[1]}", level, value)

    return method


for _sign, (_level, _compute) in _OPERATORS.items():
    setattr(Code, f"__{_compute.__name__}__", _binary(_sign, turned=False))
    if _level != _COMPARED:  # Python turns these round by itself
        setattr(Code, f"__r{_compute.__name__}__", _binary(_sign, turned=True))


def _code(value: Any) -> Code:
    if isinstance(value, Code):
        return value
    text = _text(value)
    return Code(text, _SIGN if text.startswith("-") else _ATOM)


def _plain(value: Any) -> Any:
    """What texts stand for."""
    if isinstance(value, Code):
        return value.value
    if isinstance(value, tuple | list):
        return type(value)(map(_plain, value))
    return value


def _text(value: Any) -> str:
    """A value as Python writes it."""
    if isinstance(value, Code):
        return value.text
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, tuple):
        parts = ", ".join(map(_text, value))
        return f"({parts},)" if len(value) == 1 else f"({parts})"
    if isinstance(value, float):
        return float_text(value)
    return repr(value)


def _index(key: Any) -> str:
    if isinstance(key, tuple) and key:
        return ", ".join(map(_index, key))
    if isinstance(key, slice):
        ends = ("" if end is None else _text(end) for end in (key.start, key.stop))
        step = "" if key.step is None else f":{_text(key.step)}"
        return ":".join(ends) + step
    return "..." if key is ... else _text(key)


def float_text(value: float) -> str:
    """A float as Python writes it, whatever it is."""
    text = repr(value)
    return text if text[-1].isdigit() else f'float("{text}")'


class TorchCode:
    """The world of lines of torch: each call is made while it is written, on tensors of the dtype
    and device of `like`, so that what a row asks of its arguments is known.

    Args:
        literal: rounds a decimal to the dtype under test.
        options: what `torch.tensor` is given beside numbers.
    """

    def __init__(self, literal: Callable[[Fraction], float], like: Tensor, options: str) -> None:
        import torch

        self._tensors = Tensors(literal, like)
        self._literal, self._like, self._options = literal, like, options
        self._torch = Code("torch", _ATOM, torch)

    def number(self, node: Number) -> float | int:
        """A number of Python's."""
        return self._tensors.number(node)

    def variable(self, name: str) -> Code:
        """Every input is given.

        Raises:
            KeyError: this one is not.
        """
        raise KeyError(name)

    def call(self, node: Call, args: list[Any]) -> Any:
        """A call of torch's; the number where all arguments are numbers."""
        import torch

        written = [isinstance(arg, Code) for arg in args]
        if True not in written:
            return self._constant(self._tensors.call(node, args))
        row = lookup(node.function)
        settings = {
            name: self._literal(value) if isinstance(value, Fraction) else value
            for name, value in row.bound(dict(node.settings)).items()
        }
        for k, parameter in enumerate(row.parsed.args[: len(args)]):
            if parameter.kind == "index" and not written[k]:
                made = torch.as_tensor(args[k]).long()
                args[k], written[k] = Code(f"torch.tensor({made.tolist()})", value=made), True
        first = written[0] and True not in written[1:]
        if False in written and not (row.scalars and (row.operator or first)):
            args = [arg if isinstance(arg, Code) else self._made(arg) for arg in args]
        try:
            answer = row.torch(self._torch, *args, **settings)
        except (AttributeError, TypeError) as error:
            message = f"`{node.function}` has no line of torch that stands alone"
            raise Unwritable(message) from error
        if not isinstance(answer, Code) or not isinstance(answer.value, torch.Tensor):
            raise Unwritable(f"`{node.function}` has no line of torch that stands alone")
        return answer

    def _made(self, value: Any) -> Code:
        """A number, or a constant tensor, as a tensor beside others."""
        made = tensor(value, self._like)
        return Code(f"torch.tensor({_text(made.tolist())}, {self._options})", _ATOM, made)

    def _constant(self, value: Any) -> Any:
        return self._made(value) if hasattr(value, "tolist") else value


class MpmathCode:
    """The world of numbers of mpmath, as text: of primitives and scalars alone.

    Args:
        literal: rounds a decimal to the dtype under test.
    """

    def __init__(self, literal: Callable[[Fraction], float | Fraction]) -> None:
        self._literal = literal

    def number(self, node: Number) -> Code:
        """A number, exact."""
        if isinstance(node.value, float):
            return Code(f"mpf({float_text(node.value)})")
        value = Fraction(self._literal(node.value)) if node.decimal else Fraction(node.value)
        if value.denominator == 1:
            return Code(f"mpf({value.numerator})")
        if Fraction(float(value)) == value:
            return Code(f"mpf({float_text(float(value))})")
        return Code(f"mpf({value.numerator})/{value.denominator}", _PRODUCT)

    def variable(self, name: str) -> Code:
        """Every input is given.

        Raises:
            KeyError: this one is not.
        """
        raise KeyError(name)

    def call(self, node: Call, args: list[Code]) -> Code:
        """A call of mpmath's."""
        row = lookup(node.function)
        form = row.mpmath or row.sympy
        if form is None or row.kind != "primitive" or row.stops:
            raise Unwritable(f"`{node.function}` is not written in mpmath")
        return _code(form(_Mpmath(), *args))


class _Mpmath:
    """mpmath's functions, as texts."""

    def __getattr__(self, name: str) -> Code:
        return Code(name if name == "mpf" else f"mp.{name}")

    def choose(self, condition: Code, x: Any, y: Any) -> Code:
        """One of two, of which the other is not computed."""
        first, second = _code(x).within(_COMPARED), _code(y).within(_CHOICE)
        return Code(f"{first} if {condition.within(_COMPARED)} else {second}", _CHOICE)
