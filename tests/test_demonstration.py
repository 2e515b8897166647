"""`--emit`: a script that shows a finding by torch and mpmath alone, and sees a lie of its own."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys

import mpmath
import pytest

# A check, how its script ends, and what it says last.
SHOWN = [
    (["softplus(x)", "--at", "x=21"], 1, "wrong: off by 7.58e-10, where rounding explains 2.131628204889494e-14"),
    (["where(x>0, sqrt(x), 0)", "--at", "x=-1"], 1, "wrong: off by nan, where rounding explains 2e-323"),
    (["x*detach(x)", "--at", "x=3"], 1, "wrong: off by 3.0, where rounding explains 3.552713678800501e-15"),
    (["detach(x)**2 + 0*x", "--at", "x=3"], 1, "wrong: off by 6.0, where rounding explains 3.552713678800501e-15"),
    (["(1-cos(x))/x**2", "--at", "x=0.001", "--dtype", "float32"], 1, "wrong: off by 46.3, where rounding explains 2.8772248031895344e-08"),
    (["celu(x, alpha=0.3)", "--at", "x=-1"], 1, "wrong: off by 3.31e-9, where rounding explains 2.3763653276666564e-16"),
    (["z = x @ w; softplus(z)", "--at", "x=[[10.5,0],[1,2]],w=[2,1]"], 1, "wrong: off by 1.52e-9, where rounding explains 4.352074251681654e-14"),
    (["h = exp(x); y = log1p(h)", "--at", "x=710"], 1, "wrong: off by nan, where rounding explains 8.881784197001252e-16"),
    (["tanh(x)*lambda_", "--at", "x=0.5,lambda_=2"], 0, "right, as far as rounding allows"),
    (["cross_entropy(x, t)", "--at", "x=[[1,2],[3,4]],t=[0,1]"], 0, "right, as far as rounding allows"),
    (["softmax(x)", "--at", "x=[1, 2]", "--cotangent", "[1, 0]"], 0, "right, as far as rounding allows"),
    (["relu(x - 0.1)**2", "--at", "x=[1, 0.05]", "--dtype", "float32"], 0, "right, as far as rounding allows"),
    (["sin(mp) + value", "--at", "mp=1,value=2"], 0, "right, as far as rounding allows"),
    (["exp(-x)", "--at", "x=0"], 0, "right, as far as rounding allows"),
    (["x**3", "--at", "x=1e-200"], 0, "right, as far as rounding allows"),
]  # fmt: skip


def written(tool, folder, *words):
    """The script of a check."""
    code, _, err = tool.ran(folder, *words, "-q", "--emit", "shown.py")
    assert code in (0, 1), err
    return folder / "shown.py"


def ended(path, capsys):
    """How a script ends, and the lines it prints; run here, as torch takes long to load."""
    digits = mpmath.mp.dps
    capsys.readouterr()
    try:
        with pytest.raises(SystemExit) as left:
            runpy.run_path(str(path), run_name="__main__")
    finally:
        mpmath.mp.dps = digits
    return left.value.code, capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(("words", "code", "last"), SHOWN, ids=[words[0] for words, *_ in SHOWN])
def test_a_script_shows_what_was_found(words, code, last, tool, tmp_path, capsys):
    """It computes the same 30 digits, and ends as torch's answer deserves."""
    path = written(tool, tmp_path, *words)
    found, lines = ended(path, capsys)
    assert (found, lines[-1]) == (code, last)
    proved, computed = (mpmath.mpf(line.split()[-1]) for line in lines[1:3])
    assert abs(proved - computed) <= mpmath.mpf(10) ** -14 * abs(proved)


@pytest.mark.parametrize(("words", "code", "last"), [SHOWN[0], SHOWN[4], SHOWN[6], SHOWN[8]])
def test_a_lie_in_the_digits_is_seen(words, code, last, tool, tmp_path, capsys):
    """A script that disagrees with itself says nothing of torch."""
    path = written(tool, tmp_path, *words)
    text = path.read_text(encoding="utf-8")
    head, _, tail = text.partition('PROVED = "')
    digits, _, rest = tail.partition('"')
    mantissa = digits.partition("e")[0]
    place = len(mantissa) - 4
    lie = digits[:place] + str((int(digits[place]) + 1) % 10) + digits[place + 1 :]
    path.write_text(f'{head}PROVED = "{lie}"{rest}', encoding="utf-8")
    found, lines = ended(path, capsys)
    assert (found, lines[-1]) == (2, "these are not the same: nothing is said of torch")


def test_a_script_ends_with_0_once_it_is_mended(tool, tmp_path, capsys):
    """With a torch whose softplus is right."""
    path = written(tool, tmp_path, "softplus(x)", "--at", "x=21")
    text = path.read_text(encoding="utf-8")
    mended = re.sub(
        r"torch\.nn\.functional\.softplus\(.*\)", "-torch.nn.functional.logsigmoid(-x)", text
    )
    assert mended != text
    path.write_text(mended, encoding="utf-8")
    assert ended(path, capsys)[0] == 0


def test_a_script_stands_alone(tool, tmp_path):
    """In a process of its own it needs nothing of this tool, and prints the versions."""
    path = written(tool, tmp_path, "softplus(x)", "--at", "x=21")
    done = subprocess.run(
        [sys.executable, "-I", path.name], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("torch ")
    assert "gradcheck_cli" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["relu(x)", "--at", "x=0"], "no derivative is proved here (kink)"),
        (["x**3", "--at", "x=2", "--order", "2"], "first derivatives of one value are shown, not a Jacobian or second ones"),
        (["x**3", "--at", "x=[1, 2]", "--jacobian"], "first derivatives of one value are shown, not a Jacobian or second ones"),
        (["relu(x) + y", "--at", "x=0,y=1"], "where the outcome is kink no derivative is proved"),
        (["x*stop_gradient(x)", "--at", "x=2"], "`stop_gradient` is not written in mpmath"),
        (["sum(x @ x)", "--at", "x=ones(15, 15)"], "it comes to more than 2,000 scalar operations"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_told(words, why, tool, tmp_path):
    """With the exit code of a command that could not do what it was asked."""
    code, _, err = tool.ran(tmp_path, *words, "-q", "--emit", "shown.py")
    assert (code, err) == (2, f"error[no-script]: no script is written: {why}\n")
    assert not (tmp_path / "shown.py").exists()


def test_a_place_that_is_none_is_told_before_anything_is_checked(tool, tmp_path):
    """As that of a report."""
    message = "error[unwritable]: the report cannot be written to `no/a.py`: no such folder, or no file name\n"
    assert tool.ran(tmp_path, "sin(x)", "--at", "x=1", "--emit", "no/a.py") == (2, "", message)


def test_the_worst_partial_is_shown(tool, tmp_path):
    """Of several."""
    path = written(tool, tmp_path, "softplus(x) + y**2", "--at", "x=21,y=[1, 2]")
    assert "about the derivative by `x` of" in path.read_text(encoding="utf-8")
