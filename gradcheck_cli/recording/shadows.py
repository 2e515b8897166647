"""Shadows: the scalar nodes behind torch's memory.

Each storage that holds something recorded has an array of nodes, one for each of its elements, and
a view of a tensor is the same view of that array: views, saved tensors and writes in place need no
rules. Elements that nothing recorded wrote are constants, and read from memory when they are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcheck_cli.recording.tape import Unfollowed

if TYPE_CHECKING:
    from gradcheck_cli.recording.tape import Nodes, Tape

# An element that nothing recorded wrote.
_CONSTANT = -1


class Kept(NamedTuple):
    """What a tensor held: raw nodes, where something recorded is in its memory, and its numbers."""

    nodes: Nodes | None
    tensor: Any


class Shadows:
    """The nodes of all tensors that hold something recorded."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self._nodes: dict[int, Nodes] = {}
        # Memory that is given back could be handed out again, as other tensors.
        self._kept: list[Any] = []

    def holds(self, tensor: Any) -> bool:
        """Whether something recorded is in a tensor's memory."""
        return tensor.untyped_storage()._cdata in self._nodes

    def write(self, tensor: Any, nodes: Nodes) -> None:
        """A tensor's elements are what these nodes compute, its memory that of others too.

        Raises:
            Unfollowed: it has another layout than one of strides.
        """
        nodes = np.broadcast_to(nodes, tuple(tensor.shape))
        self._view(tensor, create=True)[...] = nodes

    def read(self, tensor: Any) -> Nodes:
        """The nodes of a tensor's elements.

        Raises:
            Unfollowed: it holds complex numbers, or no numbers at all.
        """
        return self.read_kept(self.keep(tensor, copied=False))

    def keep(self, tensor: Any, *, copied: bool = True) -> Kept:
        """What a tensor holds before it is written to: of memory that nobody has filled yet nothing
        is read, unless it is asked for.
        """
        nodes = self._view(tensor).copy() if self.holds(tensor) else None
        return Kept(nodes, tensor.detach().clone() if copied else tensor)

    def read_kept(self, kept: Kept) -> Nodes:
        """The nodes of what was held.

        Raises:
            Unfollowed: it holds complex numbers, or no numbers at all.
        """
        if kept.nodes is None:
            return self._constants(kept.tensor)
        nodes = kept.nodes.copy()
        plain = nodes == _CONSTANT
        if plain.any():
            # The other elements' numbers are no constants: beside the point they are others.
            nodes[plain] = self._constants(kept.tensor, plain)
        return nodes

    def forget(self, tensor: Any) -> None:
        """A tensor's elements were overwritten by constants."""
        if self.holds(tensor):
            self._view(tensor)[...] = _CONSTANT

    def _view(self, tensor: Any, *, create: bool = False) -> Nodes:
        _require_plain(tensor)
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes() // tensor.element_size()
        if create and key not in self._nodes:
            self._nodes[key] = np.full(size, _CONSTANT, dtype=np.int64)
            self._kept.append(storage)
        flat = self._nodes[key]
        if len(flat) != size:
            message = "memory is read as numbers of another size"
            raise Unfollowed(message)
        shape, strides = tuple(tensor.shape), [8 * step for step in tensor.stride()]
        if 0 in shape:
            return np.empty(shape, dtype=np.int64)
        return np.ndarray(shape, np.int64, flat, 8 * tensor.storage_offset(), strides)

    def _constants(self, tensor: Any, chosen: Any = ...) -> Nodes:
        """The nodes of elements that nothing recorded wrote."""
        import torch

        _require_plain(tensor)
        plain = tensor.detach()
        single = plain.dtype == torch.float32
        values = plain.double() if plain.is_floating_point() else plain
        return self.tape.numbers(values.cpu().numpy()[chosen], single=single)


def _require_plain(tensor: Any) -> None:
    import torch

    if tensor.is_complex():
        message = "complex numbers"
        raise Unfollowed(message)
    if tensor.layout != torch.strided:
        message = f"a tensor of layout {tensor.layout}"
        raise Unfollowed(message)
