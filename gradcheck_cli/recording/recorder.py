"""The recorder: sees every call of torch's operators below autograd, those in the body of a custom
`autograd.Function` and in its backward too, and writes what depends on the inputs on a tape.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from gradcheck_cli.recording.lines import line_of_person
from gradcheck_cli.recording.operation import Operation, schema_of, tensors_in
from gradcheck_cli.recording.shadows import Shadows
from gradcheck_cli.recording.tape import CodeLine, Tape, Unfollowed
from gradcheck_cli.recording.torch_calls import nodes_of
from gradcheck_cli.recording.torch_calls.moves import PICKING
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from gradcheck_cli.recording.tape import Nodes

# Operators that hand numbers to Python.
_ESCAPES = frozenset({"_local_scalar_dense", "is_nonzero", "equal", "item", "allclose"})
# Words in the names of operators that draw numbers.
_DRAWS = ("rand", "bernoulli", "dropout", "normal", "uniform", "multinomial", "exponential",
          "cauchy", "geometric", "poisson")  # fmt: skip
# Writes that change what a tensor is a view of, and no elements.
_SHAPE_WRITES = frozenset({"set", "resize", "requires_grad", "detach", "squeeze", "unsqueeze",
                           "transpose", "t", "swapaxes", "swapdims", "as_strided"})  # fmt: skip


@dataclass(frozen=True)
class Remark:
    """Something that the recorder saw and that may matter.

    Attributes:
        kind: `escape`, `random`, `cast`, `index`, `held` or `input` (written to in place).
        what: in words.
        place: `FILE:LINE`.
    """

    kind: str
    what: str
    place: str


class Recorder(TorchDispatchMode):  # type: ignore[misc]  # torch ships no types here
    """Writes a tape while code runs under it."""

    # torch would import its compiler (2.7 s) for a mode that asks to be left out of it.
    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __init__(self) -> None:
        super().__init__()
        self.tape = Tape()
        self.shadows = Shadows(self.tape)
        self.remarks: list[Remark] = []
        self.inputs: set[int] = set()
        self.failure: Exception | None = None
        self._depth = 0
        self._kept: list[Any] = []

    def input(self, name: str, tensor: Any) -> None:
        """A tensor is an input."""
        self.shadows.write(tensor, self.tape.input(name, tuple(tensor.shape)))
        self.inputs.add(tensor.untyped_storage()._cdata)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        keywords = kwargs or {}
        schema = schema_of(func)
        given, written = schema.bound(args, keywords), schema.written
        name = func._overloadpacket.__name__
        tensors = list(tensors_in(list(given.values())))
        self._kept += tensors
        if written:
            name = name.removesuffix("_")
        line = line_of_person()
        if any(word in name for word in _DRAWS) and "backward" not in name:
            self._remark("random", name, line)
        if not any(self.shadows.holds(tensor) for tensor in tensors):
            return func(*args, **keywords)
        self.tape.at(line)
        try:
            return self._followed(func, name, given, written, args, keywords)
        except TooLarge as error:
            self.failure = error
            raise
        except (Unfollowed, ValueError, IndexError, KeyError) as error:
            # The person's code may catch it and go on: then the tape is not the whole.
            self.failure = Unfollowed(str(error), getattr(error, "place", "") or line.place)
            raise self.failure from error

    def _followed(
        self, func: Any, name: str, given: Any, written: Any, args: Any, keywords: Any
    ) -> Any:
        """The call, made and written down."""
        if name in _ESCAPES:
            self._remark("escape", name, line_of_person())
            return func(*args, **keywords)
        before: dict[int, Any] = {}
        targets = [t for w in written for t in tensors_in([given[w]])]
        if written:
            # A write changes what its arguments held.
            before = {id(t): self.shadows.keep(t) for t in tensors_in(list(given.values()))}
        result = func(*args, **keywords)
        self._kept += tensors_in([result])
        operation = Operation(func, name, given, self.shadows, before, Recorder, result)
        try:
            if not written:
                self._write(operation)
            elif name not in _SHAPE_WRITES:
                self._overwrite(operation, targets)
        except RuntimeError as error:
            # It is our asking that torch refuses, and no call of the person's.
            raise Unfollowed(f"`{name}`: {error}") from error
        return result

    def _write(self, operation: Operation) -> None:
        """What a call without a side effect made."""
        outputs = operation.outputs()
        if not outputs or self._is_view(operation, outputs):
            return
        if any(t.is_complex() for t in outputs):
            message = "complex numbers"
            raise Unfollowed(message)
        if all(not t.is_floating_point() and t.dtype != torch.bool for t in outputs):
            self._remark("index", operation.name, self.tape.lines[self.tape.here])
            return
        found = self._nodes(operation)
        for tensor, nodes in zip(outputs, found, strict=False):
            if nodes is not None and (tensor.is_floating_point() or tensor.dtype == torch.bool):
                self.shadows.write(tensor, nodes)

    def _overwrite(self, operation: Operation, targets: list[Any]) -> None:
        """What a call wrote in place, or to `out`."""
        if any(word in operation.name for word in _DRAWS):
            for target in targets:
                self.shadows.forget(target)
            return
        for target, nodes in zip(targets, self._nodes(operation), strict=False):
            if target.untyped_storage()._cdata in self.inputs:
                self._remark("input", operation.name, self.tape.lines[self.tape.here])
            if nodes is not None:
                self.shadows.write(target, nodes)

    def _is_view(self, operation: Operation, outputs: list[Any]) -> bool:
        """Whether all that comes out is memory of what went in."""
        mine = {t.untyped_storage()._cdata for t in operation.tensors() if self.shadows.holds(t)}
        return all(t.untyped_storage()._cdata in mine for t in outputs)

    def _nodes(self, operation: Operation) -> list[Nodes | None]:
        """The nodes of every tensor that a call makes: by a rule, else by torch's own
        decomposition.

        Raises:
            Unfollowed: neither is there.
        """
        picking = tensors_in([operation.get(name) for name in PICKING])
        if any(self.shadows.holds(tensor) for tensor in picking) and operation.name != "where":
            self._remark("index", operation.name, self.tape.lines[self.tape.here])
        if operation.name == "embedding" and operation["padding_idx"] >= 0:
            self._remark("held", "padding_idx", self.tape.lines[self.tape.here])
        found = nodes_of(operation)
        if found is not None:
            return list(found)
        return self._decomposed(operation)

    def _decomposed(self, operation: Operation) -> list[Nodes | None]:
        rule = _decompositions().get(operation.function)
        name = f"`{operation.function}`"
        if self._depth > _DEEPEST:
            raise Unfollowed(f"the decomposition of {name} does not end")
        given = [*operation.args.values()]
        keywords = {
            a.name: operation.args[a.name]
            for a in operation.function._schema.arguments
            if a.kwarg_only
        }
        args = given[: len(given) - len(keywords)]
        self._depth += 1
        try:
            with self:
                if rule is not None:
                    made = rule(*args, **keywords)
                else:
                    made = operation.function.decompose(*args, **keywords)
        finally:
            self._depth -= 1
        if made is NotImplemented:
            raise Unfollowed(f"{name} has no row in the function table")
        return [self.shadows.read(t) if self.shadows.holds(t) else None for t in tensors_in([made])]

    def _remark(self, kind: str, what: str, line: CodeLine) -> None:
        remark = Remark(kind, what, line.place)
        if remark not in self.remarks:
            self.remarks.append(remark)


# Decompositions inside decompositions, at most.
_DEEPEST = 12


@cache
def _decompositions() -> Any:
    from torch._decomp import decomposition_table

    return decomposition_table
