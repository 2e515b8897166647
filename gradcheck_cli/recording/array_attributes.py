"""What arrays are asked beside calls: their shapes, their methods, and what leaves them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.recording.ledger import Taped, untaped

if TYPE_CHECKING:
    from collections.abc import Iterator

# Methods of an array that are functions of NumPy's with the same arguments.
_METHODS = frozenset(
    [
        "all",
        "any",
        "argmax",
        "argmin",
        "argpartition",
        "argsort",
        "clip",
        "copy",
        "cumprod",
        "cumsum",
        "diagonal",
        "dot",
        "max",
        "mean",
        "min",
        "nonzero",
        "prod",
        "ptp",
        "put",
        "ravel",
        "repeat",
        "round",
        "searchsorted",
        "squeeze",
        "std",
        "sum",
        "swapaxes",
        "take",
        "trace",
        "var",
    ]
)


class ArrayAttributes(Taped):
    """An array by its attributes; what they compute goes through NumPy's functions."""

    __slots__ = ()

    # Code that asks whether it has an array, or a number, is told that it has.
    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self.values[()]) if self.scalar else np.ndarray

    def __getattr__(self, name: str) -> Any:
        if name in _METHODS:
            return lambda *args, **keywords: getattr(np, name)(self, *args, **keywords)
        if not name.startswith("__") and hasattr(np.ndarray, name):
            self.ledger.refuse(f"`{name}` of an array")
        raise AttributeError(name)

    def __len__(self) -> int:
        return len(untaped(self))

    def __iter__(self) -> Iterator[Any]:
        if self.values.ndim == 0:
            message = "iteration over a 0-d array"
            raise TypeError(message)
        return (self[i] for i in range(len(self.values)))  # type: ignore[index]

    def __contains__(self, value: Any) -> bool:
        return untaped(value) in self.leaving("in")

    def __float__(self) -> float:
        return float(self.leaving("float"))

    def __int__(self) -> int:
        return int(self.leaving("int"))

    def __complex__(self) -> complex:
        return complex(self.leaving("complex"))

    def __bool__(self) -> bool:
        return bool(self.leaving("bool"))

    def __index__(self) -> int:
        return int(self.leaving("index").__index__())

    def __round__(self, digits: int | None = None) -> Any:
        return np.round(self).astype(int) if digits is None else np.round(self, digits)

    def __floor__(self) -> Any:
        return np.floor(self).astype(int)

    def __ceil__(self) -> Any:
        return np.ceil(self).astype(int)

    def __trunc__(self) -> Any:
        return np.trunc(self).astype(int)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        """What code outside of NumPy sees: constants and indices, never numbers of the inputs."""
        if not self.ledger.is_fixed(self.nodes):
            if self.values.dtype.kind not in "iub":
                self.ledger.refuse("code outside of NumPy takes the numbers of an array")
            self.ledger.remark("index", "array")
        found = np.array(self.values, dtype=dtype)
        # What is written to it would be lost.
        found.flags.writeable = False
        return found

    def __repr__(self) -> str:
        return repr(untaped(self))

    def __str__(self) -> str:
        return str(untaped(self))

    def __format__(self, specification: str) -> str:
        return format(untaped(self), specification)

    @property
    def shape(self) -> tuple[int, ...]:
        """As an array's."""
        return tuple(self.values.shape)

    @shape.setter
    def shape(self, shape: Any) -> None:
        self.values.shape = shape
        self.nodes.shape = shape

    @property
    def T(self) -> Any:  # noqa: N802 - NumPy's name
        """As an array's."""
        return self.transpose()

    @property
    def mT(self) -> Any:  # noqa: N802 - NumPy's name
        """As an array's."""
        return np.swapaxes(self, -1, -2)

    @property
    def real(self) -> Any:
        """As an array's."""
        return self

    @property
    def flat(self) -> Any:
        """As an array's, where it can be written through."""
        if not self.values.flags.c_contiguous:
            self.ledger.refuse("`flat` of an array that is a slice")
        return self.reshape(-1)

    @property
    def dtype(self) -> Any:
        """As an array's."""
        return self.values.dtype

    @property
    def ndim(self) -> int:
        """As an array's."""
        return int(self.values.ndim)

    @property
    def size(self) -> int:
        """As an array's."""
        return int(self.values.size)

    @property
    def itemsize(self) -> int:
        """As an array's."""
        return int(self.values.itemsize)

    @property
    def nbytes(self) -> int:
        """As an array's."""
        return int(self.values.nbytes)

    @property
    def strides(self) -> tuple[int, ...]:
        """As an array's."""
        return tuple(self.values.strides)

    @property
    def flags(self) -> Any:
        """As an array's."""
        return self.values.flags

    def reshape(self, *shape: Any, order: Any = "C") -> Any:
        """As an array's."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, order)

    def transpose(self, *axes: Any) -> Any:
        """As an array's."""
        return np.transpose(self, (axes[0] if len(axes) == 1 else axes) or None)

    def flatten(self, order: Any = "C") -> Any:
        """As an array's."""
        return np.ravel(self, order).copy()

    def conj(self) -> Any:
        """As an array's."""
        return self

    def item(self, *index: Any) -> Any:
        """One number, which goes on being followed."""
        if not index and self.values.size != 1:
            message = "can only convert an array of size 1 to a Python scalar"
            raise ValueError(message)
        if len(index) > 1:
            return self[index]  # type: ignore[index]
        return self.reshape(-1)[index[0] if index else 0]

    def tolist(self) -> Any:
        """Numbers in lists, which go on being followed."""
        return [part.tolist() for part in self] if self.values.ndim else self

    def leaving(self, what: str) -> Any:
        """The values, where they are taken for constants."""
        if not self.ledger.is_fixed(self.nodes):
            self.ledger.remark("escape", what)
        return untaped(self)
