"""Points and cotangents at which a diagnosis is tested."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from gradcheck_cli.questions.seeded import seeded_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def drawn(
    given: Mapping[str, float], cotangent: Sequence[str], points: int
) -> Iterator[dict[str, float]]:
    """The point given under two cotangents, then points beside it, each under its own: some far,
    some near, some with other signs.
    """
    for k in range(points + 2):
        yield {**_point(given, k), **_weights(cotangent, k)}


def _point(given: Mapping[str, float], k: int) -> dict[str, float]:
    if k < 2:
        return dict(given)
    random = Random(f"diagnosis {k}")  # noqa: S311 - numbers for a check, no secret
    # Where signs are kept, so are most branches and domains; where not, nothing holds by chance.
    size, keep = (2.0**-1, True) if k % 2 else (2.0**-5, k % 4 == 2)
    found = {}
    for name, value in given.items():
        part = size * random.randrange(-63, 64, 2) / 128
        sign = 1 if keep or random.random() < 0.5 else -1
        found[name] = sign * value * (1 + part) if value else abs(part)
    return found


def _weights(names: Sequence[str], k: int) -> dict[str, float]:
    numbers = (
        seeded_numbers(f"diagnosis {k}", len(names))
        if len(names) > 1
        else [(0.875, -1.375, 0.625, 1.75, -0.375, 2.25)[k % 6]]
    )
    return dict(zip(names, numbers, strict=True))
