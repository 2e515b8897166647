"""Enclosures in a row that are written, or added to, a few at a time."""

from __future__ import annotations

from typing import Any

from gradcheck_cli.worlds.enclosures import Enclosure, Verity


class Buffer:
    """Numbers in a row that are written at some places, or added to what is there."""

    def __init__(self, unit: float, size: int, *, off: bool) -> None:
        import torch

        self._unit = unit
        self._value, self._radius, self._size, self._count = torch.zeros(
            4, size, dtype=torch.float64
        ).unbind(0)
        self._off = torch.full((size,), off)
        self._is_condition = torch.zeros(size, dtype=torch.bool)

    def write(self, places: Any, number: Enclosure | Verity) -> None:
        """Put numbers, or conditions, at some places."""
        import torch

        at = torch.as_tensor(places)
        self._value[at] = number.value.to(torch.float64)
        if isinstance(number, Verity):
            self._is_condition[at] = True
            self._radius[at] = 0.0 if number.open is None else number.open.to(torch.float64)
            return
        self._radius[at] = torch.tensor(0.0).double() if number.radius is None else number.radius
        if number.off is not None:
            self._off[at] = number.off

    def add(self, places: Any, share: Enclosure) -> None:
        """Add to what is there."""
        import torch

        at, value = torch.as_tensor(places), share.value
        radius = torch.zeros_like(value) if share.radius is None else share.radius
        self._value.index_add_(0, at, value)
        self._radius.index_add_(0, at, radius.expand(value.shape))
        self._size.index_add_(0, at, abs(value))
        on = torch.ones_like(value) if share.off is None else (~share.off).to(value)
        self._count.index_add_(0, at, on)
        self._off &= self._count == 0

    def read(self, places: Any) -> Enclosure | Verity:
        """What is at some places."""
        import torch

        at = torch.as_tensor(places)
        value, radius, off = self._value[at], self._radius[at], self._off[at]
        if bool(self._is_condition[at].all()):
            return Verity(value > 0, radius > 0 if bool((radius > 0).any()) else None)
        count = self._count[at]
        radius = radius + torch.where(count > 1, self._unit * count * self._size[at], 0.0)
        return Enclosure(value, radius, off if bool(off.any()) else None)
