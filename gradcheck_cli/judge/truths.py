"""What answers are held against in bulk: the truth at many points, and what rounding explains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gradcheck_cli.witnesses.line_cells import LineCell
    from gradcheck_cli.worlds.tensors import Tensor


@dataclass(frozen=True)
class Truths:
    """The truth at consecutive points, in float64, as far from torch's answers as they are.

    Attributes:
        gaps: |answer - truth|; `size` |truth|, each times `scale`.
        error: how far the truth may be off, one number or one a point.
        budgets: given places of points, (least, most) rounding of torch's gradient there, of all
            together or of each; the next is asked where the one before decides nothing.
        unlimited: the most of all of them if no number could leave the dtype's range.
        marks: of points of which there is a truth, and of those where the function has no value,
            as far as an assumption holds; None where all is proved.
    """

    gaps: Tensor
    size: Tensor
    error: Any
    budgets: Sequence[Callable[[Tensor], tuple[Any, Any]]]
    scale: float = 1.0
    marks: tuple[Tensor, Tensor] | None = None
    unlimited: Callable[[], float] | None = None


class Rooms(NamedTuple):
    """How far rounding may take torch's gradient.

    Attributes:
        of_cell: (least, most) over a cell; `of_points` at each of some numbers.
        unlimited: the most over a cell if no number could leave the dtype's range.
    """

    of_cell: Callable[[LineCell], tuple[float, float]]
    of_points: Callable[[Tensor], tuple[Tensor, Tensor]]
    unlimited: Callable[[LineCell], float]
