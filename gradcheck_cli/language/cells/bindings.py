"""What a name of a cell stands for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import ast
    from collections import ChainMap
    from collections.abc import Mapping

    from gradcheck_cli.functions.modules import Applied
    from gradcheck_cli.language.errors import NodeError
    from gradcheck_cli.language.terms import Term


@dataclass(frozen=True)
class Library:
    """A library or something in it, by its full name: `torch.nn.functional`."""

    path: str


@dataclass(frozen=True)
class PythonValue:
    """A number, a text, None or the like of Python's own, as it is written."""

    term: Term
    value: Any


@dataclass(frozen=True)
class Quantity:
    """A value of the program.

    Attributes:
        is_numpy: whether its methods are those of a NumPy array.
        base: the name whose numbers it shares, as a view of it does.
        is_copy: whether it is a copy, and so no longer the input that it may be equal to.
        made: the tensor of whose numbers it is made alone, where that was cut off: a new input.
    """

    term: Term
    is_numpy: bool = False
    base: str = ""
    is_copy: bool = False
    made: Fresh | None = None


@dataclass(frozen=True)
class Fresh:
    """A tensor as a constructor makes it; assigned to a name it is an input.

    Attributes:
        maker: the constructor's call, in the words of a point.
        dtype: the tensor's; empty for one of integers.
        shape: another one that it is given, as sizes.
    """

    maker: Term
    dtype: str
    requires_grad: bool = False
    is_numpy: bool = False
    is_drawn: bool = False
    shape: tuple[int, ...] = ()


@dataclass
class LeafTensor:
    """An input: what makes it, and whether it is differentiated."""

    name: str
    made: Fresh
    requires_grad: bool


@dataclass(frozen=True)
class Alike:
    """Equal numbers in the shape of something else: `ones_like(y)`."""

    number: str
    like: Term


@dataclass(frozen=True)
class Series:
    """A tuple or a list.

    Attributes:
        is_anchored: whether all values in it have names of the program.
    """

    items: tuple[Thing, ...]
    node: ast.expr
    is_anchored: bool = False


@dataclass(frozen=True)
class Routine:
    """A function of the cell; its names are those of where it was written, its defaults what they
    came to there.
    """

    name: str
    node: ast.FunctionDef | ast.Lambda
    names: ChainMap[str, Thing] = field(repr=False)
    defaults: Mapping[str, Thing] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class NeuralModule:
    """A module of `torch.nn` with its settings."""

    applied: Applied
    settings: Mapping[str, Term]


@dataclass(frozen=True)
class Affine:
    """`nn.Linear`, its parameters inputs of the program."""

    weight: Quantity
    bias: Quantity | None


@dataclass(frozen=True)
class ModuleStack:
    """Modules, one after the other."""

    layers: tuple[NeuralModule | Affine | ModuleStack, ...]


@dataclass(frozen=True)
class Extent:
    """The shape of a value."""

    term: Term


@dataclass(frozen=True)
class Gradient:
    """A derivative that the cell asks for: it may be shown, and be nothing of a program.

    Attributes:
        by: names of what it is by, where they are known.
    """

    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """What could not be read, and is refused where it is needed."""

    error: NodeError


Thing: TypeAlias = (
    "Library | PythonValue | Quantity | Fresh | Alike | Series | Routine | NeuralModule | Affine"
    " | ModuleStack | Extent | Gradient | Refused"
)
