"""A cell of a notebook is read as the programs that it differentiates, and never run."""

from __future__ import annotations

import ast
import json
from random import Random

import cells
import pytest
import torch
from clocks import cpu_budget
from test_hostile import ATTACKS

from gradcheck_cli import check
from gradcheck_cli.language.cells.operations import Operations
from gradcheck_cli.language.cells.prompts import bare, without_magics
from gradcheck_cli.language.cells.scope import MOST_STATEMENTS
from gradcheck_cli.language.errors import UserError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.questions.cells import read_questions
from gradcheck_cli.questions.points import Sample

NAMES = [f"{k}" for k in range(len(cells.READ))]
MANY = pytest.mark.parametrize("text", cells.READ, ids=NAMES)


def words(value):
    """Exact numbers as they were written."""
    if isinstance(value, list):
        return [words(item) for item in value]
    return None if value is None else value.text


@MANY
def test_a_cell_is_read_as_its_programs(text):
    """Each with the inputs that are differentiated, the dtype and the cotangent."""
    stated = read_questions(text)
    read = [
        cells.Expected(each.program.text, tuple(each.wrt), each.dtype, words(each.cotangent))
        for each in stated
    ]
    assert read == cells.READ[text]
    assert all(each.program.nodes == parse(each.program.text).nodes for each in stated)


def test_the_table_is_of_some_size():
    """What is read, and what is not."""
    assert len(cells.READ) > 30
    assert len(cells.MESSAGES) > 12


def leaf_gradients(text):
    """What torch has in `.grad` when a cell is run: by test alone, whose cells these are."""
    names = {}
    lines = without_magics(bare(text))[0].split("\n")
    shown = ("plt.", "ax.", "fig,", "import matplotlib", "print(g")
    plain = "\n".join(line for line in lines if not line.startswith(shown))
    body = ast.parse(plain.replace("with torch.no_grad():\n    x -= 0.1*x.grad", ""))
    exec(compile(body, "cell", "exec"), names)  # noqa: S102 - cells of the table above
    tensors = {name: each for name, each in names.items() if isinstance(each, torch.Tensor)}
    leaves = {n: t for n, t in tensors.items() if t.is_leaf and t.requires_grad}
    # Of several names of one tensor the first.
    first = {id(t): n for n, t in reversed(leaves.items())}
    return {n: leaves[n].grad for n in first.values()}


def misjudged(text, *, is_good=True):
    """Inputs whose gradient is another one in the report than when torch runs the cell."""
    report = check(text)
    (*_, last) = report.records
    own = json.dumps(last)
    found = []
    for name, gradient in leaf_gradients(text).items():
        if gradient is None:
            continue
        partials = [p for p in last["partials"] if p["variable"] == name]
        numbers = [p["autograd"].get("value") or 0.0 for p in partials]  # no path: torch's is 0
        mine = torch.tensor(numbers or [0.0] * gradient.numel(), dtype=gradient.dtype)
        if not torch.allclose(mine, gradient.reshape(-1), rtol=1e-5, atol=1e-7):
            found.append((name, own))
    assert report.exit_code == 0 or not is_good, report
    return found


@pytest.mark.parametrize("body", cells.TRICKY)
def test_what_could_be_misread_is_not(body):
    """torch, running the cell, has the same gradients, whatever is said of them."""
    assert not misjudged(cells.HEAD + body, is_good=False)


RUN = [
    text for text in cells.READ if "print(grad" not in text and "Out[" not in text
]  # what is only printed has no `.grad`


@pytest.mark.parametrize("text", RUN, ids=range(len(RUN)))
def test_the_gradients_are_those_of_the_cell_when_it_is_run(text):
    """torch, running the cell, comes to the numbers that the report has; all are right."""
    assert not misjudged(text)


def test_a_reader_that_misreads_is_caught(monkeypatch):
    """Where sums become differences the gradients are others."""
    honest = Operations._binary

    def lying(self, node):
        if isinstance(node.op, ast.Add):
            node = ast.copy_location(ast.BinOp(node.left, ast.Sub(), node.right), node)
        return honest(self, node)

    text = "import torch\nx = torch.tensor(1.5, requires_grad=True)\ny = x + x**2\ny.backward()"
    assert not misjudged(text)
    monkeypatch.setattr(Operations, "_binary", lying)
    assert misjudged(text)


@pytest.mark.parametrize("text", cells.MESSAGES, ids=range(len(cells.MESSAGES)))
def test_what_is_not_read_says_why(text):
    """The whole message, with line and caret."""
    with pytest.raises(UserError) as caught:
        read_questions(text)
    assert str(caught.value) == cells.MESSAGES[text]


class Tree:
    """A random expression, as the language writes it and as a cell does."""

    def __init__(self, random, names, depth=3):
        self.random, self.names = random, names
        self.text, self.cell = self.grown(depth)

    def grown(self, depth):
        """(strict text, text in a cell)."""
        if depth == 0:
            name = self.random.choice([*self.names, "2", "0.5"])
            return name, name
        kind = self.random.choice(["call", "method", "sign", "if", "function"])
        (a, p), (b, q) = self.grown(depth - 1), self.grown(depth - 1)
        match kind:
            case "call":
                name = self.random.choice(["sin", "exp", "tanh"])
                return f"torch.{name}({a})", f"th.{name}({p})"
            case "method":
                return f"({a} + x).cos()", f"({p} + x).cos()"
            case "if":
                return f"({a} if {b} > 0 else {b})", f"({p} if {q} > 0 else {q})"
            case "function":
                return f"F.softplus({a})", f"soft({p})"
        sign = self.random.choice(["+", "-", "*", "/", "**"])
        return f"({a}) {sign} ({b})", f"({p}) {sign} ({q})"


def mismatch(seed):
    """A cell that is read otherwise than its strict text; None where it is read alike."""
    random = Random(seed)  # noqa: S311 - cells for a test, no secret
    first = Tree(random, ["x", "y"])
    last = Tree(random, ["x", "y", "u"])
    strict = f"u = {first.text}\n{last.text} + x*y*u"
    cell = (
        "import torch as th\nfrom torch.nn.functional import softplus as soft\n"
        "x, y = th.tensor(0.5, requires_grad=True), th.tensor(2.25)\n"
        f"u = {first.cell}\nvalue = {last.cell} + x*y*u\nvalue.backward()"
    )
    (stated,) = read_questions(cell)
    expected = parse(strict)
    same = (stated.program.nodes, stated.program.outputs) == (expected.nodes, expected.outputs)
    point = {name: float(value.value) for name, value in stated.at.items()}
    is_there = point == {"x": 0.5, "y": 2.25} and stated.wrt == ("x",)
    return None if same and is_there else cell


def test_generated_programs_are_read_as_their_strict_texts():
    """The same nodes and the same point, whatever is written as what."""
    assert [cell for seed in range(150) if (cell := mismatch(seed))] == []


def test_a_program_that_is_read_otherwise_is_seen(monkeypatch):
    """The comparison can fail."""
    honest = Operations._binary

    def lying(self, node):
        turned = ast.copy_location(ast.BinOp(node.right, node.op, node.left), node)
        return honest(self, turned if isinstance(node.op, ast.Sub) else node)

    monkeypatch.setattr(Operations, "_binary", lying)
    assert any(mismatch(seed) for seed in range(30))


HEAD = "import torch\nx = torch.tensor(1.0, requires_grad=True)\n"


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_in_a_cell_is_not_executed(attack, tmp_path):
    """As a statement, as a value that is needed and as one that is not, shown, and in a tensor."""
    trap = tmp_path / "trap"
    text = attack.format(trap=trap)
    for cell in [
        f"{HEAD}{text}\nx.backward()",
        f"{HEAD}y = {text}\n(x*y).sum().backward()",
        f"{HEAD}y = {text}\nx.backward()",
        f"{HEAD}print({text})\nx.backward()",
        f"import torch\nx = torch.tensor({text}, requires_grad=True)\nx.backward()",
    ]:
        try:
            read_questions(cell)
        except UserError as error:
            assert all(c.isprintable() or c == "\n" for c in str(error))
    assert not trap.exists()


@pytest.mark.parametrize(
    "text",
    [
        "y = " + "x.pow(" * 150 + "x" + ")" * 150, "y = " + "x.to(" * 150 + "x" + ")" * 150, "y = " + "torch.sin(" * 3000 + "x" + ")" * 3000,
        "y = " + "sum(" * 90 + "x" + ", dim=0)" * 90, "plt" + ".a()" * 500, "y = " + "[" * 5000 + "x" + "]" * 5000, "y = x" + ".T" * 5000,
        "def f(a): return a*a + a\ny = " + "f(" * 80 + "x" + ")" * 80, "l = [x, x]\nfor i in range(100):\n  l = [l, l]\ny = torch.stack(l)",
        "l = [x*2]\nfor i in range(100):\n  l = [l[0]*l[0]]\ny = l[0]", "o = torch.ones_like(x)\nfor i in range(100):\n  o = torch.ones_like(o + o)\ny = o*x",
        "y = [[[[x for a in range(100)] for b in range(100)] for c in range(100)] for d in range(100)]", "for i in range(10**100): pass", "y = x*9**9**9**9",
        "s = 'a'*10**9", "t = torch.ones(10**5, 10**5)\ny = (x*t).sum()", "y = x*" + "9" * 60_000, "print(" * 80 + "1" + ")" * 80,
        "def f(a): return a*a\ndef g(a): return f(f(f(f(a))))\ndef h(a): return g(g(g(g(a))))\ndef k(a): return h(h(h(h(a))))\ny = k(k(k(k(k(x)))))",
    ],
)  # fmt: skip
def test_a_cell_is_read_or_refused_in_bounded_time(text):
    """Nesting, doubling and counting cost no more than the limits allow."""
    with cpu_budget(5.0, text[:40]):
        try:
            read_questions(HEAD + text)
        except UserError as error:
            assert error.mistakes


def test_no_more_statements_are_written_out_than_the_limit():
    """In loops within loops."""
    loops = "for i in range(100):\n  for k in range(100):\n    x = x*2\n"
    with pytest.raises(UserError, match=f"unroll to more than {MOST_STATEMENTS:,} statements"):
        read_questions(f"import torch\nx = torch.tensor(1.0)\n{loops}x.sum()")


def test_what_is_drawn_is_said_to_be_no_number_of_torch():
    """The inputs are distributions, with the shapes of the cell."""
    (stated,) = read_questions(
        "torch.manual_seed(0)\nm = nn.Linear(3, 2)\nx = torch.randn(4, 3)\nm(x).sum().backward()"
    )
    shapes = {n: v.shape for n, v in stated.at.items() if isinstance(v, Sample)}
    assert shapes == {"x": (4, 3), "weight": (2, 3), "bias": (2,)}
    assert stated.wrt == ("weight", "bias")
    assert stated.remarks == (
        "read from a cell: `weight`, `bias` require a gradient; its inputs are float32 "
        "(`--dtype` takes another)",
        "`x`, `weight`, `bias` are drawn: the numbers are those of `--seed` here, not torch's",
        "line 1 not read",
    )


@pytest.mark.parametrize(
    ("text", "wrt", "dtype"),
    [
        ("import numpy as np\nx = np.array([1.0, 2.0, 4.0])\ny = x.std()", (), "float64"),
        ("import numpy as np\nx = 3.0\ny = np.tanh(x**2)\nprint(y)", (), "float64"),
        ("def f(x):\n    return x**2\nf(x)", (), ""),
    ],
)
def test_where_nothing_requires_a_gradient_everything_is_differentiated(text, wrt, dtype):
    """NumPy and numbers are float64; a function alone has its point from elsewhere."""
    (stated,) = read_questions(text)
    assert (stated.wrt, stated.dtype) == (wrt, dtype)


def test_methods_of_arrays_are_those_of_numpy():
    """`x.std()` divides by n there."""
    (stated,) = read_questions("import numpy as np\nx = np.array([1.0, 2.0])\ny = x.std()")
    assert stated.program.text == "y = np.std(x)"


@pytest.mark.parametrize(
    "text", ["x^2 + 1", "2x", "lambda x: x^2", "x*sin(x)", "y = x**2; y + 1", "y = 2x\nsin(y)"]
)
def test_a_formula_is_no_cell(text):
    """It has no remarks, and no values."""
    (stated,) = read_questions(text)
    assert (stated.at, stated.remarks) == ({}, ())


@pytest.mark.parametrize("text", ["y = x\ncosin(y)", "y = x**2\nx*y*randn(3)", "torch.solve(x)"])
def test_a_slip_in_a_program_is_told_as_one(text):
    """It has no place in a cell."""
    with pytest.raises(UserError) as caught:
        read_questions(text)
    assert all(not mistake.place for mistake in caught.value.mistakes)


CELL = "import torch\nx = torch.tensor(3.0, requires_grad=True)\ny = x**2\ny.backward()\nprint(x.grad)\n"


def test_the_command_line_takes_a_cell_from_stdin_and_from_a_file(tool, tmp_path):
    """With program, point, dtype and what was not read."""
    (tmp_path / "cell.py").write_text(CELL, encoding="utf-8")
    piped = tool.run(["-", "-f", "json"], stdin=CELL)
    code, out, _ = tool.ran(tmp_path, "@cell.py", "-f", "json")
    (case,), (other,) = json.loads(piped.stdout)["cases"], json.loads(out)["cases"]
    assert (piped.returncode, code) == (0, 0)
    assert case == other
    assert case["expression"] == "y = x**2"
    assert case["written"] == CELL.strip()
    assert (case["at"], case["dtype"], case["outcome"]) == ({"x": 3.0}, "float32", "agree")
    assert case["reproduce"] == "gradcheck 'y = x**2' --at x=3 --dtype float32"
    assert case["notes"] == [
        "read from a cell: `x` requires a gradient; its inputs are float32 "
        "(`--dtype` takes another)",
        "line 5 not read",
    ]


def test_options_count_before_what_the_cell_says(tool):
    """The point, the dtype and what is differentiated."""
    cell = CELL.replace("x**2", "x**2*w").replace("y =", "w = torch.tensor(2.0)\ny =", 1)
    words = ["-", "--at", "x=5", "--dtype", "float64", "--wrt", "w", "-f", "json"]
    (case,) = json.loads(tool.run(words, stdin=cell).stdout)["cases"]
    assert (case["at"], case["dtype"]) == ({"x": 5.0, "w": 2.0}, "float64")
    assert [partial["variable"] for partial in case["partials"]] == ["w"]


def test_an_option_for_one_of_several_programs_is_for_that_one(tool):
    """The others have no such input."""
    cell = f"{CELL}w = torch.tensor(2.0, requires_grad=True)\n(w**3).backward()\n"
    done = tool.run(["-", "--at", "w=4", "-f", "json"], stdin=cell)
    assert [case["at"] for case in json.loads(done.stdout)["cases"]] == [{"x": 3.0}, {"w": 4.0}]


@pytest.mark.parametrize("source", ["-", "@cell.py"])
def test_a_mistake_in_a_cell_names_file_line_and_column(tool, tmp_path, source):
    """Exit code 2, and nothing on stdout."""
    cell = CELL.replace("x**2", "torch.sigmod(x)")
    (tmp_path / "cell.py").write_text(cell, encoding="utf-8")
    done = tool.run([source], stdin=cell, folder=tmp_path)
    place = "<stdin>" if source == "-" else "cell.py"
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error[unknown-function]: no function named `sigmod`\n --> {place}:3:5\n"
        "  | y = torch.sigmod(x)\n  |     ^^^^^^^^^^^^\n"
        "  = help: did you mean `sigmoid`? `gradcheck functions` lists all\n"
    )


def test_python_takes_a_cell_without_a_point():
    """Its own numbers are the point; others may be given."""
    assert check(CELL).gradient("x") == pytest.approx(6.0)
    report = check(CELL, {"x": 5}, dtype="float64")
    assert (report.gradient("x"), report.records[0]["dtype"]) == (10.0, "float64")


def test_a_suite_says_what_to_write_for_a_cell(tool, tmp_path):
    """It takes programs, and a cell brings a point of its own."""
    cell = "".join(f"      {line}\n" for line in CELL.splitlines())
    suite = f"version: 1\ncases:\n  - id: one\n    expr: |\n{cell}    at: {{x: 3}}\n"
    (tmp_path / "a.gradcheck.yaml").write_text(suite, encoding="utf-8")
    code, _, err = tool.ran(tmp_path, "lint", "a.gradcheck.yaml")
    assert code == 2
    assert (
        "error[unsupported-syntax]: this is a cell of a notebook, and a suite takes a program"
        in err
    )
    assert "`gradcheck -` reads it, and its report has the program" in err


@pytest.mark.parametrize(
    ("last", "remark"),
    [
        ("y.backward()", "torch refuses `backward()` of 2 elements without a gradient: ones are taken, as if its sum were differentiated"),
        ("torch.autograd.grad(y, x)", "torch refuses `grad()` of 2 elements without a gradient: ones are taken, as if its sum were differentiated"),
        ("y.backward(torch.ones(2))", ""), ("y.backward(torch.ones_like(y))", ""), ("y.sum().backward()", ""), ("y[:1].backward()", ""), ("y", ""),
    ],
)  # fmt: skip
def test_what_torch_refuses_is_told(last, remark):
    """A derivative of several elements without an upstream gradient."""
    cell = f"import torch\nx = torch.tensor([1., 2.], requires_grad=True)\ny = x*2\n{last}"
    (stated,) = read_questions(cell)
    assert stated.refusal == remark
    assert (remark in stated.told(None, jacobian=False)) == bool(remark)
    assert stated.told(None, jacobian=True) == stated.told([1, 2], jacobian=False) == stated.remarks


def test_a_broken_cell_has_the_lines_of_its_file(tool, tmp_path):
    """Blank lines before it count."""
    text = "\nimport torch\nx = torch.tensor([1., 2.]\ny = x*2\n"
    (tmp_path / "a.py").write_text(text, encoding="utf-8")
    assert tool.run(["@a.py"], folder=tmp_path).stderr.startswith(
        "error[syntax]: this is not an expression: '(' was never closed\n --> a.py:3:17\n"
    )


def test_one_line_of_a_cell_is_what_it_was_read_as(tool, tmp_path):
    """And not all of its lines."""
    text = "import torch\nx = torch.tensor(2., requires_grad=True)\ny = x**2\ny.backward()\n"
    (tmp_path / "a.py").write_text(text, encoding="utf-8")
    done = tool.run(["@a.py", "-q"], folder=tmp_path)
    assert done.stdout == "read as y = x**2; at x = 2; float32 on cpu: agree\n"


def test_a_module_in_a_formula_reads_as_in_a_cell(tool):
    """A formula of one line has no point of its own."""
    done = tool.run(["nn.ReLU()(x)", "--at", "x=2"])
    assert done.stdout.startswith("nn.ReLU()(x)\nread as F.relu(x)\nat x = 2; float64 on cpu\n")
