"""Functions, `autograd.Function`s and modules as one thing: a function of tensors by names."""

from __future__ import annotations

from dataclasses import dataclass, field
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.language.errors import Mistake, PointError, did_you_mean, mistake

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gradcheck_cli.questions.arrays import Array

_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_SPREAD = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


@dataclass(frozen=True, eq=False)
class Adapted:
    """A callable ready to be put on trial.

    Attributes:
        function: takes tensors by their names.
        parameters: numbers of what a module has of its own, by names with dots.
        place: `FILE:LINE` where it is defined, or empty.
    """

    function: Callable[[dict[str, Any]], Any]
    parameters: Mapping[str, Array] = field(default_factory=dict)
    place: str = ""


def adapt(found: Any, title: str, names: Sequence[str], fixed: Mapping[str, Any]) -> Adapted:
    """An object as a function of tensors.

    Args:
        found: a callable, an `autograd.Function`, a module or the class of one.
        names: all arguments that it is to be called with, in their order.
        fixed: those that are no tensors of numbers, as they are.
    Raises:
        PointError: it cannot be called, or has no such arguments.
    """
    import torch

    place = defined_at(found)
    if isinstance(found, type) and issubclass(found, torch.autograd.Function):
        # A forward takes its context first, where that is not set up apart.
        given = _parameters(found.__dict__.get("forward", getattr(found, "forward", None))) or []
        apart = any("setup_context" in vars(each) for each in _own_classes(found))
        order = _order(given if apart else given[1:], names, title)
        return Adapted(lambda t: found.apply(*[_one(t, fixed, n) for n in order]), {}, place)
    if isinstance(found, type) and issubclass(found, torch.nn.Module):
        found = _made(found, title)
    if isinstance(found, torch.nn.Module):
        return _module(found, title, names, fixed, place)
    if not callable(found):
        raise mistake(
            "bad-object", f"`{title}` is of type {type(found).__name__}: nobody can call it"
        )
    return Adapted(_called(found, title, names, fixed), {}, place)


def _own_classes(found: type) -> list[type]:
    """A class and those that it is made of, torch's apart."""
    return [each for each in found.__mro__ if not each.__module__.startswith("torch.")]


def _called(
    found: Any, title: str, names: Sequence[str], fixed: Mapping[str, Any]
) -> Callable[[dict[str, Any]], Any]:
    """A call by names where the callable has names, else in the order given."""
    parameters = _parameters(found)
    if parameters is None:
        return lambda tensors: found(*[_one(tensors, fixed, name) for name in names])
    order = _order(parameters, names, title)
    known = {p.name for p in parameters}
    spread = any(p.kind is Parameter.VAR_KEYWORD for p in parameters)
    # What stands before a gap must be given by name.
    leading = [p.name for p in parameters if p.kind in _POSITIONAL]
    count = next((k for k, name in enumerate(leading) if name not in names), len(leading))

    def call(tensors: dict[str, Any]) -> Any:
        positional = [_one(tensors, fixed, name) for name in leading[:count]]
        rest = [n for n in order if n not in leading[:count]]
        keywords = {n: _one(tensors, fixed, n) for n in rest if n in known or spread}
        several = [_one(tensors, fixed, n) for n in rest if n not in keywords]
        return found(*positional, *several, **keywords)

    return call


def _module(
    module: Any, title: str, names: Sequence[str], fixed: Mapping[str, Any], place: str
) -> Adapted:
    """A module as a function of its arguments and of its own parameters; what it keeps in buffers
    is the same for every call.
    """
    import torch

    parameters = {
        name: p.detach().double().cpu().numpy().copy()
        for name, p in module.named_parameters()
        if p.requires_grad and p.is_floating_point()
    }
    shared = [name for name in names if name in parameters]
    if shared:
        message = f"`{shared[0]}` is an argument and a parameter of `{title}`"
        raise mistake("bad-argument", message)
    every, ties = dict(module.named_parameters(remove_duplicate=False)), _ties(module)
    others = {name: p.detach() for name, p in every.items() if name not in parameters}
    buffers = dict(module.named_buffers())
    given = _parameters(module.forward)
    order, known = _order(given, names, title), {p.name for p in given or ()}

    def call(tensors: dict[str, Any]) -> Any:
        like = next(iter(tensors.values()))
        state = {n: _like(t, like) for n, t in {**buffers, **others}.items()}
        state |= {n: t for n, t in tensors.items() if n in parameters}
        state |= {other: state[name] for other, name in ties.items()}
        keywords = {n: _one(tensors, fixed, n) for n in order if n in known}
        several = tuple(_one(tensors, fixed, n) for n in order if n not in known)
        return torch.func.functional_call(module, state, several, keywords, tie_weights=False)

    return Adapted(call, parameters, place)


def _like(value: Any, like: Any) -> Any:
    """A copy of what a module holds, numbers in the dtype under test."""
    return value.to(like).clone() if value.is_floating_point() else value.to(like.device).clone()


def _ties(module: Any) -> dict[str, str]:
    """Names of parameters that are others under a second name."""
    first: dict[int, str] = {}
    found = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        if id(parameter) in first:
            found[name] = first[id(parameter)]
        else:
            first[id(parameter)] = name
    return found


def _made(kind: Any, title: str) -> Any:
    """A module of a class that needs nothing to be made, its parameters seeded."""
    import torch

    state = torch.random.get_rng_state()
    torch.default_generator.manual_seed(0)
    try:
        return kind()
    except TypeError as error:
        hint = "name a module that is made already, or a function that makes one"
        message = f"`{title}` cannot be made without arguments: {error}"
        raise mistake("bad-object", message, help=hint) from error
    finally:
        torch.random.set_rng_state(state)


def _parameters(found: Any) -> list[Parameter] | None:
    try:
        return list(signature(found).parameters.values())
    except (TypeError, ValueError):
        return None


def argument_order(found: Any, names: Sequence[str], title: str) -> list[str]:
    """The arguments in the order of a callable's parameters.

    Raises:
        PointError: as `adapt`.
    """
    return _order(_parameters(found), names, title)


def _order(parameters: list[Parameter] | None, names: Sequence[str], title: str) -> list[str]:
    """The arguments in the order of the parameters.

    Raises:
        PointError: one is no parameter, or one that is needed is missing.
    """
    if parameters is None or any(p.kind in _SPREAD for p in parameters):
        return list(names)
    known = [p.name for p in parameters]
    takes = ", ".join(known) or "nothing"
    mistakes = [
        Mistake(
            "unknown-argument",
            f"`{title}` has no argument `{name}`",
            help=did_you_mean(name, known) or f"it takes {takes}",
        )
        for name in names
        if name not in known
    ]
    missing = [p.name for p in parameters if p.default is Parameter.empty and p.name not in names]
    if missing and not mistakes:
        words = ", ".join(f"`{name}`" for name in missing)
        mistakes.append(
            Mistake("missing-argument", f"`{title}` needs {words}", help=f"it takes {takes}")
        )
    if mistakes:
        raise PointError(mistakes)
    return [name for name in known if name in names]


def _one(tensors: Mapping[str, Any], fixed: Mapping[str, Any], name: str) -> Any:
    """An argument of a call: a tensor, whole numbers as a new tensor, or what it is."""
    import torch

    if name in tensors:
        return tensors[name]
    value = fixed[name]
    return torch.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value


def defined_at(found: Any) -> str:
    """`FILE:LINE` where it is defined; empty where that is not known."""
    from inspect import getsourcefile, getsourcelines

    is_module = hasattr(found, "forward") and not isinstance(found, type)
    inner = type(found) if is_module else found
    try:
        return f"{getsourcefile(inner)}:{getsourcelines(inner)[1]}"
    except (TypeError, OSError):
        return ""
