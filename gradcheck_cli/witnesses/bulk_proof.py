"""What is known of a program that is too large for scalars: enclosures of its value and of all
partials at once, from arrays in float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_cli.language.errors import UserError
from gradcheck_cli.questions.prepared import Oversize
from gradcheck_cli.witnesses import TORCH_ERRORS, Abstention
from gradcheck_cli.worlds.enclosures import MARGIN, NoBound
from gradcheck_cli.worlds.scalars import ShapeError, TooLarge

if TYPE_CHECKING:
    from gradcheck_cli.dtypes import DType
    from gradcheck_cli.questions.batch import Point
    from gradcheck_cli.records.record import Opinion
    from gradcheck_cli.witnesses import Floats
    from gradcheck_cli.worlds.arrays import Arrays
    from gradcheck_cli.worlds.balls import Ball
    from gradcheck_cli.worlds.track import Tracked

# Digits that are printed: as many as tell any two float64 apart.
_DIGITS = 17


@dataclass(frozen=True)
class InBulk:
    """A number that lies within `radius` of `value`, as far as torch's float64 functions do what is
    assumed of them.
    """

    value: float
    radius: float

    @property
    def ball(self) -> Ball:
        """The numbers among which it is."""
        from flint import arb

        return arb(self.value, self.radius)

    def entry(self) -> Opinion:
        """What a record keeps."""
        return entry_in_bulk(self.value, self.radius)


def entry_in_bulk(value: float, radius: float) -> Opinion:
    """What a record keeps of a finite number that is known as far as that."""
    return {"value": value, "digits": f"{value:.{_DIGITS}g}", "bits": 53, "radius": radius}


_UNKNOWN = Abstention("no bound in bulk: what it rests on touches a boundary, a pole or no number")


@dataclass(frozen=True, eq=False)
class EnclosedNumbers(Sequence[Any]):
    """EnclosedNumbers in a row, and how far each may be off; not finite where nothing is known."""

    value: Floats
    radius: Floats

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, k: Any) -> Any:
        value, radius = float(self.value[k]), float(self.radius[k])
        return InBulk(value, radius) if isfinite(value) and isfinite(radius) else _UNKNOWN


@dataclass(frozen=True, eq=False)
class BulkProof:
    """The testimony of the reference where it is made in bulk.

    Attributes:
        forward: the program's value, row-major; `partials` every partial asked for.
    """

    forward: EnclosedNumbers
    partials: EnclosedNumbers


def is_in_bulk(point: Point) -> bool:
    """Whether a point's program is too large for scalars, and one that arrays may run. What code is
    held against is no program where it is too large.
    """
    prepared = point.prepared
    is_large = isinstance(prepared.expansion, Oversize) and prepared.objective.is_value
    return is_large and not point.question.subject.is_code


def bulk_proof(point: Point) -> BulkProof | Abstention:
    """Enclosures of the value and of all partials, or in words why there are none."""
    # What takes torch is loaded where it is needed.
    from gradcheck_cli.worlds.bulk_arrays import BulkArrays

    found = _run_in(point, BulkArrays(point.dtype.round), as_torch=False)
    if isinstance(found, NoBound):
        # Balls know every function: nothing is decided in bulk, and all is left to them.
        return BulkProof(_unknown(1), _unknown(len(point.keys)))
    if not isinstance(found, Abstention):
        _doubt_zeros(found)
    return found


def _doubt_zeros(proof: BulkProof) -> None:
    """Where an element of the value has no bound, a partial that is exactly 0 may be 0 times what
    does not exist: these are left to balls.
    """
    partials, forward = proof.partials, proof.forward
    if not (np.isfinite(forward.value) & np.isfinite(forward.radius)).all():
        partials.radius[(partials.value == 0) & (partials.radius == 0)] = np.nan


def bulk_budgets(point: Point, dtype: DType) -> BulkProof | Abstention:
    """How far the roundings of a dtype take torch's value and gradient: radii around what it should
    compute.
    """
    from gradcheck_cli.worlds.torch_rounding import TorchRounding

    found = _run_in(point, TorchRounding(dtype, point.dtype.round), as_torch=True)
    return Abstention(f"`{found}` has no bound") if isinstance(found, NoBound) else found


def _run_in(point: Point, kit: Any, *, as_torch: bool) -> BulkProof | NoBound | Abstention:
    from gradcheck_cli.worlds.arrays import Arrays

    try:
        result, partials = gradient_in(point, Arrays(kit, as_torch=as_torch))
    except NoBound as missing:
        return missing
    except (TooLarge, ShapeError, UserError) as error:
        return Abstention(f"no certified reference in bulk: {error}")
    except TORCH_ERRORS as error:
        return Abstention(f"no certified reference in bulk: {type(error).__name__}: {error}")
    return BulkProof(_numbers([result.number]), _numbers(partials))


def gradient_in(
    point: Point, world: Arrays, weights: Any | None = None
) -> tuple[Tracked, list[Any]]:
    """The value of a point's program in a world of arrays, and a cotangent for each input that is
    differentiated; a structural zero for one without a part in the value.

    Args:
        weights: what goes back instead of the point's own cotangent.
    """
    from gradcheck_cli.worlds.arrays import run_back

    kit, prepared, wrt = world.kit, point.prepared, point.question.wrt
    inputs: dict[str, Tracked] = {
        name: world.given(array[point.k], moves=name in wrt)
        for name, array in point.batch.points.items()
    }
    cotangent = point.batch.cotangent if weights is None else weights
    result, found = run_back(world, point.specification, inputs, cotangent)
    return result, [found.get(name, kit.nothing(prepared.size(name))) for name in wrt]


def _unknown(count: int) -> EnclosedNumbers:
    """So many numbers of which nothing is known."""
    return EnclosedNumbers(np.full(count, np.nan), np.full(count, np.nan))


def _numbers(parts: list[Any]) -> EnclosedNumbers:
    """Enclosures in a row; the radii with room for how they were computed themselves."""
    values = [x.value.reshape(-1).numpy() for x in parts]
    radii = [_full(x.radius, x.value).reshape(-1).numpy() for x in parts]
    with np.errstate(all="ignore"):
        return EnclosedNumbers(np.concatenate(values), np.concatenate(radii) * MARGIN)


def _full(radius: Any, value: Any) -> Any:
    import torch

    return torch.zeros_like(value) if radius is None else radius.expand(value.shape)
