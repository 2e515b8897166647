"""One call of a library's operator, as it is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcheck_cli.recording.tape import Unfollowed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gradcheck_cli.recording.shadows import Kept, Shadows
    from gradcheck_cli.recording.tape import Nodes, Tape


@dataclass(frozen=True, eq=False)
class Operation:
    """A call of ATen's, before or after it was made.

    Attributes:
        function: the overload that was called.
        name: of its packet, without the mark of writing in place.
        args: every argument by its name in the schema, defaults filled in.
        shadows: what is known of tensors.
        before: of a call that writes in place what tensors held before it, by their identity.
        again: makes another recorder, for what a call is made of.
    """

    function: Any
    name: str
    args: dict[str, Any]
    shadows: Shadows
    before: dict[int, Kept]
    again: Callable[[], Any]
    result: Any = None

    @property
    def tape(self) -> Tape:
        """Where it is written."""
        return self.shadows.tape

    def __getitem__(self, name: str) -> Any:
        return self.args[name]

    def get(self, name: str, default: Any = None) -> Any:
        """An argument, if there is one of that name."""
        return self.args.get(name, default)

    @cached_property
    def first(self) -> Any:
        """The first argument."""
        return next(iter(self.args.values()))

    def nodes(self, value: Any) -> Nodes:
        """The nodes of an argument: of a tensor or a number."""
        import torch

        if isinstance(value, torch.Tensor):
            known = self.before.get(id(value))
            return self.shadows.read(value) if known is None else self.shadows.read_kept(known)
        if isinstance(value, bool | int | float):
            return self.tape.numbers(value)
        message = f"{self.name} takes {type(value).__name__}"
        raise Unfollowed(message)

    def floats(self, name: str) -> Nodes:
        """The nodes of an argument by its name, as numbers."""
        return self.tape.floats(self.nodes(self.args[name]))

    def row(self, name: str, *args: Nodes, **settings: Any) -> Nodes:
        """What a row of the function table makes of nodes."""
        return self.tape.call(name, *args, **{k: setting_of(v) for k, v in settings.items()})

    def scaled(self, nodes: Nodes, name: str) -> Nodes:
        """Nodes times a factor that is an argument, such as `alpha`."""
        factor = self.args.get(name, 1)
        return nodes if factor == 1 else self.row("mul", self.nodes(factor), nodes)

    def tensors(self) -> Iterator[Any]:
        """All tensors among the arguments."""
        yield from tensors_in(list(self.args.values()))

    def outputs(self) -> list[Any]:
        """All tensors of the result."""
        return list(tensors_in([self.result]))


def tensors_in(values: Any) -> Iterator[Any]:
    """All tensors in lists of lists."""
    import torch

    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from tensors_in(value)


def setting_of(value: Any) -> Any:
    """A Python value as a setting of a row."""
    if isinstance(value, bool) or value is None or isinstance(value, str | int | Fraction):
        return value
    if isinstance(value, list | tuple):
        return tuple(setting_of(v) for v in value)
    if not isfinite(value):
        return float(value)
    return int(value) if float(value).is_integer() else Fraction(repr(float(value)))


class OperatorSchema(NamedTuple):
    """What an overload takes: all of it by its defaults, and the names of what it writes to."""

    defaults: dict[str, Any]
    written: tuple[str, ...]

    def bound(self, args: Any, keywords: Any) -> dict[str, Any]:
        """Arguments by name, defaults filled in."""
        return {**self.defaults, **dict(zip(self.defaults, args, strict=False)), **keywords}


@cache
def schema_of(function: Any) -> OperatorSchema:
    """The schema of an overload: torch takes its time to tell."""
    arguments = function._schema.arguments
    written = [a.name for a in arguments if a.alias_info is not None and a.alias_info.is_write]
    return OperatorSchema({a.name: a.default_value for a in arguments}, tuple(written))


def spread(nodes: Nodes, shape: Any) -> Nodes:
    """Nodes broadcast to a shape."""
    return np.broadcast_to(nodes, tuple(shape))
