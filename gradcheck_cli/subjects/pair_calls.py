"""How a forward and a backward written beside it are called, by what their parameters are called.

Of a backward's parameters those that are called as the forward's are given what the forward was
given; the first of the others, and those that are called like cotangents, are cotangents; what is
left is what the forward left for it: `out, cache = f(x)`, `dx = f_backward(dout, cache)`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# What cotangents are called: `dout`, `grad_output`, `g`, `upstream`.
_COTANGENT = re.compile(
    r"d[A-Za-z_]\w*|g|gy|gout|(.*_)?grad(_.*|s)?|upstream\w*|cotangent\w*|.*_bar"
)
# What is called like one, and is none.
_NO_COTANGENT = re.compile(r"dim\w*|dtype|data|dropout\w*|decay|depth|degree|debug|dilation")


class PairError(ValueError):
    """A forward and a backward do not fit each other."""


@dataclass(frozen=True, eq=False)
class NumpyPair:
    """A forward and its backward.

    Attributes:
        backward: None where the forward gives its value and the gradients behind it.
        inputs: the names of the forward's arguments that are tensors of numbers, in its order.
        constants: its other arguments, and those that only the backward has.
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any] | None
    inputs: tuple[str, ...]
    constants: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Forwarded:
    """What a forward gave.

    Attributes:
        values: what is differentiated.
        left: what it left for the backward, in order.
    """

    values: tuple[Any, ...]
    left: tuple[Any, ...] = ()


def ask_forward(pair: NumpyPair, arrays: Mapping[str, Any]) -> Forwarded:
    """The forward's value, and what it leaves for the backward.

    Args:
        arrays: the inputs and the constants.
    Raises:
        PairError: it gives less than the backward takes.
    """
    names = _parameters(pair.forward)
    found = _called(pair.forward, names, arrays, pair.inputs)
    if pair.backward is None:
        if not isinstance(found, tuple | list) or len(found) < 2:
            message = "the function gives no value with gradients behind it"
            raise PairError(message)
        return Forwarded((found[0],), tuple(found[1:]))
    cotangents, left = _roles(pair)
    count = len(cotangents)
    several = isinstance(found, tuple | list)
    if not several:
        found = (found,)
    if len(found) < count:
        message = (
            f"the forward gives {len(found)} values, and the backward takes {count} cotangents"
        )
        raise PairError(message)
    if not several and len(left) == 1:
        return Forwarded((found[0],), (found[0],))
    if len(found) < count + len(left):
        names_left = ", ".join(f"`{name}`" for name in left)
        known = f"the forward leaves {len(found) - count} values beside its own"
        message = f"nothing is known of the backward's {names_left}: {known}"
        raise PairError(message)
    return Forwarded(tuple(found[:count]), tuple(found[len(found) - len(left) :]))


def ask_backward(
    pair: NumpyPair, forwarded: Forwarded, arrays: Mapping[str, Any], cotangents: Sequence[Any]
) -> list[Any]:
    """The gradient of each input, None where the backward gives none.

    Args:
        arrays: the inputs and the constants, as they were given to the forward.
    Raises:
        PairError: it gives more, fewer, or of another shape.
    """
    if pair.backward is None:
        (cotangent,) = cotangents
        found = _by_input(pair, forwarded.left)
        scaled = [None if g is None else np.multiply(cotangent, g) for g in found]
        return _shaped(pair, arrays, scaled)
    names = _parameters(pair.backward)
    mine, left = _roles(pair)
    given = {**arrays}
    given |= dict(zip(mine, cotangents, strict=True)) | dict(zip(left, forwarded.left, strict=True))
    found = _called(pair.backward, names, given, (*mine, *left))
    parts = tuple(found) if isinstance(found, tuple | list) else (found,)
    return _shaped(pair, arrays, _by_input(pair, (found,) if isinstance(found, dict) else parts))


def _by_input(pair: NumpyPair, found: tuple[Any, ...]) -> list[Any]:
    """Gradients in the order of the inputs: they are called by them, or come in their order, with
    or without the arguments that are no inputs.
    """
    if len(found) == 1 and isinstance(found[0], dict):
        return [_called_for(name, found[0]) for name in pair.inputs]
    if len(found) == len(pair.inputs):
        return list(found)
    names = [p.name for p in _parameters(pair.forward) or ()]
    if len(found) == len(names):
        by_name = dict(zip(names, found, strict=True))
        return [by_name[name] for name in pair.inputs]
    wanted = ", ".join(f"`{name}`" for name in pair.inputs)
    message = f"{len(found)} gradients for {len(pair.inputs)} inputs, {wanted}"
    raise PairError(message)


def _called_for(name: str, found: Mapping[str, Any]) -> Any:
    for key in (name, f"d{name}", f"d_{name}", f"grad_{name}", f"{name}_grad", f"{name}_bar"):
        if key in found:
            return found[key]
    message = f"no gradient of `{name}` among {', '.join(f'`{key}`' for key in found)}"
    raise PairError(message)


def _shaped(pair: NumpyPair, arrays: Mapping[str, Any], found: list[Any]) -> list[Any]:
    """The same, of the shapes of the inputs: an optimizer would add another shape to each row."""
    for name, gradient in zip(pair.inputs, found, strict=True):
        wanted, shape = np.shape(arrays[name]), np.shape(gradient)
        if gradient is not None and shape != wanted:
            message = f"`{name}` has the shape {wanted}, and its gradient {shape}"
            raise PairError(message)
    return found


def _roles(pair: NumpyPair) -> tuple[list[str], list[str]]:
    """The names of the backward's cotangents, and of what the forward left for it.

    Raises:
        PairError: it has no cotangent.
    """
    forward = {p.name for p in _parameters(pair.forward) or ()} | {*pair.inputs, *pair.constants}
    parameters = _parameters(pair.backward)
    if parameters is None:
        message = "the backward does not tell its parameters"
        raise PairError(message)
    free = [p.name for p in parameters if p.name not in forward and p.default is Parameter.empty]
    if not free:
        message = "the backward takes no cotangent, such as `dout`"
        raise PairError(message)
    found = [n for n in free if _COTANGENT.fullmatch(n) and not _NO_COTANGENT.fullmatch(n)]
    found = found or free[:1]
    return found, [name for name in free if name not in found]


def _parameters(function: Any) -> list[Parameter] | None:
    """The parameters of a function, those that take any number left out; None where it has no
    names.
    """
    try:
        every = signature(function).parameters.values()
    except (ValueError, TypeError):
        return None
    many = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    kept = [p for p in every if p.kind not in many]
    return kept or (None if every else [])


def _called(
    function: Any,
    parameters: list[Parameter] | None,
    given: Mapping[str, Any],
    order: Sequence[str],
) -> Any:  # fmt: skip
    """A call by names, the leading ones by their places; where there are no names by places."""
    if parameters is None:
        return function(*[given[name] for name in order])
    missing = [p.name for p in parameters if p.name not in given and p.default is Parameter.empty]
    if missing:
        message = f"no value for {', '.join(f'`{name}`' for name in missing)}"
        raise PairError(message)
    leading = [p for p in parameters if p.kind is not Parameter.KEYWORD_ONLY]
    count = next((k for k, p in enumerate(leading) if p.name not in given), len(leading))
    positional = [given[p.name] for p in leading[:count]]
    rest = {
        p.name: given[p.name] for p in parameters if p.name in given and p not in leading[:count]
    }
    return function(*positional, **rest)
