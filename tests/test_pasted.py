"""What people paste is read as what the strict text says, or its error says what may be meant."""

from __future__ import annotations

import csv
import io
import json
import shlex
import subprocess
import sys
from random import Random

import pasted
import pytest
from clocks import cpu_budget
from each import each
from hypothesis import given, settings
from hypothesis import strategies as st
from test_hostile import ATTACKS, MOMENT

from gradcheck_cli import check
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.language import lenient
from gradcheck_cli.language.errors import PointError, ProgramError
from gradcheck_cli.language.lenient import corrected
from gradcheck_cli.language.parse import parse
from gradcheck_cli.language.reading import read_program
from gradcheck_cli.questions.numbers import read_points
from gradcheck_cli.questions.python_numbers import read_object
from gradcheck_cli.questions.question import question_of
from gradcheck_cli.reports import FORMATS, renderer

FIXED = settings(derandomize=True, database=None, deadline=None, max_examples=300)


@each("text", pasted.READ)
def test_a_pasted_text_is_read_as_its_strict_text(text):
    """The same Program, and the report says so."""
    strict = pasted.READ[text]
    program = read_program(text)
    assert (program.text, program.nodes) == (strict, parse(strict).nodes)
    assert program.written == ("" if text == strict else text)


def test_the_table_is_of_some_size():
    """What has one meaning, and what has not."""
    assert len(pasted.READ) > 100
    assert len(pasted.AMBIGUOUS) > 20


@each("text", pasted.AMBIGUOUS)
def test_what_has_two_meanings_is_asked(text):
    """With each of them as a program that the language accepts."""
    with pytest.raises(ProgramError) as caught:
        read_program(text)
    (mistake,) = caught.value.mistakes
    assert (mistake.code, mistake.instead) == ("ambiguous", pasted.AMBIGUOUS[text])
    assert mistake.span is not None
    for program in mistake.instead:
        assert read_program(program).written == ""


@pytest.mark.parametrize("text", pasted.MESSAGES)
def test_what_is_not_read_says_why(text):
    """The whole message; its carets stand in the pasted text."""
    with pytest.raises(ProgramError) as caught:
        read_program(text)
    assert str(caught.value) == pasted.MESSAGES[text]


@pytest.mark.parametrize(
    ("text", "known", "programs"),
    [
        ("xy + 1", "xy", ("x*y + 1",)), ("2xy", "xy", ("2*x*y",)), ("a/bc", "abc", ("a/b*c", "a/(b*c)")), ("xy**2", "xy", ("x*y**2",)), ("sinx", "x", ("sin(x)",)),
        ("x2 + 1", "x", ("x**2 + 1", "x*2 + 1")), ("xyz", "xy", ()), ("foo", "x", ()), ("xe**x", "x", ("x*e**x",)), ("2pix", "x", ("2*pi*x",)), ("x" * 60, "x", ()), ("x₁x₂", "x", ()), ("aₙb", "an", ()),
    ],
)  # fmt: skip
def test_a_name_of_several_known_ones_may_be_a_product(text, known, programs):
    """Where each of them has a value and the whole has none."""
    assert corrected(text, [*known]) == programs


@pytest.mark.parametrize("text", pasted.OF_MATRICES)
def test_a_product_without_a_sign_is_of_matrices_beside_one(text):
    """Where the point says so."""
    ranks, strict = pasted.OF_MATRICES[text]
    program = read_program(text, ranks)
    assert (program.text, program.nodes) == (strict, parse(strict).nodes)


@pytest.mark.parametrize("text", pasted.GLUED)
def test_names_side_by_side_are_no_product_of_elements_beside_a_matrix(text):
    """In the corrected programs."""
    ranks, programs = pasted.GLUED[text]
    assert corrected(text, [*ranks], ranks) == programs


@pytest.mark.parametrize("text", ["dy/dx", r"\frac{\partial f}{\partial x}", "df/dx"])
def test_a_derivative_alone_is_no_quotient(text, tool):
    """Where none of its names has a value."""
    done = tool.run([text, "--at", "x=2"])
    assert (done.returncode, "a check differentiates by itself" in done.stderr) == (2, True)
    assert "agree" in tool.run(["dy/dx", "--at", "dy=1,dx=2"]).stdout


def test_a_product_that_is_asked_is_of_matrices_beside_one():
    """In each of the corrected programs."""
    with pytest.raises(ProgramError) as caught:
        read_program("A(x - b)", {"A": 2, "x": 1, "b": 1})
    assert caught.value.mistakes[0].instead == ("A @ (x - b)",)


def test_a_product_read_before_its_point_is_asked():
    """A suite is read before its points are."""
    text = r"\|Ax-b\|^2"
    point = {"A": [[1, 2], [3, 4]], "x": [1, 2], "b": [1, 1]}
    values = {name: read_object(name, value) for name, value in point.items()}
    question = question_of(read_program(text), values)
    arrays, _ = question.arrays(values, DTYPES["float64"])
    with pytest.raises(PointError) as caught:
        question.prepared(arrays, DTYPES["float64"])
    assert (
        str(caught.value)
        == r"""error[ambiguous]: a product without a sign is one of matrices where one of its factors is
  | \|Ax-b\|^2
  |   ^^
  = help: element by element is written `*`
  = help: did you mean: norm(A @ x - b)**2"""
    )


# --- a random tree, written strictly and in other ways


class Tree:
    """A random formula; `strict` and `pasted` write it, and share no line with the package."""

    functions = ("sin", "cos", "tanh", "exp", "sqrt", "atan")

    def __init__(self, random, depth):
        self.random = random
        kinds = ["+", "-", "*", "/", "**", "neg", "call", "abs"] if depth else ["name", "number"]
        self.kind = random.choice(kinds)
        count = {"name": 0, "number": 0, "neg": 1, "call": 1, "abs": 1}.get(self.kind, 2)
        self.parts = [Tree(random, depth - 1) for _ in range(count)]
        self.word = random.choice(
            self.functions if self.kind == "call" else "123" if self.kind == "number" else "xyz"
        )

    def strict(self):
        """Every part in brackets."""
        parts = [part.strict() for part in self.parts]
        if self.kind == "neg":
            return f"(-{parts[0]})"
        if self.kind in ("call", "abs"):
            return f"{'abs' if self.kind == 'abs' else self.word}({parts[0]})"
        return f"({parts[0]} {self.kind} {parts[1]})" if parts else self.word

    def printed(self):
        """As in print; a factor is a bracket, a name or a call, so that each has its end."""
        parts = [part.printed() for part in self.parts]
        if self.kind == "neg":
            return f"(−{parts[0]})"
        if self.kind == "abs":
            # Two bars side by side are those of a norm.
            return f"|({parts[0]})|" if parts[0][0] == "|" else f"|{parts[0]}|"
        if self.kind == "call":
            return f"√({parts[0]})" if self.word == "sqrt" else f"{self.word}({parts[0]})"
        if self.kind == "*":
            return f"({parts[0]}{self.random.choice('·×⋅')}{parts[1]})"
        if self.kind == "**":
            power = {"1": "¹", "2": "²", "3": "³"}.get(parts[1])
            return f"({parts[0]}{power})" if power else f"({parts[0]}^{parts[1]})"
        sign = {"-": " − ", "/": "÷"}.get(self.kind, self.kind)
        return f"({parts[0]}{sign}{parts[1]})" if parts else self.word

    def latex(self):
        """As TeX sets it."""
        parts = [part.latex() for part in self.parts]
        match self.kind:
            case "neg":
                return rf"\left(-{parts[0]}\right)"
            case "abs":
                return rf"\left|{parts[0]}\right|"
            case "call" if self.word == "sqrt":
                return rf"\sqrt{{{parts[0]}}}"
            case "call":
                word = {"atan": "arctan"}.get(self.word, self.word)
                return rf"\{word}\left({parts[0]}\right)"
            case "/":
                return rf"\frac{{{parts[0]}}}{{{parts[1]}}}"
            case "**":
                return rf"{{{parts[0]}}}^{{{parts[1]}}}"
            case "*":
                return rf"\left({parts[0]} \cdot {parts[1]}\right)"
            case "+" | "-":
                return rf"\left({parts[0]} {self.kind} {parts[1]}\right)"
        return self.word


def misread(count, write):
    """Random trees whose pasted form is not read as the strict one."""
    random = Random(20)  # noqa: S311 - texts that repeat, not secrets
    trees = [Tree(random, random.randint(1, 4)) for _ in range(count)]
    return [tree for tree in trees if not _same(write(tree), tree.strict())]


def _same(text, strict):
    try:
        found = read_program(text)
    except ProgramError:
        return False
    again = parse(found.text)
    return found.nodes == parse(strict).nodes == again.nodes


@pytest.mark.parametrize("write", [Tree.printed, Tree.latex], ids=["print", "latex"])
def test_what_is_read_leniently_is_what_the_strict_text_reads_as(write):
    """The same nodes, for 400 random formulas."""
    assert [(tree.strict(), write(tree)) for tree in misread(400, write)] == []


@pytest.mark.parametrize("lie", ["*", "-", "**"])
def test_a_reading_that_lies_is_seen(lie, monkeypatch):
    """One that takes one sign for another."""
    honest = lenient._tokens
    other = {"*": "/", "-": "+", "**": "*"}[lie]

    def lying(text):
        return [t._replace(text=other) if t.text == lie else t for t in honest(text)]

    monkeypatch.setattr(lenient, "_tokens", lying)
    assert misread(60, Tree.printed)


# --- what does not change


@pytest.mark.parametrize(
    "text",
    [
        "x**2 + 1", "sin(x)**2", "λ*x", "x if x > 0 else 0", "xy", "a/bc", "y = x; y*2", "x2", "gamma*x", "d/dx*x", "t", "x_1", "x.T @ y", "f + x", "θ**2", "xᵢ + 1",
    ],
)  # fmt: skip
def test_a_strict_text_is_never_read_otherwise(text):
    """Its Program is that of the strict parser, and nothing was written."""
    assert read_program(text) == parse(text)


def test_a_strict_text_loads_nothing_of_the_lenient_reading():
    """Start-up stays what it is."""
    code = (
        "import sys\nfrom gradcheck_cli.language.reading import read_program\n"
        "read_program('sigmoid(x**2) + tanh(λ*x)')\n"
        "print([n for n in sys.modules if n.rpartition('.')[2] in"
        " ('lenient', 'grammar', 'tokens', 'latex', 'naming')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# --- hostile texts

# These are formulas with characters that take no room or are blanks.
_READABLE = ("\u200bx", "\ufeff\ufeffx", "x\u00a0+ y", "x\u2066y\u2069")


@pytest.mark.parametrize("attack", [a for a in ATTACKS if a not in _READABLE])
def test_an_attack_stays_refused(attack, tmp_path):
    """And is not executed."""
    trap = tmp_path / "trap"
    text = attack.format(trap=trap)
    for whole in (
        text,
        f"2x + sin({text})",
        f"x^2 + {text}",
        f"$ {text} $",
        rf"\frac{{{text}}}{{2}}",
    ):
        try:
            program = read_program(whole)
        except ProgramError as error:
            assert all(c.isprintable() or c == "\n" for c in str(error))
        else:
            # Names, signs and numbers of a formula, and nothing else.
            assert parse(program.text).nodes == program.nodes
            assert whole != text or attack == "__builtins__"
    assert not trap.exists()


_BITS = st.sampled_from(
    [
        "x", "y", "2", "½", "^", "²", "⁻¹", "ˣ", "₁", "√", "|", "‖", "||", "·", "×", "−", "π", "σ", "Γ", "sin", "ln", "log", "(", ")", "[", "]", "{", "}", " ", "!", "°", "±", "≤", "∧",
        "d/dx", "e", "lambda", "->", "=", ",", ";", "\n", "'", "“", "\\", "\\frac", "\\sqrt", "\\left", "\\right", "\\sin", "\\sigma", "\\log_", "_", "$", "\\\\", "&", "\\begin{cases}",
        "\\end{cases}", "\\text{if }", "\\mathrm", "%", ".", "...", ":", "if", "else", "not", "ᵀ", "\u200b", "\u202e", "T", "dim=0", "#", "⌊", "⌋", "∞", "１", "∂", "\\circ", "\\hat",
    ]
)  # fmt: skip


@FIXED
@given(st.lists(_BITS, max_size=14).map("".join))
def test_any_text_is_read_or_refused(text):
    """Never another exception; what is refused has a place, and what is read is strict text."""
    for read in (read_program, lambda t: read_points([f"x={t}"])):
        try:
            found = read(text)
        except (ProgramError, PointError) as error:
            assert all(m.span is not None or m.code == "empty" for m in error.mistakes)
            for mistake in error.mistakes:
                assert all(parse(program) for program in mistake.instead)
        else:
            if read is read_program:
                assert parse(found.text).nodes == found.nodes


@pytest.mark.parametrize(
    "text",
    [
        "x^2 + " * 9_000 + "x", "2x" * 15_000, "|x| + " * 9_000 + "1", "√" * 30_000 + "x", "x^" * 20_000 + "2", "(" * 30_000 + "x²", "{" * 30_000, "sin " * 15_000 + "x", "-" * 60_000 + "x²",
        "x²" * 20_000, "x(x)" * 10_000, "1/2x + " * 8_000 + "1", "||" * 20_000, "|" * 40_000, "\\frac{1}{x} + " * 4_000 + "1", "\\frac{" * 9_000, "\\sqrt" * 10_000 + "x", "$" * 50_000,
        "\\left(" * 9_000, "{\\frac" * 8_000, "x_{" * 20_000, "\\begin{cases}" * 4_000, "'" * 50_000, "..." * 20_000, "f(x)=" * 10_000 + "x²", "x₁" * 20_000, "½" * 20_000, "x!" + "!" * 40_000,
        "d/dx " * 9_000 + "x²", "a" * 60_000 + "(x²)", "xy" * 30_000 + "²",
    ],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_what_is_long_is_read_or_refused_in_a_moment(text):
    """Time grows with the length, not with its square."""
    with cpu_budget(MOMENT):
        try:
            read_program(text)
        except ProgramError as error:
            assert len(str(error)) < 200_000


# --- from end to end


def test_the_command_line_says_how_it_read(tool):
    """In the table, in JSON, and in the command that reproduces it."""
    done = tool.run(["2x + 1", "--at", "x=3"])
    assert done.stdout.startswith("2x + 1\nread as 2*x + 1\nat x = 3;")
    record = json.loads(tool.run(["2x + |x|", "--at", "x=−2", "-f", "json"]).stdout)["cases"][0]
    assert (record["written"], record["expression"]) == ("2x + |x|", "2*x + abs(x)")
    assert record["reproduce"] == "gradcheck '2*x + abs(x)' --at x=-2"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("2x + 1", "--at", "x=3"), "2x + 1; read as 2*x + 1; at x = 3; float64 on cpu: agree"),
        (
            ("y = x²; 2y", "--at", "x=[1, 2]", "--dtype", "float32"),
            "y = x²; 2y; read as y = x**2; 2*y; at x = [1, 2], cotangent ones; float32 on cpu: agree",
        ),
        (("2*x + 1", "--at", "x=3"), "1 case: 1 agree"),
    ],
)
def test_one_line_says_how_it_was_read(tool, words, line):
    """Though all is well; of a text that is the language's there is nothing to be said."""
    assert tool.run([*words, "-q"]).stdout == f"{line}\n"


def test_one_line_of_what_is_not_well_says_how_it_was_read(tool, tmp_path):
    """Of a check and of a suite, whose good programs stay in the count."""
    lead = "2|x|; read as 2*abs(x); "
    done = tool.run(["2|x|", "--at", "x=0", "-q"])
    assert done.stdout.startswith(f"{lead}at x = 0; float64 on cpu: kink; ")
    suite = tmp_path / "a.gradcheck.yaml"
    cases = ("{id: a, expr: 2|x|, at: {x: 0}, strict: true}", "{id: b, expr: 2x, at: {x: 1}}")
    text = "".join(f"  - {case}\n" for case in cases)
    suite.write_text(f"version: 1\ncases:\n{text}", encoding="utf-8")
    done = tool.run(["run", suite.name, "-q"], folder=tmp_path)
    first, last = done.stdout.splitlines()
    assert first.startswith(f"{lead}a.gradcheck.yaml::a; at x = 0; float64 on cpu: failing (kink)")
    assert last == "2 cases: 1 agree, 1 failing (kink)"


def test_csv_says_how_it_was_read(tool):
    """A column for the text as typed beside what it was read as; empty where they are one."""
    texts = {
        "2x + 1": ("2*x + 1", "2x + 1"),
        "-2x": ("'-2*x", "'-2x"),  # no formula of a spreadsheet
        "=x²": ("x**2", "'=x²"),
        "x**2": ("x**2", ""),
    }
    for text, cells in texts.items():
        done = tool.run([text, "--at", "x=3", "-f", "csv"])
        (row,) = csv.DictReader(io.StringIO(done.stdout))
        assert (row["expression"], row["written"]) == cells


def test_the_corrected_commands_can_be_pasted(tool):
    """Each is a whole command, which is accepted."""
    done = tool.run(["x(x+1)", "--at", "x=3", "--dtype", "float32"])
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if "did you mean" in line]
    command = shlex.split(line.partition("did you mean: ")[2])
    assert command == ["gradcheck", "x*(x + 1)", "--at", "x=3", "--dtype", "float32"]
    assert tool.run(command[1:]).returncode == 0
    done = tool.run(["xy", "--at", "x=3,y=2"])
    assert "  = help: did you mean: gradcheck 'x*y' --at x=3,y=2\n" in done.stderr


def test_a_suite_is_read_in_the_same_way(tool, tmp_path):
    """`lint` says how; a mistake stands at its place in the file."""
    suite = tmp_path / "a.gradcheck.yaml"
    suite.write_text(
        "version: 1\ncases:\n  - {id: a, expr: 2x + 1, at: {x: 1}}\n", encoding="utf-8"
    )
    said = tool.run(["lint", str(suite)]).stdout.splitlines()
    assert said[0].endswith(":3:5: `2x + 1` is read as `2*x + 1`")
    assert tool.run(["run", str(suite)]).returncode == 0
    suite.write_text(
        "version: 1\ncases:\n  - {id: a, expr: x + x(x+1), at: {x: 1}}\n", encoding="utf-8"
    )
    done = tool.run(["lint", str(suite)])
    assert done.returncode == 2
    assert ":3:23\n" in done.stderr
    assert "help: did you mean `x + x*(x + 1)`?" in done.stderr


def test_python_and_every_format_take_it():
    """`check` of a pasted text gives the same numbers, and every format can write it."""
    found, strict = check("x² + 2x", {"x": 3}), check("x**2 + 2*x", {"x": 3})
    assert found.results[0].verdicts == strict.results[0].verdicts
    for name in FORMATS:
        assert renderer(name)(found), name


@pytest.mark.parametrize(
    ("pasted_at", "at"),
    [
        ("x=−2", "x=-2"), ("x=π/4", "x=pi/4"), ("x=1e−3", "x=1e-3"), ("x=½", "x=1/2"), ("x=2π", "x=2*pi"), ("x=√2", "x=sqrt(2)"), ("x=[−1, ½]", "x=[-1, 1/2]"), ("x₁=3", "x1=3"),
        ("lambda=2", "lambda_=2"), ("x=2^10", "x=2**10"), ("x=−1:1:3", "x=-1:1:3"), (r"x=\frac{1}{3}", "x=1/3"), ("x=10⁻³", "x=10**-3"),
    ],
)  # fmt: skip
def test_a_pasted_point_is_read_as_its_strict_text(pasted_at, at):
    """Values, and the words that a command repeats."""
    assert _values(read_points([pasted_at])) == _values(read_points([at]))


def _values(points):
    return {name: _plain(value) for name, value in points.items()}


def _plain(value):
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.value if hasattr(value, "value") else [value[k].value for k in range(len(value))]
