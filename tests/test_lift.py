"""Notebooks and scripts are read, and never run; what they state of derivatives is put on trial."""

from __future__ import annotations

import json
import sys

import cells
import pytest
import yaml
from clocks import cpu_budget
from lifting_goldens import FILES, golden
from test_hostile import ATTACKS

from gradcheck_cli.lifting import lift
from gradcheck_cli.lifting.labels import ClaimTarget, label_of, target_of

IMPORTS = "import math\nimport numpy as np\nimport torch\nimport torch.nn.functional as F\n"
X = "x = torch.tensor(2.0, requires_grad=True)\n"
PAIR = "x = torch.tensor([1.0, 2.0], requires_grad=True)\n"
SQUARE = f"{X}y = x**2\ny.backward()\n"
# The claims of the files in `tests/lifting` that are wrong, or that hold of another derivative.
REFUTED = {
    "chain_paths.ipynb": ["dzdb = dzdx*3 + dzdy*3*b**2", "dy_dx = 6*x + torch.exp(-x)"],
    "jacobian.py": [],
    "mlp.ipynb": [],
    "neuron.py": ["dF_/dK = dH_dK", "dF_/dZ = dK_dZ", "dF__dW1 = dF__dZ*W1"],
    "pendulum.py": ["dH_dlength = 1.0*length*omega**2 + 1.0*9.81*np.cos(theta)"],
    "styles.py": ["ds/dv = 2*v", "df/dz = 3*z"],
}


@pytest.fixture
def lifted(tmp_path):
    """What is lifted from a script: its cases, and what is not lifted."""

    def of(script, name="script.py"):
        path = tmp_path / name
        path.write_text(IMPORTS + script, encoding="utf-8")
        found = lift(path)
        return yaml.safe_load(found.suite)["cases"] or [], [str(each) for each in found.unread]

    return of


def claims(case):
    """The claims of a case, without the lines that they come from."""
    return [line.partition("  #")[0] for line in case.get("claim", "").splitlines()]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_is_lifted_as_its_golden_says(path):
    """Every check, with its claims and what is not lifted."""
    assert lift(path).suite == golden(path).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_lifted_suite_passes_lint_and_refutes_what_is_wrong(path, tool, tmp_path):
    """Those claims alone are refuted that are wrong."""
    code, out, _ = tool.ran(tmp_path, "lift", str(path), "-o", "lifted.gradcheck.yaml")
    assert code == 0, out
    assert tool.ran(tmp_path, "lint", "lifted.gradcheck.yaml")[0] == 0
    code, out, err = tool.ran(tmp_path, "run", "lifted.gradcheck.yaml", "-f", "json")
    report = json.loads(out)
    assert not report["problems"], err
    stated = [claim for case in report["cases"] for claim in case["claims"] or []]
    assert [c["claim"] for c in stated if c["status"] == "refuted"] == REFUTED[path.name]
    assert all(c["status"] in ("proved", "refuted") for c in stated)
    unmet = [case["id"] for case in report["cases"] if case["unmet"]]
    assert bool(unmet) == (path.name == "jacobian.py")


@pytest.mark.parametrize("text", cells.READ, ids=map(str, range(len(cells.READ))))
def test_a_script_is_read_as_a_cell_is(text, tmp_path):
    """The programs, what is differentiated, and the dtype."""
    path = tmp_path / "script.py"
    path.write_text(text, encoding="utf-8")
    found = yaml.safe_load(lift(path).suite)["cases"]
    read = [(c["expr"].strip(), tuple(c["wrt"]), c["dtype"]) for c in found]
    expected = [(each.program, each.wrt, each.dtype) for each in cells.READ[text]]
    assert read == expected


# What stands behind `import torch`, and the program, point and claims of the only check.
SCRIPTS = {
    "an `if` is decided at the point": (f"{X}if x > 1:\n    y = x**2\nelse:\n    y = -x\ny.backward()", "y = x**2"),
    "an `elif`, with words": (f"{X}kind = 'b'\nif kind == 'a':\n    y = x\nelif kind == 'b' and x.item() < 3:\n    y = x**3\ny.backward()", "y = x**3"),
    "an `if` within a function": (f"{X}def f(t, hard=False):\n    if hard:\n        t = t + 1\n    if t.item() > 0:\n        u = t*t\n    return u\ny = f(x)\ny.backward()",
                                  "u = x*x"),
    "a `while`": (f"{X}y = x\nk = 0\nwhile k < 3:\n    y = y*x\n    k += 1\ny.backward()", "y = x*x\ny_2 = y*x\ny_3 = y_2*x"),
    "a loop that is left": (f"{X}y = x\nfor k in range(50):\n    if k == 2:\n        break\n    y = y*x\ny.backward()", "y = x*x\ny_2 = y*x"),
    "a function that is called for what it does": ("def main():\n    x = torch.tensor(2.0, requires_grad=True)\n    nothing(x)\n    (x**2).backward()\nif __name__ == '__main__':\n    main()",
                                                    "x**2"),
    "a number that leaves torch": (f"{X}c = (3*x).item()\ny = c*x\ny.backward()", "c = stop_gradient(3*x)\ny = c*x"),
    "numbers that are computed": ("a = 3.0\nb = a/2 + 1\nx = torch.tensor(b, requires_grad=True)\n(x**2).backward()", "x**2"),
    "an array that is computed": ("a = np.array([1.0, 3.0])\na = (a - a.mean())/2\nx = torch.tensor(a, requires_grad=True)\n(x**2).sum().backward()", "(x**2).sum()"),
    "named numbers": (f"{X}alpha, n = 0.5, 3\ny = alpha*x**n\ny.backward()", "y = 0.5*x**3"),
    "a try block": (f"{X}try:\n    y = x**2\nexcept ValueError:\n    pass\ny.backward()", "y = x**2"),
}  # fmt: skip


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_followed(name, lifted):
    """Its only check is of that program."""
    script, program = SCRIPTS[name]
    (case,), _ = lifted(script)
    assert case["expr"].strip() == program


def test_points_are_worked_out(lifted):
    """Numbers that stand for others, arrays that are computed, samples with their seed."""
    (case,), _ = lifted(SCRIPTS["numbers that are computed"][0])
    assert case["at"] == {"x": 2.5}
    (case,), _ = lifted(SCRIPTS["an array that is computed"][0])
    assert case["at"] == {"x": {"tensor": [-0.5, 0.5]}}
    script = "torch.manual_seed(7)\nw = torch.rand(2, 3, requires_grad=True)\nw.sum().backward()"
    (case,), _ = lifted(script)
    drawn = {"sample": "uniform", "count": 1, "shape": [2, 3], "start": 0, "seed": 7}
    assert case["at"] == {"w": drawn}


@pytest.mark.parametrize(
    ("weights", "numbers"),
    [
        ("v = torch.zeros(2)\nv[1] = 3.0\n", [0, 3]),
        ("v = torch.eye(2)[0]\n", [1, 0]),
        ("v = 2*(y - 1).detach()\n", [0, 6]),
        ("v = torch.ones_like(y)\n", None),
    ],
)
def test_an_upstream_gradient_is_worked_out(weights, numbers, lifted):
    """Whatever it is computed from."""
    (case,), _ = lifted(f"{PAIR}y = x**2\n{weights}y.backward(v)")
    assert case.get("cotangent") == numbers


# A way to state a derivative of `y = x**2`, right and wrong, and what each is claimed as.
WAYS = {
    "dydx = 2*x": "dydx = 2*x",
    "dy_dx = 3*x": "dy_dx = 3*x",
    "grad_x = 2*x.item()": "grad_x = 2*x",
    "x_grad = 2*x.detach().numpy()": "x_grad = 2*x",
    "y_prime_x = x": "dy_dx = x",
    "manual_grad = 2*x": "dy_dx = 2*x",
    "expected_x_grad = 3*x": "dy_dx = 3*x",
    "print('dy/dx:', 2*x.item())": "dy/dx = 2*x",
    "print('autograd', x.grad, 'dy / dx by hand:', 3*x)": "dy/dx = 3*x",
    "print(f'dy/dx = {2*x.item():.3f}')": "dy/dx = 2*x",
    "print('dy/dx at x =', x.item(), 'is', 3*x)": "dy/dx = 3*x",
    "print('∂y/∂x: %.2f' % (2*x))": "dy/dx = 2*x",
    "print('dy/dx: {} and {:.3f}'.format(x.grad, 3*x))": "dy/dx = 3*x",
    "print('dy/dx = ' + str(2*x))": "dy/dx = 2*x",
    "print('gradient of y w.r.t. x', 3*x)": "dy/dx = 3*x",
    "assert x.grad == 2*x": "dy/dx = 2*x",
    "assert torch.allclose(x.grad, 3*x)": "dy/dx = 3*x",
    "print(np.isclose(2*x.item(), x.grad.item()))": "dy/dx = 2*x",
    "assert abs(x.grad.item() - 3*x.item()) < 1e-6": "dy/dx = 3*x",
    "print((x.grad - 2*x).abs().max())": "dy/dx = 2*x",
    "dydx = 4.0": "dydx = 4.0",
    "dydx = 5.0": "dydx = 5.0",
    "print('dy/dx', 2*2.0)": "dy/dx = 4.0000",
    "def f(t):\n    return 3*t\nprint('dy/dx', f(x))": "dy/dx = 3*x",
}


@pytest.mark.parametrize("way", WAYS)
def test_what_is_stated_is_claimed(way, lifted):
    """In the names of the program."""
    (case,), unread = lifted(SQUARE + way)
    assert claims(case) == [WAYS[way]]
    assert unread == []


def test_what_is_wrong_is_refuted_and_nothing_else(lifted, tool, tmp_path):
    """All ways to state the derivative of one program, a case each: those with a 3, a 5 or a bare x."""
    suite = {"version": 1, "cases": []}
    for way in WAYS:
        (case,), _ = lifted(SQUARE + way)
        suite["cases"].append({**case, "id": f"way-{len(suite['cases'])}"})
    (tmp_path / "ways.gradcheck.yaml").write_text(yaml.safe_dump(suite), encoding="utf-8")
    _, out, _ = tool.ran(tmp_path, "run", "ways.gradcheck.yaml", "-f", "json")
    refuted = [case["outcome"] == "wrong" for case in json.loads(out)["cases"]]
    assert refuted == ["2*" not in right and "4." not in right for right in WAYS.values()]


# What is no derivative by hand.
NO_CLAIMS = [
    "dx = 0.001",
    "data = 3*x",
    "dim = 2",
    "g = x.grad",
    "dydx = x.grad.item()",
    "print('y', 2*x)",
    "print('dy/dx', x.grad)",
    "print('dy/dx at', x.item())",
    "print(2*x, x.grad)",
]


@pytest.mark.parametrize("line", NO_CLAIMS)
def test_what_is_no_derivative_is_not_claimed(line, lifted):
    """And nothing is told of it."""
    (case,), unread = lifted(SQUARE + line)
    assert (claims(case), unread) == ([], [])


# What is not lifted, with the reason.
UNREAD = {
    "h = 1e-4\ndydx = ((x + h)**2 - x**2)/h": "line 9: `dydx` is a difference quotient, an estimate and no formula",
    "dydx_numeric = 4.0001": "line 8: `dydx_numeric` is called an estimate, and is no claim",
    "print('dz/dx', 2*x)\nz = 3*x": "",
    "w = load('w.pt')\nz = w*x\nz.backward()": "line 8: no function named `load` (`gradcheck functions` lists all)\n"
                                              "line 10: `z.backward()`: no function named `load`",
    "class Net(torch.nn.Module):\n    pass\nnet = Net()\nnet(x).backward()": "line 8: `Net` is a class, and a class is not read (write what its `forward` computes as a function, its weights as "
                                                                             "tensors)\nline 11: `net(x).backward()`: `Net` is a class, and a class is not read",
    "z = x.detach()**2\nz.backward()": "",
    "n = torch.tensor(3.0)\nn.backward()": "line 9: `n.backward()`: nothing that this is computed from requires a gradient: torch's backward would fail",
    "r = torch.randn(2)\nif r.sum() > 0:\n    x2 = x\n": "line 9: `r.sum() > 0` is not worked out: it rests on numbers that are drawn when the suite runs",
    "with open('f') as f:\n    text = f.read()": "line 8: a with block is not part of the language",
    "x3 = = 3": "line 8: this is not an expression: invalid syntax",
    "dy_dq = 3*x": "",
}  # fmt: skip


@pytest.mark.parametrize("lines", UNREAD)
def test_what_is_not_lifted_is_told(lines, lifted):
    """And costs no check before it."""
    cases, unread = lifted(SQUARE + lines)
    assert cases[0]["expr"].strip() == "y = x**2"
    if UNREAD[lines]:
        assert "\n".join(unread) == UNREAD[lines]


def test_a_descent_is_lifted_at_its_first_point(lifted):
    """Its later rounds are told, and so is what comes behind it."""
    step = "for epoch in range(500):\n    y = (x - 3)**2\n    y.backward()\n    with torch.no_grad():\n        x -= 0.1*x.grad\n"
    cases, unread = lifted(f"{X}{step}z = x**2\nz.backward()")
    assert [case["expr"] for case in cases] == ["y = (x - 3)**2"]
    assert unread == [
        "line 6: the inputs move (line 10), and a check is made at one point: later rounds are not lifted",
        "line 10: `x` is moved here, and a check is made at one point",
        "line 12: `z.backward()`: `x` is moved here, and a check is made at one point",
    ]


@pytest.mark.parametrize(
    "step", ["x.data -= 0.1*x.grad", "x.data.sub_(0.1*x.grad)", "x = x - 0.1*x.grad", "opt.step()"]
)
def test_a_moved_input_is_checked_nowhere_else(step, lifted):
    """Its numbers are no longer those that are written."""
    cases, _ = lifted(f"opt = torch.optim.SGD([], lr=0.1)\n{SQUARE}{step}\nz = x**3\nz.backward()")
    assert [case["expr"] for case in cases] == ["y = x**2"]


def test_a_claim_is_of_the_check_that_has_its_names(lifted):
    """Not of the nearest one."""
    script = f"{X}u = x**2\nu.backward()\nw = torch.tensor(1.0, requires_grad=True)\nv = w**3\nv.backward()\nprint('du/dx', 2*x)\nprint('dv/dw', 3*w**2)"
    first, second = lifted(script)[0]
    assert (claims(first), claims(second)) == (["du/dx = 2*x"], ["dv/dw = 3*w**2"])


def test_a_claim_of_no_check_is_told(lifted):
    """By its name."""
    _, unread = lifted(f"{SQUARE}q = 3.0\nprint('dq/dt', 2*x)")
    assert unread == ["line 9: `dq/dt: 2*x` is taken for dq/dt, which is of no check here"]


@pytest.mark.parametrize(
    ("name", "known", "target"),
    [
        ("dydx", {"y", "x"}, ClaimTarget("y", "x")),
        ("dL_dw1", {"L", "w1"}, ClaimTarget("L", "w1")),
        ("ddelta_ddata", {"delta", "data"}, ClaimTarget("delta", "data")),
        ("dW", {"W"}, ClaimTarget("", "W")),
        ("data", {"x"}, None),
        ("x_grad_numeric", {"x"}, None),
        ("torch_grad_x", {"x"}, None),
        ("expected_grad", {"x"}, ClaimTarget("", "")),
        ("f_prime", {"x"}, ClaimTarget("f", "")),
    ],
)
def test_a_name_is_taken_apart(name, known, target):
    """By the names of the script."""
    assert target_of(name, known) == target


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("df/dx:", ClaimTarget("f", "x")),
        ("value y, then dL/dW1 =", ClaimTarget("L", "W1")),
        ("∂z/∂a", ClaimTarget("z", "a")),
        ("d/dx", ClaimTarget("", "x")),
        ("the gradient with respect to w is", ClaimTarget("", "w")),
        ("w/o a label", None),
        ("read/write", None),
    ],
)
def test_a_label_is_taken_apart(text, target):
    """The last one counts."""
    assert label_of(text) == target


# The command


def test_nothing_is_written_over(tool, tmp_path):
    """The file that is there stays as it is."""
    (tmp_path / "a.py").write_text(IMPORTS + SQUARE)
    (tmp_path / "own.yaml").write_text("my own\n")
    assert tool.ran(tmp_path, "lift", "a.py", "-o", "own.yaml") == (
        2,
        "",
        "error[unwritable]: `own.yaml` is there already, and `lift` writes over nothing\n"
        "  = help: name another file with `-o`\n",
    )
    assert (tmp_path / "own.yaml").read_text() == "my own\n"
    code, out, err = tool.ran(tmp_path, "lift", "a.py", "-o", "new.yaml")
    assert (code, err) == (0, "")
    assert out == "wrote new.yaml: 1 check, 0 claims\nnext: gradcheck run new.yaml\n"
    assert tool.ran(tmp_path, "lift", "a.py") == (0, (tmp_path / "new.yaml").read_text(), "")


@pytest.mark.parametrize(
    ("name", "text", "code", "message"),
    [
        ("a.ipynb", "no JSON", 2, "error[unreadable]: `a.ipynb` is no notebook: Expecting value: line 1 column 1 (char 0)\n"),
        ("a.ipynb", '{"cells": 3}', 2, "error[unreadable]: `a.ipynb` is no notebook: it has no list of cells\n"),
        ("a.ipynb", "[" * 100_000, 2, "error[unreadable]: `a.ipynb` is no notebook: "),
        ("a.ipynb", '{"cells": [], "metadata": {"kernelspec": {"language": "R"}}}', 2,
         "error[unreadable]: `a.ipynb` is a notebook of R, and Python is read\n"),
        ("a.ipynb", '{"cells": []}', 5, "a.ipynb: nothing is lifted: no `backward()` of an input is read\n"),
        ("a.py", "", 5, "a.py: nothing is lifted: no `backward()` of an input is read\n"),
        ("a.py", "x = (", 5, "a.py: line 1: this is not an expression: '(' was never closed\n"),
    ],
)  # fmt: skip
def test_a_file_that_gives_nothing_is_told(name, text, code, message, tool, tmp_path):
    """With an exit code of its own."""
    (tmp_path / name).write_text(text)
    ended, out, err = tool.ran(tmp_path, "lift", name)
    assert (ended, out) == (code, "")
    assert err.startswith(message)


def test_a_missing_file_is_told(tool, tmp_path):
    """As everywhere."""
    message = "error[unreadable]: `no.py` cannot be read: No such file or directory\n"
    assert tool.ran(tmp_path, "lift", "no.py") == (2, "", message)


def test_old_notebooks_are_read(tmp_path):
    """Those of format 3, with a source as one text."""
    code = {"cell_type": "code", "input": f"{IMPORTS}{SQUARE}"}
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps({"nbformat": 3, "worksheets": [{"cells": [code]}]}))
    assert lift(path).checks == 1


@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.isprintable()])
def test_nothing_is_run(attack, lifted, tmp_path, monkeypatch):
    """Whatever stands in a script is text."""
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    with cpu_budget(20):
        cases, _ = lifted(f"{SQUARE}z = {attack}\n")
    assert cases
    assert {path.name for path in set(tmp_path.iterdir()) - before} <= {"script.py"}


def test_torch_is_not_loaded(tmp_path):
    """By reading a file that imports it."""
    import subprocess

    (tmp_path / "a.py").write_text(IMPORTS + SQUARE)
    program = "import sys, pathlib; from gradcheck_cli.lifting import lift; lift(pathlib.Path('a.py')); sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=False)
    assert done.returncode == 0


def test_much_of_it_ends_in_time(lifted):
    """Loops in loops, functions that call each other, a long sum."""
    loops = "y = x\nfor a in range(90):\n    for b in range(90):\n        for c in range(90):\n            y = y + x\n"
    with cpu_budget(6):
        cases, unread = lifted(f"{SQUARE}{loops}y.backward()")
    assert cases
    assert any("unroll to more than 5,000 statements" in each for each in unread)
