"""Points that are not behind `--at`, or nowhere: the corrected command, or the derivatives."""

from __future__ import annotations

import shlex

import pytest

# Words of a command, and the command that is offered.
CORRECTED = {
    "x**2 x=3": "x**2 --at x=3",
    "x=3 x**2": "x**2 --at x=3",
    "x**2 3": "x**2 --at x=3",
    "x**2 -3": "x**2 --at x=-3",
    "x**2 pi/4": "x**2 --at x=pi/4",
    "x**2 -x 3": "x**2 --at x=3",
    "x**2 --x 3": "x**2 --at x=3",
    "x**2 --x=3": "x**2 --at x=3",
    "-x 3 x**2 --dtype float32 -q": "x**2 --at x=3 --dtype float32 -q",
    "x*y x=3 y=4": "x*y --at x=3,y=4",
    "x*y --at x=3 y=4": "x*y --at y=4 --at x=3",
    "x*y x=3 4": "x*y --at x=3,y=4",
    "check x**2 x=[1,2]": "x**2 --at 'x=[1,2]'",
    "x**2 -- x=0:1:3": "x**2 --at x=0:1:3",
    "x**2 --at x=1,2": "x**2 --at 'x=[1,2]'",
    "x**2 --at=x=1,2 -q": "x**2 '--at=x=[1,2]' -q",
    "x*y --at x=1 --at y=1..4": "x*y --at x=1 --at y=1:4:4",
}
# Words that are no point: what is wrong is told as ever.
OTHERS = ("x**2 y**2", "x**2 y=3", "x*y 3", "x**2 --stp 3", "x**2 x=__import__('os')", "x**2 3 4")


@pytest.mark.parametrize("words", CORRECTED)
def test_the_corrected_command_is_told_and_runs(tool, tmp_path, words):
    """To be pasted: it is a check."""
    code, out, err = tool.ran(tmp_path, *_words(words))
    assert (code, out) == (2, "")
    assert err.endswith(f"  = help: did you mean: gradcheck {_quoted(CORRECTED[words])}\n")
    offered = err.rpartition("did you mean: gradcheck ")[2]
    assert tool.ran(tmp_path, *shlex.split(offered))[0] == 0


def _words(text):
    return text.split(" ")


def _quoted(text):
    """As a shell needs it; quotes that stand there already are those of a whole word."""
    return shlex.join(shlex.split(text))


@pytest.mark.parametrize("words", OTHERS)
def test_what_is_no_point_is_told_as_ever(tool, tmp_path, words):
    """Exit code 2 and no command that nobody meant."""
    code, out, err = tool.ran(tmp_path, *_words(words))
    assert (code, out) == (2, "")
    assert "misplaced-point" not in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "formulas"),
    [
        (["x**2"], ["∂f/∂x = 2*x"]),
        (["x*y + sin(y)", "--wrt", "y"], ["∂f/∂y = x + cos(y)"]),
        (["x^2"], ["∂f/∂x = 2*x"]),
        (["y = x**2; 3*y"], ["∂f/∂x = 6*x"]),
    ],
)
def test_without_a_point_the_derivatives_are_told(tool, tmp_path, words, formulas):
    """On stdout; nothing was checked, which is a mistake and no success."""
    code, out, err = tool.ran(tmp_path, *words)
    assert code == 2
    assert out.splitlines()[1:] == formulas
    assert err.startswith("error[missing-value]: nothing is checked: `--at` gives no value for `x`")
    offered = err.rpartition("for example: gradcheck ")[2]
    assert tool.ran(tmp_path, *shlex.split(offered))[0] == 0


@pytest.mark.parametrize(
    "words",
    [["W @ x"], ["x*sin"], ["x*y", "--at", "x=1"], ["x**2", "-f", "json"], ["x**2", "--order", "2"], ["sigmod(x)"]],
)  # fmt: skip
def test_where_there_is_no_formula_the_mistake_stands_alone(tool, tmp_path, words):
    """Tensors, a name of a function, one value of two, a report for machines, another question."""
    code, out, err = tool.ran(tmp_path, *words)
    assert (code, out) == (2, "")
    assert err.startswith("error[")
