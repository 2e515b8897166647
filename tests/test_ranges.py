"""Ranges as they are written: blanks, and the whole text of each message."""

from __future__ import annotations

import pytest

from gradcheck_cli.language.errors import Span, UserError
from gradcheck_cli.questions.numbers import read_points
from gradcheck_cli.questions.ranges import read_range


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("x=-4:4", "-4:4"),
        (" x = -4:4 ", "-4:4"),
        ("x=-4 : 4 : 30", "-4:4:30"),
        ("x= all ", "all"),
        ("x=sqrt(2):2*pi : 7", "sqrt(2):2*pi:7"),
    ],
)
def test_blanks_mean_nothing(text, plain):
    """Around a range and around each of its parts."""
    (found,) = read_points([text], read_range).values()
    wanted = read_range(plain, Span(0, len(plain)))
    assert (found.low, found.high, found.count) == (wanted.low, wanted.high, wanted.count)
    assert found.text == text.partition("=")[2].strip()


SAME = "the two ends of this range are the same number\n{}\n  = help: one number is a point: give it by `at`, and not by `over`"
MESSAGES = {
    "x=1:1": SAME.format("  | x=1:1\n  |   ^^^"),
    "x=0:-0": SAME.format("  | x=0:-0\n  |   ^^^^"),
    "x=sqrt(4):2:10": SAME.format("  | x=sqrt(4):2:10\n  |   ^^^^^^^^^^^^"),
    "x=4:-4": "a range goes from low to high\n  | x=4:-4\n  |   ^^^^\n  = help: did you mean: x=-4:4",
    "y=0:1, x=4 : -4 : 10": "a range goes from low to high\n  | y=0:1, x=4 : -4 : 10\n  |          ^^^^^^^^^^^\n  = help: did you mean: y=0:1, x=-4:4:10",
    "x=3": "`3` is no range\n  | x=3\n  |   ^\n  = help: a range is -4:4, 0:1:1000 or all",
    "x=1:2:": "there is no number of points from 2 to 8,589,934,592\n  | x=1:2:\n  |       ^",
    "x=1:2:1": "`1` is no number of points from 2 to 8,589,934,592\n  | x=1:2:1\n  |       ^",
    "x=-inf:1": "a range ends at numbers\n  | x=-inf:1\n  |   ^^^^\n  = help: `all` means every finite number of the dtype",
}


@pytest.mark.parametrize("text", MESSAGES)
def test_a_message_says_what_to_write(text):
    """Below the place, on the command line."""
    with pytest.raises(UserError) as caught:
        read_points([text], read_range)
    assert str(caught.value) == f"error[bad-range]: {MESSAGES[text]}"
