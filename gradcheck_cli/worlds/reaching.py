"""What the elements of a value rest on: marks on the value go back to the inputs, along everything,
taken or not, that moves or is stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcheck_cli.worlds.arrays import Arrays
from gradcheck_cli.worlds.marks import MarkArrays

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradcheck_cli.functions.row import Function
    from gradcheck_cli.language.program import Call
    from gradcheck_cli.worlds.track import Tracked


class Reaching(Arrays):
    """The world of arrays in which a cotangent is a mark."""

    def __init__(self) -> None:
        super().__init__(MarkArrays())

    def given(self, array: Any, *, moves: bool) -> Tracked:
        """An input, which is not marked yet."""
        found = super().given(array, moves=moves)
        found.number = self.kit.nothing(array.shape)
        return found

    def share(self, node: Call, numbers: Sequence[Any], y: Any, ybar: Any, position: int) -> Any:
        """Every argument has a part in a result."""
        return ybar

    def _primitive(self, node: Call, row: Function, args: Sequence[Tracked]) -> Tracked:
        def pull(ybar: Any) -> Iterator[tuple[Tracked, Any]]:
            return ((a, self.fitted(ybar, a.shape)) for a in args)

        return self.kept(self.kit.call(node, [a.number for a in args]), args, pull)

    def extremes(self, function: str, rows: Tracked) -> Tracked:
        """Every element of a row has a part in the largest."""

        def pull(ybar: Any) -> Iterator[tuple[Tracked, Any]]:
            yield rows, self.kit.spread(self.kit.reshaped(ybar, (rows.shape[0], 1)), rows.shape)

        return self.kept(self.kit.totals(rows.number), [rows], pull)
