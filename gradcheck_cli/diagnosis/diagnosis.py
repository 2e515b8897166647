"""What is wrong with a backward, in words that were tested before they are said."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Diagnosis:
    """What was done instead.

    Attributes:
        kind: in a word.
        factor: returned / true, where it is one number or formula.
    """

    kind: str
    text: str
    factor: str | None = None
