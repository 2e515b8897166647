"""Hostile and enormous input: nothing is executed, nothing hangs, every refusal is a message with a
place.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from asking import autograd, points, reference
from clocks import HUNG, cpu_budget
from each import each
from hypothesis import given, settings
from hypothesis import strategies as st

import gradcheck_cli
from gradcheck_cli.language.errors import PointError, ProgramError
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.text import program_text
from gradcheck_cli.questions.numbers import read_points
from gradcheck_cli.witnesses.autograd import Backward, Measured
from gradcheck_cli.witnesses.reference import Proof
from gradcheck_cli.witnesses.truth import Certified

# The same examples every time, on every machine.
FIXED = settings(derandomize=True, database=None, deadline=None, max_examples=200)
# Seconds of computing. What is tested takes one or two; the rest is for a slow machine.
MOMENT = 6
SOURCES = Path(gradcheck_cli.__file__).parent
# What Python runs as a program when a text reaches it.
RUNNERS = {
    "eval",
    "exec",
    "compile",
    "sympify",
    "parse_expr",
    "S",
    "lambdify",
    "literal_eval",
    "__import__",
    "numexpr",
    "execfile",
}

# `{trap}` would be the path of a file that the text makes if any of it is executed.
ATTACKS = [
    "__import__('os').system('touch {trap}')", "__import__('pathlib').Path('{trap}').touch()", "open('{trap}', 'w')", "exec(\"open('{trap}', 'w')\")",
    "eval(\"open('{trap}', 'w')\")", "(lambda: open('{trap}', 'w'))()", "lambda x: open('{trap}', 'w')", "[open('{trap}', 'w') for _ in (1,)]",
    "{{open('{trap}', 'w') for _ in (1,)}}", "{{1: open('{trap}', 'w')}}", "(open('{trap}', 'w') for _ in (1,))", "f\"{{open('{trap}', 'w')}}\"",
    "f\"{{x!r:{{open('{trap}', 'w')}}}}\"", "(y := open('{trap}', 'w'))", "print(open('{trap}', 'w'))", "().__class__.__bases__[0].__subclasses__()",
    "x.__class__", "x.__init__.__globals__['os'].system('touch {trap}')", "torch.__builtins__", "torch.os.system('touch {trap}')", "np.load('{trap}')",
    "torch.load('{trap}')", "torch.hub.load('{trap}')", "sympy.sympify(\"open('{trap}', 'w')\")", "sympy.lambdify(x, x)", "''.join(['a', 'b'])",
    "'{{0.__class__}}'.format(x)", "'%s' % x", "'a' * 10**9", "b'a' * 3", "import os; os.system('touch {trap}')", "from os import system", "import os as x",
    "def f(): open('{trap}', 'w')", "class A:\n    open('{trap}', 'w')", "class A(metaclass=open('{trap}', 'w')): pass", "@open('{trap}', 'w')\ndef f(): pass",
    "async def f(): await x", "x: open('{trap}', 'w') = 1", "x: int", "del x", "assert open('{trap}', 'w')", "raise x", "return x", "yield x", "await x",
    "global x", "nonlocal x", "pass", "break", "with open('{trap}', 'w') as f: pass", "for i in open('{trap}', 'w'): pass", "while True: pass",
    "if open('{trap}', 'w'): pass", "try:\n    open('{trap}', 'w')\nexcept: pass", "match x:\n    case 1: pass", "sin(*open('{trap}', 'w'))",
    "sin(**open('{trap}', 'w'))", "*x", "x, *y = 1, 2", "x = y = 2", "x[0] = open('{trap}', 'w')", "x.y = 1", "x += open('{trap}', 'w')", "breakpoint()",
    "exit()", "input()", "help(x)", "globals()['os']", "getattr(x, 'y')", "setattr(x, 'y', 1)", "vars()", "__builtins__", "x[open('{trap}', 'w')]",
    "sum(x, dim=open('{trap}', 'w'))", "gelu(x, approximate=open('{trap}', 'w'))", "elu(x, eval('1'))", "norm(x, float(open('{trap}', 'w')))",
    "x if open('{trap}', 'w') else y", "x < open('{trap}', 'w')", "`touch {trap}`", "$(touch {trap})", "; touch {trap}", "x # \n; import os", "x\\\n;import os",
    "x \\ y", "'''", "\"\"\"\n", "# -*- coding: utf-7 -*-\n+AG8-(", "x\0; import os", "\0", "x\ud800", "\udcff", "\x1b[2J", "\x07", "x\x08", "\u202ex",
    "x\u2066y\u2069", "\u200bx", "\ufeff\ufeffx", "x\u2028y", "x\x85y", "x\x1cy", "\ufffe", "\U000e0001x", "١ + x", "x\u00a0+ y",
]  # fmt: skip


def refused(text, read=parse):
    """The mistakes in a text that must be refused."""
    with pytest.raises((ProgramError, PointError)) as caught:
        read(text)
    return caught.value.mistakes


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_and_not_executed(attack, tmp_path):
    """With a place in the text, as a program, inside one, and as a point; `__builtins__` and the
    like are names, with no value.
    """
    trap = tmp_path / "trap"
    text = attack.format(trap=trap)
    if text == "__builtins__":
        assert parse(text).variables == ("__builtins__",)
        return
    for mistake in [
        *refused(text),
        *refused(f"x + sin({text})"),
        *refused(f"y = {text}\ny*x"),
        *refused(f"x={text}", lambda t: read_points([t])),
    ]:
        assert mistake.span is not None, mistake
        assert 0 <= mistake.span.start <= mistake.span.end
        assert mistake.span.start <= len(mistake.text)
        printed = str(mistake)
        assert all(c.isprintable() or c == "\n" for c in printed)
        printed.encode()
    assert not trap.exists()


def runners_in(source):
    """Names of calls that run text, in the text of a module."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            # A regular expression is compiled; `mode="eval"` of `ast.parse` is a word, not a call.
            if name in RUNNERS and not (
                name == "compile" and getattr(getattr(node.func, "value", None), "id", "") == "re"
            ):
                found.append(name)
    return found


@each("path", sorted(SOURCES.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCES)))
def test_no_source_runs_text(path):
    """No `eval`, `exec`, `sympify`, `parse_expr`, `lambdify` and the like, nor their bare names
    passed on.
    """
    source = path.read_text(encoding="utf-8")
    assert runners_in(source) == []
    assert not {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)} & {
        "eval",
        "exec",
        "compile",
        "sympify",
        "parse_expr",
    }


@pytest.mark.parametrize(
    "lie",
    [
        "eval(text)",
        "exec(text)",
        "sympy.sympify(text)",
        "parse_expr(text)",
        "builtins.eval(text)",
        "compile(text, '', 'eval')",
        "s.S(text)",
        "f(lambda: __import__(text))",
    ],
)
def test_a_source_that_runs_text_is_caught(lie, tmp_path):
    """A file with a call of each kind is seen."""
    planted = tmp_path / "planted.py"
    planted.write_text(
        f"import re\n_X = re.compile('a')\ndef f(text, s=None):\n    return {lie}\n",
        encoding="utf-8",
    )
    assert len(runners_in(planted.read_text(encoding="utf-8"))) == 1


_BITS = st.sampled_from(
    [
    "x", "y", "1", "0.5", "1e9", "9**9", "+", "-", "*", "/", "**", "@", "%", "(", ")", "[", "]", "{", "}", ",", ":", ";", "=", "==", "<", ".", "...", "sin",
    "sum", "torch.", ".T", ".sum()", "if", "else", "for", "in", "not", "and", "lambda", "import", "\n", "\t", " ", "\\", "'", '"', "#", "é", "漢", "\0",
    "\ud800", "\u202e", "__class__", "dim=0", "*args", "None", "True", "->", ":=", "!", "~", "^", "|", "&", "//", "$", "?", "`", "\r\n", "\f", "0x", "1_", "e",
]
)  # fmt: skip


@FIXED
@given(st.lists(_BITS, max_size=12).map("".join))
def test_any_text_is_read_or_refused(text):
    """Never another exception; what is read can be written; what is refused is refused with a
    place, the empty text apart.
    """
    for read in (parse, lambda t: read_points([f"x={t}"])):
        try:
            found = read(text)
        except (ProgramError, PointError) as error:
            assert all(m.span is not None or m.code == "empty" for m in error.mistakes)
            str(error).encode()
        else:
            if read is parse:
                assert parse(program_text(found)).nodes == found.nodes


@FIXED
@given(st.text(max_size=40))
def test_any_characters_are_read_or_refused(text):
    """Of all of Unicode."""
    for read in (parse, lambda t: read_points([t])):
        try:
            read(text)
        except (ProgramError, PointError) as error:
            assert all(c.isprintable() or c == "\n" for c in str(error))


# Each at a point, with the derivative.
SIZES = {
    "a sum of 3,000 terms": (" + ".join(["x"] * 3_000), "0.9", 3_000),
    "a product of 3,000 factors": ("*".join(["x"] * 3_000), "1", 3_000),
    "3,000 different factors": (
        "*".join(f"(1 + x/{i}**2)" for i in range(1, 3_001)),
        "0",
        sum(1 / i**2 for i in range(1, 3_001)),
    ),
    "90 nested calls": ("sin(" * 90 + "x" + ")" * 90, "0", 1),
    "a part doubled 60 times": ("y = x\n" + "y = y + y\n" * 60 + "y", "1", 2**60),
    "a part squared 60 times": ("y = x\n" + "y = y*y\n" * 60 + "y", "1", 2**60),
    "1,000 minus signs": ("-" * 1_000 + "x", "1", 1),
    "1,000 conditional expressions": ("x if x > 0 else " * 1_000 + "x", "1", 1),
    "1,000 comparisons": ("x < " * 1_000 + "2*x", "1", 0),
    "a chain of 500 transposes": ("x" + ".T" * 500, "1", 1),
    "1e-400": ("x + 1e-400", "1", 1),
    "a literal of 4,000 digits": ("x + " + "1" * 4_000, "1", 1),
    "an integer of 16,610 bits": ("x + 10**5000", "1", 1),
    "hexadecimal and underscores": ("x*0x10 + 1_000", "1", 16),
}


@pytest.mark.parametrize("name", SIZES)
def test_what_is_large_is_done_in_a_moment(name):
    """Parsed, unrolled, proved and differentiated by torch, and both are right."""
    text, at, slope = SIZES[name]
    with cpu_budget(MOMENT):
        [case] = points(text, [f"x={at}"])
        proved, measured = reference(case), autograd(case)
    assert isinstance(proved, Proof)
    [truth] = proved.partials
    assert isinstance(truth, Certified)
    assert abs(float(truth.ball.mid()) - slope) <= 1e-9 * slope
    if name != "1,000 comparisons":  # torch has no path through a comparison
        assert isinstance(measured, Backward)
        [answer] = measured.partials
        assert isinstance(answer, Measured)
        assert abs(answer.value - slope) <= 1e-9 * slope


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("9**9**9**9", "too-large"),
        ("y = 2**19000; z = y*y; z**z", "too-large"),
        ("x*" + "9" * 4_001, "too-large"),
        ("x*" + "9" * 60_000, "too-large"),
        ("x*0x" + "f" * 60_000, "too-large"),
        ("x*1e" + "9" * 5_000, "too-large"),
        ("x*0." + "1" * 60_000, "too-large"),
        ("reshape(x, " + "9" * 100 + ")", "too-large"),
        ("x[" + "9" * 100 + "]", "bad-index"),
        ("x" * 1_000_000, "too-long"),
        ("(" * 100_000 + "x" + ")" * 100_000, "too-long"),
        ("(" * 30_000 + "x" + ")" * 30_000, "too-deep"),
        ("-" * 60_000 + "x", "too-deep"),
        ("[" * 60_000, "too-deep"),
        ("sin(" * 15_000, "too-deep"),
        ("f" * 60_000 + "(x)", "unknown-function"),
        ("'" + "a" * 60_000 + "'", "unsupported-syntax"),
        ("x" + ".y" * 30_000, "unknown-attribute"),
        ("+".join(f"f{i}(x)" for i in range(6_000)), "unknown-function"),
        ("é + " * 15_000 + "f(x)", "unknown-function"),
        ("lambda: " * 50 + "x" * 60_000, "unsupported-syntax"),
        ("x\n" * 30_000, "unused-value"),
    ],
    ids=lambda x: x[:16] if len(x) > 20 else x,
)
def test_what_is_too_large_is_refused_in_a_moment(text, code):
    """And in a message that fits on a screen or two."""
    with cpu_budget(MOMENT):
        found = refused(text)
    assert found[0].code == code
    assert len("\n".join(map(str, found))) < 10_000


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("x + " * 16_000 + "x", 2),
        ("x" + ".T" * 20_000, 20_001),
        ("x" + ".sum()" * 8_000, 8_001),
        ("x" + "[0]" * 10_000, 10_001),
        ("é*" * 20_000 + "é", 20_001),
        ("x < " * 15_000 + "x", 5),
    ],
    ids=lambda x: x[:8] if isinstance(x, str) else "",
)
def test_what_is_long_is_read_and_written_in_a_moment(text, terms):
    """Time grows with the length, not with its square: 20,000 attributes in a row once took 37 s."""
    with cpu_budget(MOMENT):
        program = parse(text)
        program_text(program)
    assert len(program.nodes) >= terms


@pytest.mark.parametrize(
    "text",
    [
        "x=" + "*".join(["1e5000"] * 9_000),
        "x=" + "[" * 100_000,
        "x=(" * 50_000,
        "x=(1e-5000)**40000",
        "x=9**9**9**9",
        "x=exp(exp(exp(1e5000)))",
        "x=digamma(-1e15 + 1/2) + nan",
        "x=0:1:9999999999999999",
        "x=" + "9" * 100_000,
        "x=1," * 5_000,
    ],
)
def test_a_hostile_point_is_refused_in_a_moment(text):
    """Before anything large is computed."""
    with cpu_budget(MOMENT):
        refused(text, lambda t: read_points([t]))


@pytest.mark.parametrize(
    ("words", "stdin"),
    [
        (["__import__('os').system('touch {trap}')", "--at", "x=1"], None),
        (["x", "--at", "x=__import__('os').system('touch {trap}')"], None),
        (["-", "--at", "x=1"], b"x + \xff\xfe"),
        (["-", "--at", "x=1"], "漢 + foo(x)\r\n".encode()),
        (["x + \udcff\x1b[31m", "--at", "x=\udcff"], None),
        (["-" * 20_000 + "x", "--at", "x=1"], None),
    ],
    ids=["program", "point", "bytes", "unicode", "surrogates", "depth"],
)
def test_the_command_line_refuses_in_words(words, stdin, tmp_path):
    """Exit code 2, the place on stderr, nothing on stdout, no traceback, nothing executed, in a
    moment.
    """
    trap = tmp_path / "trap"
    command = [sys.executable, "-m", "gradcheck_cli", *(word.format(trap=trap) for word in words)]
    with cpu_budget(MOMENT):
        done = subprocess.run(
            command,
            input=stdin or b"",
            capture_output=True,
            timeout=HUNG,
            check=False,
            env=os.environ | {"PYTHONUTF8": "1"},
        )
    said = done.stderr.decode()
    assert (done.returncode, done.stdout) == (2, b"")
    assert "error[" in said
    assert "Traceback" not in said
    assert "^" in said or "error[unreadable]" in said
    assert "\x1b" not in said
    assert not trap.exists()
