"""Numbers that were drawn, and from what."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from gradcheck_cli.questions.numbers import Exact

if TYPE_CHECKING:
    from gradcheck_cli.questions.numbers import Nested


class DrawnNumber(Exact):
    """A number that was drawn: a decimal, whose exact value is seldom asked for."""

    def __init__(self, text: str) -> None:
        object.__setattr__(self, "text", text)

    @property
    def value(self) -> Fraction:
        """That of the text."""
        return Fraction(self.text)


class DrawnNumbers(list["Nested"]):
    """Nested lists of numbers that were drawn.

    Attributes:
        words: how they are drawn again on a command line, given the seed; empty where they are not
            the first draw there.
        size: how many there are.
        key: as that of the sample; on a command line it is the input's name.
    """

    def __init__(self, numbers: list[Nested], words: str, seed: int, size: int, key: str) -> None:
        super().__init__(numbers)
        self.words, self.seed, self.size, self.key = words, seed, size, key
