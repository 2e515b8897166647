"""A law that goes through many cells in one test can fail, and says where."""

from __future__ import annotations

import inspect

import pytest
from each import each


def failing(test, **fixtures):
    """What a test says that fails."""
    with pytest.raises(pytest.fail.Exception) as caught:
        test(**fixtures)
    return str(caught.value)


def test_every_cell_is_gone_through_and_each_that_fails_is_told():
    """By its name, with what was found; in the middle, at the end, by whatever it raises."""
    seen = []

    @each("n", range(6))
    def law(n):
        """Holds for even numbers below 5."""
        seen.append(n)
        assert n % 2 == 0, f"{n} is odd"
        return 1 / (n - 4)

    said = failing(law)
    assert seen == [*range(6)]
    assert said.startswith("4 of 6 cells\n1: ")
    for words in ("AssertionError: 1 is odd", "\n3: ", "\n4: ", "ZeroDivisionError", "\n5: "):
        assert words in said
    assert "\n2: " not in said


def test_a_law_that_holds_passes():
    """With several names to a cell, and what fixtures give."""
    seen = []

    @each("a, b", [(1, 2), (3, 4)])
    def law(fixture, a, b):
        """Holds."""
        seen.append((fixture, a, b))

    law(fixture="f")
    assert seen == [("f", 1, 2), ("f", 3, 4)]
    assert [*inspect.signature(law).parameters] == ["fixture"]
    assert (law.__name__, law.__doc__) == ("law", "Holds.")


@pytest.mark.parametrize("leave", [pytest.skip, pytest.fail])
def test_no_cell_is_skipped_in_silence(leave):
    """What would be no failure of a test is one of a cell."""

    @each("n", [1, 2], ids="cell {}".format)
    def law(n):
        """Leaves."""
        leave("for a reason")

    assert failing(law).startswith("2 of 2 cells\ncell 1: ")


def test_no_cells_and_other_names_are_refused():
    """A law that cannot fail, and one that would never get its cells."""
    with pytest.raises(AssertionError, match="no cells"):
        each("n", [])
    with pytest.raises(AssertionError, match="argument of the law"):
        each("m", [1])(lambda n: None)
