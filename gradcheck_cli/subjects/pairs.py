"""A forward in NumPy with its backward beside it, as one function of torch's: what puts torch code
on trial puts it on trial, and what records torch code records it.
"""

from __future__ import annotations

import random
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from dataclasses import dataclass
from traceback import extract_tb
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.lib.stride_tricks import as_strided
from torch.utils._python_dispatch import _disable_current_modes, _get_current_dispatch_mode_stack

from gradcheck_cli.recording.arrays import TapedArray, taped
from gradcheck_cli.recording.ledger import UNSET, ArrayLedger, Taped, untaped
from gradcheck_cli.recording.places import is_of_person
from gradcheck_cli.recording.recorder import Recorder
from gradcheck_cli.recording.substitutes import substituted
from gradcheck_cli.recording.tape import Unfollowed
from gradcheck_cli.subjects.function import SEED
from gradcheck_cli.subjects.pair_calls import Forwarded, NumpyPair, ask_backward, ask_forward
from gradcheck_cli.worlds.scalars import TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gradcheck_cli.worlds.tensors import Tensor


def as_function(pair: NumpyPair) -> Callable[[Mapping[str, Tensor]], Any]:
    """A function of tensors by name whose values are the forward's, and whose gradients are the
    backward's.
    """
    return lambda tensors: _Pair.apply(pair, *[tensors[name] for name in pair.inputs])


@dataclass(frozen=True)
class _Run:
    """What a forward leaves for its backward.

    Attributes:
        ledger: where it is written down; None where it is not.
        arrays: what it was called with, and may have written to.
        fresh: the same as it was before.
        state: of the random numbers.
    """

    ledger: ArrayLedger | None
    arrays: dict[str, Any]
    fresh: dict[str, Any]
    forwarded: Forwarded
    state: Any


class _Pair(torch.autograd.Function):  # type: ignore[misc]  # torch has no types here
    @staticmethod
    def forward(ctx: Any, pair: NumpyPair, *inputs: Any) -> Any:
        recorder = _recorder()
        ledger = None if recorder is None else ArrayLedger(recorder.tape, recorder.remarks)
        with _disable_current_modes():
            named = zip(pair.inputs, inputs, strict=True)
            arrays = {name: _array(recorder, ledger, tensor) for name, tensor in named}
            # A forward may write to what it is given: a dictionary of running means.
            arrays |= {name: _constant(ledger, value) for name, value in pair.constants.items()}
            fresh = {name: deepcopy(untaped(value)) for name, value in arrays.items()}
            with _drawing(_seeded()) as drawn, _followed(ledger, pair, _again(pair, fresh)):
                forwarded = ask_forward(pair, arrays)
            ctx.run = _Run(ledger, arrays, fresh, forwarded, drawn)
            ctx.pair, ctx.inputs = pair, [(t.dtype, t.device) for t in inputs]
            values = [_tensor(recorder, value, *ctx.inputs[0]) for value in forwarded.values]
        return tuple(values) if len(values) > 1 else values[0]

    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> Any:
        if torch.is_grad_enabled():
            message = "a backward in NumPy cannot be differentiated once more"
            raise RuntimeError(message)
        recorder, run, pair = _recorder(), ctx.run, ctx.pair
        with _disable_current_modes():
            given = [_array(recorder, run.ledger, tensor) for tensor in cotangents]
            plainly = _again(pair, run.fresh, [np.array(untaped(g)) for g in given])
            with _drawing(run.state[-1]), _followed(run.ledger, pair, plainly):
                found = ask_backward(pair, run.forwarded, run.arrays, given)
            gradients = [
                None if gradient is None else _tensor(recorder, gradient, *where)
                for gradient, where in zip(found, ctx.inputs, strict=True)
            ]
        return None, *gradients


def _recorder() -> Recorder | None:
    """The recorder under which this runs."""
    modes = _get_current_dispatch_mode_stack()
    return next((mode for mode in modes if isinstance(mode, Recorder)), None)


def _array(recorder: Recorder | None, ledger: ArrayLedger | None, tensor: Tensor) -> Any:
    """A copy of a tensor that lies in memory as it does; a number where it is one."""
    values: Any = _laid_out(tensor.detach().cpu().numpy(), tensor)
    if recorder is not None and ledger is not None and recorder.shadows.holds(tensor):
        nodes = _laid_out(recorder.shadows.read(tensor), tensor)
        return TapedArray(ledger, values, nodes, scalar=not values.ndim)
    return values[()]


def _laid_out(array: Any, tensor: Tensor) -> Any:
    steps = tensor.stride()
    extent = 1 + sum((n - 1) * step for n, step in zip(array.shape, steps, strict=True))
    memory = np.zeros(extent if array.size else 0, dtype=array.dtype)
    copy = as_strided(memory, array.shape, [step * array.itemsize for step in steps])
    copy[...] = array
    return copy


def _constant(ledger: ArrayLedger | None, value: Any) -> Any:
    """A copy of an argument that is no input: a method of a plain array cannot be followed."""
    if ledger is None:
        return deepcopy(value)
    if isinstance(value, np.ndarray) and value.dtype.kind == "f" and np.isfinite(value).all():
        return taped(ledger, value.copy(), ledger.constants(value))
    if type(value) in (list, tuple):
        return type(value)(_constant(ledger, part) for part in value)
    if type(value) is dict:
        return {key: _constant(ledger, part) for key, part in value.items()}
    return deepcopy(value)


def _tensor(recorder: Recorder | None, value: Any, dtype: Any, device: Any) -> Tensor:
    """What NumPy code gave, as a tensor."""
    array = np.array(untaped(value))
    if array.dtype.kind not in "fiub":
        message = f"it gives {type(value).__name__}, and no array of numbers"
        raise TypeError(message)
    tensor = torch.from_numpy(array).to(dtype=dtype, device=device)
    if recorder is not None and isinstance(value, Taped):
        if (value.nodes == UNSET).any():
            value.ledger.refuse("it gives memory that nothing was written to")
        recorder.shadows.write(tensor, recorder.tape.floats(value.nodes))
    return tensor


def _seeded() -> Any:
    """The states of Python's and NumPy's random numbers with which every forward begins."""
    ours = random.Random(SEED)  # noqa: S311 - no secret
    return ours.getstate(), np.random.RandomState(SEED).get_state()


@contextmanager
def _drawing(state: Any) -> Iterator[list[Any]]:
    """Random numbers from a state on; the state that they come to is put into the list."""
    before = random.getstate(), np.random.get_state()
    after: list[Any] = []
    try:
        random.setstate(state[0])
        np.random.set_state(state[1])
        yield after
        after.append((random.getstate(), np.random.get_state()))
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])


def _again(
    pair: NumpyPair, fresh: dict[str, Any], cotangents: list[Any] | None = None
) -> Callable[[], None]:
    """The same as it runs without being recorded."""

    def run() -> None:
        arrays = deepcopy(fresh)
        with _drawing(_seeded()):
            forwarded = ask_forward(pair, arrays)
            if cotangents is not None:
                ask_backward(pair, forwarded, arrays, [g[()] for g in cotangents])

    return run


@contextmanager
def _followed(
    ledger: ArrayLedger | None, pair: NumpyPair, plainly: Callable[[], None]
) -> Iterator[None]:
    """What runs in here is written down.

    Raises:
        Unfollowed: it could not be, as only what is recorded raises something.
    """
    functions = [pair.forward] + ([] if pair.backward is None else [pair.backward])
    try:
        with nullcontext() if ledger is None else substituted(ledger, functions):
            yield
    except (Unfollowed, TooLarge):
        raise
    except Exception as error:
        if ledger is None:
            raise
        plainly()
        frames = [f for f in extract_tb(error.__traceback__) if is_of_person(f.filename)]
        place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
        message = f"{type(error).__name__} while it is recorded: {error}"
        raise Unfollowed(message, place) from error
    if ledger is not None and ledger.failure is not None:
        raise ledger.failure
